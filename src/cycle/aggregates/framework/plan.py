"""The negotiated plan: actions, pledges, agreement."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import (
    ActionId,
    Code,
    ContributionId,
    DecisionMode,
    Ledger,
    MeetingId,
    MemberId,
    Name,
    Nature,
    NeedId,
    ObstacleId,
    Text,
    Use,
    Window,
    Worth,
)


class ActionProposed(Event):
    action: ActionId
    cycle: int
    description: Text
    sector: Code | None = None
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None
    responsible: MemberId | None = None
    due_on: date | None = None
    correctable = frozenset({"description", "due_on"})


class ActionAmended(Event):
    """Absent fields stay as they were."""

    action: ActionId
    description: Text | None = None
    needs: tuple[NeedId, ...] | None = None
    obstacles: tuple[ObstacleId, ...] | None = None
    responsible: MemberId | None = None
    due_on: date | None = None
    correctable = frozenset({"description", "due_on"})


class ActionWithdrawn(Event):
    action: ActionId
    reason: Text
    correctable = frozenset({"reason"})


class ActionsRanked(Event):
    ranked: tuple[ActionId, ...]


class ContributionPledged(Event):
    contribution: ContributionId
    cycle: int
    member: MemberId
    ledger: Ledger
    nature: Nature
    use: Use
    worth: Worth
    action: ActionId | None = None
    due_on: date | None = None
    correctable = frozenset({"worth", "due_on"})


class AgreedAction(Struct, frozen=True, omit_defaults=True, gc=False):
    """An action as the plan states it."""

    action: ActionId
    description: Text
    responsible: MemberId
    due_on: date
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None


class PlanAgreed(Event):
    """Plan ``cycle``, ``plan_version`` 1. ``objections`` that were noted do not undo it."""

    cycle: int
    plan_version: int
    window: Window
    mode: DecisionMode
    meeting: MeetingId
    actions: tuple[AgreedAction, ...]
    contributions: tuple[ContributionId, ...] = ()
    objections: tuple[Text, ...] = ()
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"objections"})


class PlanNotAgreed(Event):
    cycle: int
    meeting: MeetingId
    round: int
    objections: tuple[Text, ...]
    deadlock: bool = False
    correctable = frozenset({"objections"})


class PlanWithdrawn(Event):
    """The negotiation was reopened before anything had started."""

    cycle: int
    plan_version: int
    actions: tuple[ActionId, ...]
    reason: Text
    correctable = frozenset({"reason"})


class ActionRegisteredInPdesc(Event):
    action: ActionId
    reference: Name
    correctable = frozenset({"reference"})
