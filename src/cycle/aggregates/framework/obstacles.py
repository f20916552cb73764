"""Obstacles: named by the committee, handed back to the actors, solved, accepted or carried on."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from cycle.aggregates.base import Event
from cycle.aggregates.terms import ActionId, MemberId, Name, ObstacleId, Text

Severity3 = Annotated[int, Meta(ge=1, le=3)]
"""1 slows an action, 2 endangers it, 3 stops it."""


class ObstacleIdentified(Event):
    obstacle: ObstacleId
    cycle: int
    description: Text
    severity: Severity3
    action: ActionId | None = None
    correctable = frozenset({"description", "severity"})


class ObstacleCommunicated(Event):
    obstacle: ObstacleId
    members: tuple[MemberId, ...]
    channel: Name | None = None
    correctable = frozenset({"members", "channel"})


class ObstacleSolutionAgreed(Event):
    obstacle: ObstacleId
    solution: Text
    responsible: MemberId
    due_on: date | None = None
    correctable = frozenset({"solution", "due_on"})


class ObstacleResolved(Event):
    obstacle: ObstacleId
    how: Text
    correctable = frozenset({"how"})


class ObstacleAccepted(Event):
    obstacle: ObstacleId
    reason: Text
    correctable = frozenset({"reason"})


class ObstacleReopened(Event):
    obstacle: ObstacleId
    cycle: int
    reason: Text
    correctable = frozenset({"reason"})


class ObstacleCarriedOver(Event):
    """Still open when cycle ``cycle`` closed; it goes on in ``cycle + 1``."""

    obstacle: ObstacleId
    cycle: int
    reason: Text | None = None
    correctable = frozenset({"reason"})
