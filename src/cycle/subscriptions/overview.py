"""Every subscription that an account sees, of whatever kind, in one shape; what needs that account stands first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.subscription import Subscription, SubscriptionStage
from cycle.aggregates.terms import WebhookId
from cycle.engine import Engine
from cycle.groups.known import Groups
from cycle.subscriptions.kinds import Found, Kind, seen_by
from cycle.subscriptions.known import role_over
from cycle.subscriptions.lag import Lag, lag_of
from cycle.subscriptions.shapes import Counts
from cycle.turns import Work
from cycle.webhooks.endpoints import Webhooks

PATIENCE_SECONDS = 300
"""As long may wait what no worker takes: then somebody is told."""


class Trouble(StrEnum):
    """What is wrong with a subscription, the worst first; its words and what helps are in the catalogue."""

    NO_SECRET = "no-secret"
    """Nothing is kept that could sign, as after a restore."""
    GONE = "gone"
    """The receiver says so."""
    NOBODY_DELIVERS = "nobody-delivers"
    NOBODY_TAKES = "nobody-takes"
    """Something has waited for a while, and no worker of the group holds anything."""
    PARKED = "parked"
    NOT_TAKEN = "not-taken"
    """Something was delivered, was not taken, and is tried again."""
    WITHHELD = "withheld"
    PAUSED = "paused"


class SubscriptionRow(Struct, frozen=True):
    """A subscription. ``parked`` are streams that wait, and where; ``mine``: the account that looks may change it."""

    kind: Kind
    subscription: str
    name: str
    owner: str
    stage: SubscriptionStage
    territory: str
    types: tuple[str, ...]
    position: int
    head: int
    lag: Lag
    deliveries: Counts
    parked: Mapping[str, int]
    troubles: tuple[Trouble, ...]
    mine: bool

    @property
    def order(self) -> tuple[int, int, float, str]:
        """First what is wrong and the account can do something about, the worst of it first; then who lags most."""
        worst = min((list(Trouble).index(each) for each in self.troubles), default=len(Trouble))
        needs = 2 if not self.troubles else 0 if self.mine else 1
        return needs, worst, -self.lag.seconds, self.name


def overview(engine: Engine, actor: str) -> list[SubscriptionRow]:
    """All that an account sees, what needs it first.

    Raises:
        Forbidden: it holds no role that sees any.
    """
    return sorted((row_of(each, actor) for each in seen_by(engine, actor)), key=lambda row: row.order)


def row_of(found: Found, actor: str) -> SubscriptionRow:
    """One subscription, as the account sees it."""
    known, own = found.known, found.own
    queue, lag = known.queue, lag_of(known, own)
    progress, counts = queue.progress(own.id), queue.counts(own.id)
    return SubscriptionRow(
        found.kind,
        own.id,
        found.name,
        own.owner,
        own.stage,
        territory_of(own.territory),
        own.types,
        progress[0].position if progress else own.lanes[0].after,
        known.engine.store.head().position,
        lag,
        counts,
        own.parked,
        tuple(sorted(_troubles(found, lag, counts), key=list(Trouble).index)),
        role_over(known.engine, actor, own) is not None,
    )


def _troubles(found: Found, lag: Lag, counts: Counts) -> Iterator[Trouble]:
    known, own = found.known, found.own
    match known:
        case Webhooks():
            yield from _of_webhook(known, own)
        case Groups():
            working = known.engine.store.leases.held(own.id, known.now())
            if own.is_active and not working and lag.seconds > PATIENCE_SECONDS:
                yield Trouble.NOBODY_TAKES
    if own.parked:
        yield Trouble.PARKED
    if own.is_active and known.queue.is_tried_again(own.id, known.now()):
        yield Trouble.NOT_TAKEN
    if counts.withheld:
        yield Trouble.WITHHELD
    if own.stage is SubscriptionStage.PAUSED:
        yield Trouble.PAUSED


def _of_webhook(webhooks: Webhooks, own: Subscription) -> Iterator[Trouble]:
    now = webhooks.now()
    if not any(kept.until is None or kept.until > now for kept in webhooks.store.secrets(WebhookId(own.id))):
        yield Trouble.NO_SECRET
    if own.stage is SubscriptionStage.DISABLED:
        yield Trouble.GONE
    elif own.is_active and not webhooks.engine.store.turns.is_held(Work.DELIVERING):
        yield Trouble.NOBODY_DELIVERS
