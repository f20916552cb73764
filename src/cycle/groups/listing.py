"""Consumer groups as they are shown, at every door alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.group import ConsumerGroup
from cycle.aggregates.subscription import SubscriptionStage
from cycle.groups.known import Groups
from cycle.subscriptions.lag import Lag, lag_of
from cycle.subscriptions.listing import moment
from cycle.subscriptions.shapes import Counts


class MemberLease(Struct, frozen=True):
    """A worker, and the lease by which he holds so many events until then."""

    member: str
    lease: int
    until: datetime
    events: int


class GroupRow(Struct, frozen=True):
    """A consumer group. It has read the log up to ``position``; ``parked`` are streams that wait, and where.

    Of what is ``waiting`` so many are ``leased``.
    """

    group: str
    name: str
    owner: str
    stage: SubscriptionStage
    territory: str
    types: tuple[str, ...]
    position: int
    head: int
    lag: Lag
    leased: int
    parked: Mapping[str, int]
    deliveries: Counts
    members: tuple[MemberLease, ...]


def group_row(groups: Groups, each: ConsumerGroup) -> GroupRow:
    progress = groups.queue.progress(each.id)
    held = groups.engine.store.leases.held(each.id, groups.now())
    members = tuple(MemberLease(lease.member, lease.number, moment(lease.until), events) for lease, events in held)
    return GroupRow(
        each.id,
        each.name,
        each.owner,
        each.stage,
        territory_of(each.territory),
        each.types,
        progress[0].position if progress else each.lanes[0].after,
        groups.engine.store.head().position,
        lag_of(groups, each),
        sum(member.events for member in members),
        each.parked,
        groups.queue.counts(each.id),
        members,
    )
