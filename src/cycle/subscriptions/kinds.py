"""The kinds of subscriptions, and what is said of each: one line for a kind, and every list of all of them has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from cycle.aggregates.base import Command
from cycle.aggregates.group import (
    ConsumerGroup,
    PauseConsumerGroup,
    RegisterConsumerGroup,
    RemoveConsumerGroup,
    ReplayConsumerGroup,
    ResumeConsumerGroup,
    RewindConsumerGroup,
    StopConsumerGroupReplay,
)
from cycle.aggregates.subscription import Subscription
from cycle.aggregates.webhook import (
    PauseWebhook,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    ResumeWebhook,
    RewindWebhook,
    RotateWebhookSecret,
    StopWebhookReplay,
    Webhook,
)
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
    pauses: type[Command]
    resumes: type[Command]
    replays: type[Command]
    stops: type[Command]
    rewinds: type[Command]
    removes: type[Command]
    rotates: type[Command] | None = None

    @property
    def names(self) -> frozenset[str]:
        """All of them that are about one that is there."""
        return frozenset(each.type for each in self if each and each is not self.registers)

    def about(self, own: Subscription) -> Iterator[type[Command]]:
        """What can be said of one as it is, in the order in which somebody asks for it."""
        yield self.pauses if own.is_active else self.resumes
        yield self.replays
        if len(own.lanes) > 1:
            yield self.stops
        yield self.rewinds
        if self.rotates:
            yield self.rotates
        yield self.removes


SAYINGS: Mapping[Kind, Sayings] = {
    Kind.WEBHOOK: Sayings(
        RegisterWebhook, PauseWebhook, ResumeWebhook, ReplayWebhook, StopWebhookReplay, RewindWebhook, RemoveWebhook,
        RotateWebhookSecret,
    ),
    Kind.GROUP: Sayings(
        RegisterConsumerGroup, PauseConsumerGroup, ResumeConsumerGroup, ReplayConsumerGroup, StopConsumerGroupReplay,
        RewindConsumerGroup, RemoveConsumerGroup,
    ),
}  # fmt: skip
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
