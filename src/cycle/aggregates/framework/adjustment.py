"""The review that measures, the plan that is adjusted, the cycle that closes and the next that opens."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from cycle.aggregates.base import Check, Event
from cycle.aggregates.framework.plan import AgreedAction
from cycle.aggregates.terms import ActionId, ActionOutcome, ObstacleId, ReviewKind, Text


class ReviewOpened(Event):
    """``due_on`` is the last day of the plan: opened after it, the review is late by the difference."""

    cycle: int
    kind: ReviewKind
    due_on: date
    checks: tuple[Check, ...] = ()


class PlanReviewed(Event):
    """What the meeting measured."""

    cycle: int
    findings: Text
    lessons: tuple[Text, ...] = ()
    correctable = frozenset({"findings", "lessons"})


class PlanAdjusted(Event):
    """The plan as it stands from now on, in the same window; ``dropped`` actions were withdrawn."""

    cycle: int
    plan_version: int
    causes: tuple[Text, ...]
    actions: tuple[AgreedAction, ...]
    dropped: tuple[ActionId, ...] = ()
    correctable = frozenset({"causes"})


class ActionCarriedOver(Event):
    """Unfinished when cycle ``cycle`` closed; an action of a later plan may continue it."""

    action: ActionId
    cycle: int
    reason: Text
    correctable = frozenset({"reason"})


class Settled(Struct, frozen=True, gc=False):
    """How an action of a closed plan ended."""

    action: ActionId
    outcome: ActionOutcome


class CycleClosed(Event):
    cycle: int
    actions: tuple[Settled, ...]
    carried_obstacles: tuple[ObstacleId, ...] = ()


class CycleOpened(Event):
    cycle: int
