"""Webhooks as they are shown, at every door alike."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.subscription import SubscriptionStage
from cycle.aggregates.webhook import Webhook
from cycle.subscriptions.lag import Lag, lag_of
from cycle.subscriptions.shapes import Counts
from cycle.webhooks.endpoints import Webhooks


class WebhookRow(Struct, frozen=True):
    """A webhook. It has read the log up to ``position``; ``parked`` are streams that wait, and where."""

    webhook: str
    url: str
    owner: str
    stage: SubscriptionStage
    territory: str
    types: tuple[str, ...]
    position: int
    head: int
    lag: Lag
    parked: Mapping[str, int]
    deliveries: Counts


def webhook_row(webhooks: Webhooks, each: Webhook) -> WebhookRow:
    progress = webhooks.queue.progress(each.id)
    return WebhookRow(
        each.id,
        each.url,
        each.owner,
        each.stage,
        territory_of(each.territory),
        each.types,
        progress[0].position if progress else each.lanes[0].after,
        webhooks.engine.store.head().position,
        lag_of(webhooks, each),
        each.parked,
        webhooks.queue.counts(each.id),
    )
