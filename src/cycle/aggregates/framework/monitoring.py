"""What becomes of the plan: progress, contributions, measures, training, incentives."""

from __future__ import annotations

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import (
    ActionId,
    Aspect,
    ContributionId,
    Count,
    IncentiveKind,
    MemberId,
    Method,
    Name,
    Percent,
    Quantity,
    Reference,
    Rhythm,
    Text,
    Worth,
)


class MonitoringStarted(Event):
    cycle: int
    checks: tuple[Check, ...] = ()


class ActionStarted(Event):
    action: ActionId


class ProgressReported(Event):
    action: ActionId
    percent: Percent
    note: Text | None = None
    correctable = frozenset({"percent", "note"})


class ActionCompleted(Event):
    action: ActionId
    result: Text | None = None
    correctable = frozenset({"result"})


class ActionAbandoned(Event):
    action: ActionId
    reason: Text
    correctable = frozenset({"reason"})


class ContributionReceived(Event):
    """One delivery; several may add up to the pledge. ``receipt`` points at the paper."""

    contribution: ContributionId
    worth: Worth
    receipt: Reference | None = None
    correctable = frozenset({"worth", "receipt"})


class ContributionWaived(Event):
    contribution: ContributionId
    reason: Text
    correctable = frozenset({"reason"})


class ContributionReneged(Event):
    contribution: ContributionId
    reason: Text
    correctable = frozenset({"reason"})


class IncentiveGranted(Event):
    kind: IncentiveKind
    member: MemberId
    description: Text
    worth: Worth | None = None
    correctable = frozenset({"kind", "description", "worth"})


class TrainingHeld(Event):
    topic: Name
    days: Count
    members: tuple[MemberId, ...] = ()
    women: Count = 0
    men: Count = 0
    youth: Count = 0
    correctable = frozenset({"topic", "days", "members", "women", "men", "youth"})


class MonitoringRecorded(Event):
    aspect: Aspect
    method: Method
    rhythm: Rhythm
    subject: Text
    value: Quantity | None = None
    unit: Name | None = None
    action: ActionId | None = None
    correctable = frozenset({"subject", "value", "unit"})
