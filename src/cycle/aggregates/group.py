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
    Act,
    Acts,
    Lane,
    Position,
    Subscription,
    declare,
    types_in_order,
)
from cycle.aggregates.terms import Code, Count, GroupId, Name, Reference, SubscriptionId, Territory, Text

if TYPE_CHECKING:
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


acts = Acts(
    pauses=Act(PauseConsumerGroup, ConsumerGroupPaused),
    resumes=Act(ResumeConsumerGroup, ConsumerGroupResumed),
    replays=Act(ReplayConsumerGroup, ConsumerGroupReplayed),
    stops=Act(StopConsumerGroupReplay, ConsumerGroupReplayStopped),
    rewinds=Act(RewindConsumerGroup, ConsumerGroupRewound),
    removes=Act(RemoveConsumerGroup, ConsumerGroupRemoved),
    parks=Act(ParkConsumerGroupEvent, ConsumerGroupEventParked),
)
declare(group, RegisterConsumerGroup, acts)
