"""Subscription: what a webhook and a consumer group are alike. A stretch of the log, by the rights of an owner.

What comes of it, sending or handing out, is each kind's own; so are its facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from cycle.aggregates.account import EVERYWHERE, Path
from cycle.aggregates.base import EVENTS, Finding, Role, demand
from cycle.aggregates.terms import SubscriptionId

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

Position = Annotated[int, Meta(ge=0, le=2**53 - 1)]
MANAGES = (Role.INTEGRATOR, Role.ADMINISTRATOR)


class SubscriptionStage(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    """Nobody is there any more: only a webhook finds that out."""
    REMOVED = "removed"


class Lane(Struct, frozen=True, gc=False):
    """A stretch of the log that is wanted: the fact of this version in the subscription's stream asks for it.

    ``up_to`` None: whatever comes.
    """

    version: int
    after: int
    up_to: int | None = None


class Subscription(Struct, frozen=True):
    """The state of a subscription. ``lanes``: first the one that follows the log, then the replays."""

    version: int = 0
    id: SubscriptionId = SubscriptionId("")
    owner: str = ""
    types: tuple[str, ...] = ()
    territory: Path = EVERYWHERE
    stage: SubscriptionStage = SubscriptionStage.ACTIVE
    lanes: tuple[Lane, ...] = ()
    parked: Mapping[str, int] = {}
    """Streams that wait for a replay, and the position of the event that was set aside."""

    @property
    def is_active(self) -> bool:
        return self.stage is SubscriptionStage.ACTIVE

    @property
    def is_removed(self) -> bool:
        return self.stage is SubscriptionStage.REMOVED


S = TypeVar("S", bound=Subscription)


def stands(state: Subscription, known: Known) -> Iterable[Finding]:
    """It is there, and is the sender's own; an administrator has a hand in everybody's."""
    yield Finding("subscription-unknown", bool(state.version))
    yield Finding("subscription-removed", not state.is_removed)
    if state.version and known.by.role is Role.INTEGRATOR:
        own = state.owner == known.by.actor
        yield Finding("subscription-of-another", own, values={"owner": state.owner}, lift=(Role.ADMINISTRATOR,))


def types_in_order(types: Iterable[str]) -> tuple[str, ...]:
    """Raises:
    Refused: no events are called so.
    """
    strange = tuple(sorted(set(types) - EVENTS.keys()))
    demand(Finding("subscription-type-unknown", not strange, values={"types": strange}))
    return tuple(sorted(set(types)))


def demand_active(state: Subscription) -> None:
    """Raises:
    Refused: it stands still already.
    """
    demand(Finding("subscription-not-active", state.is_active))


def demand_still(state: Subscription) -> None:
    """Raises:
    Refused: it does not stand still.
    """
    demand(Finding("subscription-active", not state.is_active))


def demand_stretch(after: int, up_to: int) -> None:
    """Raises:
    Refused: there is no position in it.
    """
    demand(Finding("subscription-nothing-between", after < up_to, values={"after": after, "up_to": up_to}))


def demand_replay(state: Subscription) -> None:
    """Raises:
    Refused: none is under way.
    """
    demand(Finding("subscription-no-replay", len(state.lanes) > 1))


def rewound(state: S, version: int, after: int) -> S:
    """It goes on there, and leaves behind whatever waited and was set aside."""
    return replace(state, lanes=(Lane(version, after),), parked={})


def replayed(state: S, version: int, after: int, up_to: int) -> S:
    """A stretch more, beside what is new; what was set aside in it is no longer."""
    parked = {stream: at for stream, at in state.parked.items() if not after < at <= up_to}
    return replace(state, lanes=(*state.lanes, Lane(version, after, up_to)), parked=parked)


def replay_stopped(state: S) -> S:
    return replace(state, lanes=state.lanes[:1])


def parked(state: S, stream: str, position: int) -> S:
    """What follows in the stream waits as well."""
    return replace(state, parked={**state.parked, stream: position})


def removed(state: S) -> S:
    return replace(state, stage=SubscriptionStage.REMOVED, lanes=(), parked={})
