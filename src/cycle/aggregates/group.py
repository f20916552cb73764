"""Consumer group: several workers of one system that share a subscription; facts of the ``platform`` log.

Who has which events now is no fact: it lies beside the log (``cycle.groups``), and may be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cycle.aggregates.account import path_of, territory_of
from cycle.aggregates.base import Aggregate, Command, Event, Happened
from cycle.aggregates.subscription import (
    MANAGES,
    Lane,
    Position,
    Subscription,
    SubscriptionStage,
    demand_active,
    demand_replay,
    demand_still,
    demand_stretch,
    parked,
    removed,
    replay_stopped,
    replayed,
    rewound,
    stands,
    types_in_order,
)
from cycle.aggregates.terms import Code, Count, GroupId, Name, Reference, SubscriptionId, Territory, Text

if TYPE_CHECKING:
    from cycle.aggregates.base import Finding
    from cycle.aggregates.known import Known


class ConsumerGroupRegistered(Event):
    """Events behind the position ``after`` are handed out: of some ``types`` (none: of all), in a territory.

    ``owner`` is the account whose rights count, and whose workers take them.
    """

    group: GroupId
    name: Name
    owner: Reference
    types: tuple[Code, ...]
    territory: Territory
    after: Position


class ConsumerGroupPaused(Event):
    group: GroupId
    reason: Text


class ConsumerGroupResumed(Event):
    group: GroupId


class ConsumerGroupRewound(Event):
    """What stands behind the position is handed out, again where it was before; whatever waited waits no longer."""

    group: GroupId
    after: Position


class ConsumerGroupReplayed(Event):
    """What stands behind ``after`` up to ``up_to`` is handed out again, beside what is new."""

    group: GroupId
    after: Position
    up_to: Position


class ConsumerGroupReplayStopped(Event):
    """What a replay has not handed out yet it hands out no more."""

    group: GroupId


class ConsumerGroupEventParked(Event):
    """A worker cannot take an event, or nobody has in so many attempts: it waits for a replay, and its stream too."""

    group: GroupId
    event: str
    of: str
    position: Position
    attempts: Count
    reason: Text


class ConsumerGroupRemoved(Event):
    """For good, with all that waited."""

    group: GroupId
    reason: Text


class ConsumerGroup(Subscription, frozen=True):
    """The state of a consumer group."""

    id: GroupId = GroupId(SubscriptionId(""))
    name: str = ""


group: Aggregate[ConsumerGroup, Known] = Aggregate("group", ConsumerGroup())


class RegisterConsumerGroup(Command):
    """Have events behind a position handed out to workers that share them."""

    name: Name
    after: Position
    types: tuple[Code, ...] = ()
    territory: Territory = "/"
    roles = MANAGES


class PauseConsumerGroup(Command):
    """Hand out nothing for a while; what comes waits."""

    reason: Text
    roles = MANAGES


class ResumeConsumerGroup(Command):
    """Hand out again, from where it stopped."""

    roles = MANAGES


class RewindConsumerGroup(Command):
    """Go on behind a position, back or ahead: whatever waited waits no longer, and no lease holds any more."""

    after: Position
    roles = MANAGES


class ReplayConsumerGroup(Command):
    """Hand out a stretch of the log again, beside what is new; what is parked in it is tried anew."""

    after: Position
    up_to: Position
    roles = MANAGES


class StopConsumerGroupReplay(Command):
    """Stop every replay that is under way."""

    roles = MANAGES


class RemoveConsumerGroup(Command):
    """Remove a consumer group for good."""

    reason: Text
    roles = MANAGES


class ParkConsumerGroupEvent(Command):
    """Set aside an event that is not taken, and what follows in its stream."""

    event: str
    of: str
    position: Position
    attempts: Count
    reason: Text
    roles = MANAGES


@group.asks
def group_stands(state: ConsumerGroup, command: Command, known: Known) -> Iterable[Finding]:
    """It is there, and is the sender's own."""
    return () if isinstance(command, RegisterConsumerGroup) else stands(state, known)


@group.decides(RegisterConsumerGroup)
def register_consumer_group(state: ConsumerGroup, command: RegisterConsumerGroup, known: Known) -> Iterable[Event]:
    yield ConsumerGroupRegistered(
        GroupId(SubscriptionId(known.new_id)),
        command.name,
        known.by.actor,
        types_in_order(command.types),
        territory_of(path_of(command.territory)),
        command.after,
    )


