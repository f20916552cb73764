"""Subscription: what a webhook and a consumer group are alike. A stretch of the log, by the rights of an owner.

What comes of it, sending or handing out, is each kind's own; so are its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import astuple, replace

from cycle.aggregates.account import EVERYWHERE, Path
from cycle.aggregates.base import EVENTS, Aggregate, Command, Event, Finding, Happened, Role, demand
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


class Act(NamedTuple):
    """What can be said of a subscription, and the fact that comes of it: whose it is, and what was said."""

    says: type[Command]
    fact: type[Event]


class Acts(NamedTuple):
    """What can be said of one of any kind once it is there."""

    pauses: Act
    resumes: Act
    replays: Act
    stops: Act
    rewinds: Act
    removes: Act
    parks: Act


def declare(aggregate: Aggregate[S, Known], registers: type[Command], acts: Acts) -> None:
    """Have an aggregate decide and evolve by what is alike in every kind."""

    @aggregate.asks
    def is_there(state: S, command: Command, known: Known) -> Iterable[Finding]:
        return () if isinstance(command, registers) else stands(state, known)

    for act, demands, comes in (
        (acts.pauses, demand_active, _paused),
        (acts.resumes, _demand_still, _resumed),
        (acts.replays, _demand_stretch, _replayed),
        (acts.stops, _demand_replay, _replay_stopped),
        (acts.rewinds, _demand_nothing, _rewound),
        (acts.removes, _demand_nothing, _removed),
        (acts.parks, _demand_nothing, _parked),
    ):
        _declare(aggregate, act, demands, comes)


def _declare(
    aggregate: Aggregate[S, Known],
    act: Act,
    demands: Callable[[S, Any], None],
    comes: Callable[[S, Happened[Any]], S],
) -> None:
    """Raises:
    TypeError: the fact does not hold what the command says.
    """
    if act.says.__struct_fields__ != act.fact.__struct_fields__[1:]:
        raise TypeError(f"{act.fact.type} does not hold what {act.says.type} says")

    @aggregate.decides(act.says)
    def decided(state: S, command: Command, known: Known) -> Iterable[Event]:
        demands(state, command)
        yield act.fact(state.id, *astuple(command))

    aggregate.evolves(act.fact)(comes)


def demand_active(state: Subscription, command: Command) -> None:
    """Raises:
    Refused: it stands still already.
    """
    demand(Finding("subscription-not-active", state.is_active))


def _demand_still(state: Subscription, command: Command) -> None:
    demand(Finding("subscription-active", not state.is_active))


def _demand_stretch(state: Subscription, command: Any) -> None:
    after, up_to = command.after, command.up_to
    demand(Finding("subscription-nothing-between", after < up_to, values={"after": after, "up_to": up_to}))


def _demand_replay(state: Subscription, command: Command) -> None:
    demand(Finding("subscription-no-replay", len(state.lanes) > 1))


def _demand_nothing(state: Subscription, command: Command) -> None:
    """It may be said whenever it is there."""


def _paused(state: S, happened: Happened[Any]) -> S:
    return replace(state, stage=SubscriptionStage.PAUSED)


def _resumed(state: S, happened: Happened[Any]) -> S:
    return replace(state, stage=SubscriptionStage.ACTIVE)


def _rewound(state: S, happened: Happened[Any]) -> S:
    """It goes on there, and leaves behind whatever waited and was set aside."""
    return replace(state, lanes=(Lane(happened.version, happened.data.after),), parked={})


def _replayed(state: S, happened: Happened[Any]) -> S:
    """A stretch more, beside what is new; what was set aside in it is no longer."""
    after, up_to = happened.data.after, happened.data.up_to
    parked = {stream: at for stream, at in state.parked.items() if not after < at <= up_to}
    return replace(state, lanes=(*state.lanes, Lane(happened.version, after, up_to)), parked=parked)


def _replay_stopped(state: S, happened: Happened[Any]) -> S:
    return replace(state, lanes=state.lanes[:1])


def _parked(state: S, happened: Happened[Any]) -> S:
    """What follows in the stream waits as well."""
    return replace(state, parked={**state.parked, happened.data.of: happened.data.position})


def _removed(state: S, happened: Happened[Any]) -> S:
    return replace(state, stage=SubscriptionStage.REMOVED, lanes=(), parked={})
