"""Deliveries as they are shown, at every door and for every kind of subscription alike."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from cycle.subscriptions.shapes import Delivery, DeliveryStage


class AttemptRow(Struct, frozen=True):
    """One attempt: a status, or the cause why there is none."""

    at: datetime
    answer: str


class DeliveryRow(Struct, frozen=True):
    """One event for a subscription; ``due``: when it is tried next, where it waits for that."""

    position: int
    event: str
    stream: str
    stage: DeliveryStage
    attempts: int
    answers: tuple[AttemptRow, ...]
    due: datetime | None


def delivery_row(each: Delivery) -> DeliveryRow:
    answers = tuple(AttemptRow(moment(at), what) for at, what in each.answers)
    due = moment(each.due) if each.stage is DeliveryStage.WAITING and each.due else None
    return DeliveryRow(each.position, each.event, each.stream, each.stage, each.attempts, answers, due)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