@group.decides(PauseConsumerGroup)
def pause_consumer_group(state: ConsumerGroup, command: PauseConsumerGroup, known: Known) -> Iterable[Event]:
    demand_active(state)
    yield ConsumerGroupPaused(state.id, command.reason)


@group.decides(ResumeConsumerGroup)
def resume_consumer_group(state: ConsumerGroup, command: ResumeConsumerGroup, known: Known) -> Iterable[Event]:
    demand_still(state)
    yield ConsumerGroupResumed(state.id)


@group.decides(RewindConsumerGroup)
def rewind_consumer_group(state: ConsumerGroup, command: RewindConsumerGroup, known: Known) -> Iterable[Event]:
    yield ConsumerGroupRewound(state.id, command.after)


@group.decides(ReplayConsumerGroup)
def replay_consumer_group(state: ConsumerGroup, command: ReplayConsumerGroup, known: Known) -> Iterable[Event]:
    demand_stretch(command.after, command.up_to)
    yield ConsumerGroupReplayed(state.id, command.after, command.up_to)


@group.decides(StopConsumerGroupReplay)
def stop_consumer_group_replay(state: ConsumerGroup, command: StopConsumerGroupReplay, known: Known) -> Iterable[Event]:
    demand_replay(state)
    yield ConsumerGroupReplayStopped(state.id)


@group.decides(RemoveConsumerGroup)
def remove_consumer_group(state: ConsumerGroup, command: RemoveConsumerGroup, known: Known) -> Iterable[Event]:
    yield ConsumerGroupRemoved(state.id, command.reason)


@group.decides(ParkConsumerGroupEvent)
def park_consumer_group_event(state: ConsumerGroup, command: ParkConsumerGroupEvent, known: Known) -> Iterable[Event]:
    yield ConsumerGroupEventParked(
        state.id, command.event, command.of, command.position, command.attempts, command.reason
    )


@group.evolves(ConsumerGroupRegistered)
def consumer_group_registered(state: ConsumerGroup, recorded: Happened[ConsumerGroupRegistered]) -> ConsumerGroup:
    fact = recorded.data
    return replace(
        state,
        id=fact.group,
        name=fact.name,
        owner=fact.owner,
        types=fact.types,
        territory=path_of(fact.territory),
        lanes=(Lane(recorded.version, fact.after),),
    )


@group.evolves(ConsumerGroupPaused)
def consumer_group_paused(state: ConsumerGroup, recorded: Happened[ConsumerGroupPaused]) -> ConsumerGroup:
    return replace(state, stage=SubscriptionStage.PAUSED)


@group.evolves(ConsumerGroupResumed)
def consumer_group_resumed(state: ConsumerGroup, recorded: Happened[ConsumerGroupResumed]) -> ConsumerGroup:
    return replace(state, stage=SubscriptionStage.ACTIVE)


@group.evolves(ConsumerGroupRewound)
def consumer_group_rewound(state: ConsumerGroup, recorded: Happened[ConsumerGroupRewound]) -> ConsumerGroup:
    return rewound(state, recorded.version, recorded.data.after)


@group.evolves(ConsumerGroupReplayed)
def consumer_group_replayed(state: ConsumerGroup, recorded: Happened[ConsumerGroupReplayed]) -> ConsumerGroup:
    return replayed(state, recorded.version, recorded.data.after, recorded.data.up_to)


@group.evolves(ConsumerGroupReplayStopped)
def consumer_group_replay_stopped(
    state: ConsumerGroup, recorded: Happened[ConsumerGroupReplayStopped]
) -> ConsumerGroup:
    return replay_stopped(state)


@group.evolves(ConsumerGroupEventParked)
def consumer_group_event_parked(state: ConsumerGroup, recorded: Happened[ConsumerGroupEventParked]) -> ConsumerGroup:
    return parked(state, recorded.data.of, recorded.data.position)


@group.evolves(ConsumerGroupRemoved)
def consumer_group_removed(state: ConsumerGroup, recorded: Happened[ConsumerGroupRemoved]) -> ConsumerGroup:
    return removed(state)
