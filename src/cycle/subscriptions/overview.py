"""Every subscription that an account sees, of whatever kind, in one shape; what needs that account stands first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from cycle.access import SAYING
from cycle.aggregates.account import territory_of
from cycle.aggregates.base import LogName, Role
from cycle.aggregates.subscription import MANAGES, Subscription, SubscriptionStage
from cycle.aggregates.webhook import Webhook
from cycle.engine import Engine
from cycle.subscriptions.known import Subscriptions
from cycle.subscriptions.shapes import Counts
from cycle.turns import Work
from cycle.webhooks.endpoints import Webhooks

MOST_BEHIND = 10_000
"""So many events that are still to come are counted; of more it is said that there are more."""
EVERYTHING = 2**53 - 1
S = TypeVar("S", bound=Subscription)


class Kind(StrEnum):
    WEBHOOK = "webhook"


class Trouble(StrEnum):
    """What is wrong with a subscription, the worst first; its words and what helps are in the catalogue."""

    NO_SECRET = "no-secret"
    """Nothing is kept that could sign, as after a restore."""
    GONE = "gone"
    """The receiver says so."""
    NOBODY_DELIVERS = "nobody-delivers"
    PARKED = "parked"
    NOT_TAKEN = "not-taken"
    """Something was sent, was not taken, and is tried again."""
    WITHHELD = "withheld"
    PAUSED = "paused"


class Lag(Struct, frozen=True):
    """Events that are wanted and not settled, and the age of the oldest; ``more``: than were counted."""

    events: int
    seconds: int
    more: bool


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
    def order(self) -> tuple[int, int, int, str]:
        """First what is wrong and the account can do something about, the worst of it first; then who lags most."""
        worst = min((list(Trouble).index(each) for each in self.troubles), default=len(Trouble))
        needs = 2 if not self.troubles else 0 if self.mine else 1
        return needs, worst, -self.lag.seconds, self.name


def overview(engine: Engine, actor: str) -> list[SubscriptionRow]:
    """All that an account sees, what needs it first.

    Raises:
        Forbidden: it holds no role that sees any.
    """
    return sorted(_rows(engine, actor), key=lambda row: row.order)


def _rows(engine: Engine, actor: str) -> Iterator[SubscriptionRow]:
    webhooks = Webhooks(engine)
    seen = webhooks.seen_by(actor)
    somebody = engine.store.turns.is_held(Work.DELIVERING)
    for each in seen:
        yield webhook_in_overview(webhooks, each, actor, somebody)


def webhook_in_overview(webhooks: Webhooks, each: Webhook, actor: str, somebody: bool) -> SubscriptionRow:
    """A webhook as the overview has it; ``somebody``: whether anybody delivers."""
    counts = webhooks.queue.counts(each.id)
    troubles = [*_of_webhook(webhooks, each, somebody), *_of_queue(webhooks, each, counts)]
    return _row(webhooks, each, Kind.WEBHOOK, each.url, counts, troubles, actor)


def _row(
    known: Subscriptions[Any], each: Subscription, kind: Kind, name: str, counts: Counts, troubles: list[Trouble],
    actor: str,
) -> SubscriptionRow:  # fmt: skip
    progress = known.queue.progress(each.id)
    return SubscriptionRow(
        kind,
        each.id,
        name,
        each.owner,
        each.stage,
        territory_of(each.territory),
        each.types,
        progress[0].position if progress else each.lanes[0].after,
        known.engine.store.head().position,
        lag_of(known, each),
        counts,
        each.parked,
        tuple(troubles),
        role_over(known.engine, actor, each) is not None,
    )


def _of_webhook(webhooks: Webhooks, each: Webhook, somebody: bool) -> Iterator[Trouble]:
    now = webhooks.now()
    if not any(kept.until is None or kept.until > now for kept in webhooks.store.secrets(each.id)):
        yield Trouble.NO_SECRET
    if each.stage is SubscriptionStage.DISABLED:
        yield Trouble.GONE
    elif each.is_active and not somebody:
        yield Trouble.NOBODY_DELIVERS


def _of_queue(known: Subscriptions[Any], each: Subscription, counts: Counts) -> Iterator[Trouble]:
    """What can be wrong with every kind of subscription."""
    if each.parked:
        yield Trouble.PARKED
    if known.queue.is_tried_again(each.id):
        yield Trouble.NOT_TAKEN
    if counts.withheld:
        yield Trouble.WITHHELD
    if each.stage is SubscriptionStage.PAUSED:
        yield Trouble.PAUSED


def role_over(engine: Engine, actor: str, each: Subscription) -> Role | None:
    """The role in which an account changes a subscription today; None: in none."""
    grants = engine.door.now.grants(actor, engine.today())
    held = {grant.role for grant in grants if grant.covers(each.territory)}
    return next(
        (role for role in MANAGES if role in held and (role is not Role.INTEGRATOR or each.owner == actor)), None
    )


def role_demanded(engine: Engine, actor: str, command: str, each: Subscription | None = None) -> Role:
    """The role in which an account says a command about a subscription; about none yet: anywhere.

    Raises:
        Forbidden: in none, with whom to call.
    """
    door = engine.door
    held = role_over(engine, actor, each) if each else None
    role = held or door.let(door.now, actor, SAYING[command], each.territory if each else None)
    return role or MANAGES[0]


class _Leaf(Struct, frozen=True, gc=False):
    recorded_at: datetime


_leaf = msgspec.json.Decoder(_Leaf).decode


def lag_of(known: Subscriptions[S], each: S) -> Lag:
    """How far a subscription is behind: what waits, and what follows in the log behind where it is."""
    feed, progress = known.engine.store.feed, known.queue.progress(each.id)
    position = progress[0].position if progress else each.lanes[0].after
    head, rows = feed(position, EVERYTHING, MOST_BEHIND, types=each.types)
    coming = [at for at, log, *_ in rows if known.is_for(each, LogName(log))]
    waiting = known.queue.pending(each.id, head, MOST_BEHIND)
    oldest = min((*waiting, *coming), default=None)
    if oldest is None:
        return Lag(0, 0, len(rows) == MOST_BEHIND)
    [(*_, leaf)] = feed(oldest - 1, oldest, 1)[1]
    age = known.now() - _leaf(leaf).recorded_at.timestamp()
    more = MOST_BEHIND in (len(rows), len(waiting))
    return Lag(len(waiting) + len(coming), max(0, int(age)), more)
