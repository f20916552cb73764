"""Webhooks and deliveries as they are shown, at every door alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.webhook import Webhook, WebhookStage
from cycle.webhooks.endpoints import Webhooks
from cycle.webhooks.shapes import Counts, Delivery, DeliveryStage


class WebhookRow(Struct, frozen=True):
    """A webhook. It has read the log up to ``position``; ``parked`` are streams that wait, and where."""

    webhook: str
    url: str
    owner: str
    stage: WebhookStage
    territory: str
    types: tuple[str, ...]
    position: int
    head: int
    parked: Mapping[str, int]
    deliveries: Counts


class AttemptRow(Struct, frozen=True):
    """One attempt: a status, or the cause why there is none."""

    at: datetime
    answer: str


class DeliveryRow(Struct, frozen=True):
    """One event for a webhook; ``due``: when it is tried next, where it waits for that."""

    position: int
    event: str
    stream: str
    stage: DeliveryStage
    attempts: int
    answers: tuple[AttemptRow, ...]
    due: datetime | None


def webhook_row(webhooks: Webhooks, each: Webhook) -> WebhookRow:
    progress = webhooks.store.progress(each.id)
    return WebhookRow(
        each.id,
        each.url,
        each.owner,
        each.stage,
        territory_of(each.territory),
        each.types,
        progress[0].position if progress else each.lanes[0].after,
        webhooks.engine.store.head().position,
        each.parked,
        webhooks.store.counts(each.id),
    )


def delivery_row(each: Delivery) -> DeliveryRow:
    answers = tuple(AttemptRow(_moment(at), what) for at, what in each.answers)
    due = _moment(each.due) if each.stage is DeliveryStage.WAITING and each.due else None
    return DeliveryRow(each.position, each.event, each.stream, each.stage, each.attempts, answers, due)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
