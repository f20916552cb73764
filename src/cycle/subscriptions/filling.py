"""Filling a queue: what follows in the log behind each stretch of a subscription waits, as far as there is room.

The cursor of a stretch moves in the transaction that lets the events wait, from where it was read: however many do
this at once, each event is enqueued once, and none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.aggregates.subscription import Subscription
from cycle.store import FeedRow
from cycle.subscriptions.known import Subscriptions
from cycle.subscriptions.shapes import Found, Progress

MOST = 2**63 - 1
"""Behind every position that there may be."""
S = TypeVar("S", bound=Subscription)


class _Leaf(Struct, frozen=True, gc=False):
    id: str
    stream: str


_leaf = msgspec.json.Decoder(_Leaf).decode


def fill(subscriptions: Subscriptions[S], state: S) -> bool:
    """Let what follows in the log wait for one subscription; returns whether there was anything to look at."""
    queue, moved = subscriptions.queue, False
    for progress in queue.follow(state.id, state.version, state.lanes):
        room = subscriptions.room(state.id)
        if room > 0:
            moved |= _read_on(subscriptions, state, progress, room)
    return moved


def _read_on(subscriptions: Subscriptions[S], state: S, progress: Progress, room: int) -> bool:
    lane = progress.lane
    wanted = MOST if lane.up_to is None else lane.up_to
    head, rows = subscriptions.engine.store.feed(progress.position, wanted, room, types=state.types)
    up_to = rows[-1][0] if len(rows) == room else min(head, wanted)
    if up_to > progress.position:
        subscriptions.queue.enqueue(state.id, progress, list(_wanted(subscriptions, state, rows)), up_to)
    return up_to > progress.position


def _wanted(subscriptions: Subscriptions[S], state: S, rows: Sequence[FeedRow]) -> Iterator[Found]:
    for position, log, _, stored in rows:
        if subscriptions.is_for(state, LogName(log)):
            leaf = _leaf(stored)
            yield Found(position, leaf.id, leaf.stream)
