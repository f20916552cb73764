"""The kinds of subscriptions, and what is said of each: one line for a kind, and every list of all of them has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from cycle.aggregates.base import Command
from cycle.aggregates.group import ConsumerGroup, RegisterConsumerGroup
from cycle.aggregates.subscription import Acts, Subscription
from cycle.aggregates.webhook import RegisterWebhook, RotateWebhookSecret, Webhook
from cycle.engine import Engine
from cycle.groups.known import Groups
from cycle.subscriptions.known import NoSubscription, Subscriptions
from cycle.webhooks.endpoints import Webhooks


class Kind(StrEnum):
    WEBHOOK = "webhook"
    GROUP = "consumer-group"


class Sayings(NamedTuple):
    """The commands about a subscription of one kind; ``rotates``: where it has a secret."""

    registers: type[Command]
    acts: Acts
    rotates: type[Command] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Those that its people say of one that is there."""
        said = (each.says for each in self.acts if each is not self.acts.parks)
        return frozenset(each.type for each in (*said, self.rotates) if each)

    def about(self, own: Subscription) -> Iterator[type[Command]]:
        """What can be said of one as it is, in the order in which somebody asks for it."""
        acts = self.acts
        yield (acts.pauses if own.is_active else acts.resumes).says
        yield acts.replays.says
        if len(own.lanes) > 1:
            yield acts.stops.says
        yield acts.rewinds.says
        if self.rotates:
            yield self.rotates
        yield acts.removes.says


SAYINGS: Mapping[Kind, Sayings] = {
    Kind.WEBHOOK: Sayings(RegisterWebhook, Webhooks.acts, RotateWebhookSecret),
    Kind.GROUP: Sayings(RegisterConsumerGroup, Groups.acts),
}
KNOWN: Mapping[Kind, Callable[[Engine], Subscriptions[Any]]] = {Kind.WEBHOOK: Webhooks, Kind.GROUP: Groups}
LISTS: Mapping[Kind, str] = {Kind.WEBHOOK: Webhooks.lists, Kind.GROUP: Groups.lists}
"""The actions of ``cycle.access`` that listing them is."""


class Found(NamedTuple):
    """A subscription among those of its kind."""

    kind: Kind
    known: Subscriptions[Any]
    own: Subscription

    @property
    def name(self) -> str:
        """How people call it."""
        match self.own:
            case Webhook(url=url):
                return url
            case ConsumerGroup(name=name):
                return name
        return self.own.id


def seen_by(engine: Engine, actor: str) -> Iterator[Found]:
    """Every subscription that an account sees.

    Raises:
        Forbidden: it holds no role that sees any.
    """
    for kind, made in KNOWN.items():
        known = made(engine)
        for own in known.seen_by(actor):
            yield Found(kind, known, own)


def find(engine: Engine, actor: str, identity: str) -> Found:
    """The subscription of this id.

    Raises:
        NoSubscription: the account sees none.
        Forbidden: it sees none at all.
    """
    found = next((each for each in seen_by(engine, actor) if each.own.id == identity), None)
    if found is None:
        raise NoSubscription("unknown", id=identity)
    return found
