"""How far behind a subscription is: one meaning for every kind, at every door and for who watches."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from cycle.aggregates.account import EVERYWHERE
from cycle.aggregates.base import LogName
from cycle.aggregates.subscription import Lane, Subscription
from cycle.subscriptions.filling import MOST
from cycle.subscriptions.known import Subscriptions

COUNTED = 10_000
"""So many events are counted at most."""
S = TypeVar("S", bound=Subscription)


class Lag(Struct, frozen=True):
    """Events that are wanted and not settled, and how long the oldest of them has been recorded.

    ``at_least``: there may be more than were counted. What is parked is settled, and what waits behind it is not.
    """

    events: int
    seconds: float
    at_least: bool = False


class _Leaf(Struct, frozen=True, gc=False):
    recorded_at: datetime


_leaf = msgspec.json.Decoder(_Leaf).decode


def lag_of(subscriptions: Subscriptions[S], state: S) -> Lag:
    """How far behind one is now."""
    queue, store = subscriptions.queue, subscriptions.engine.store
    came = {each.lane.version: each.position for each in queue.progress(state.id)}
    count, oldest = 0, None
    if state.lanes and state.lanes[0].version in came:
        # Where it does not stand in the queue yet, what waits there waits no longer.
        count, oldest = queue.unsettled(state.id, COUNTED)
    logs = _logs(subscriptions, state)
    for lane in state.lanes:
        position = came.get(lane.version, lane.after)
        found, first = _unread(subscriptions, state, lane, position, logs)
        count += found
        oldest = first if oldest is None or (first is not None and first < oldest) else oldest
    if oldest is None:
        return Lag(0, 0.0)
    [(*_, leaf)] = store.events_at([oldest])
    age = subscriptions.now() - _leaf(leaf).recorded_at.timestamp()
    return Lag(min(count, COUNTED), max(age, 0.0), count >= COUNTED)


def _unread(
    subscriptions: Subscriptions[S], state: S, lane: Lane, position: int, logs: Collection[str] | None
) -> tuple[int, int | None]:
    """How many events of a stretch wait in the log behind a position, and the first of them."""
    store, end = subscriptions.engine.store, MOST if lane.up_to is None else lane.up_to
    _, first = store.feed(position, end, 1, logs=logs, types=state.types)
    if not first:
        return 0, None
    return store.count(position, end, COUNTED, logs=logs, types=state.types), first[0][0]


def _logs(subscriptions: Subscriptions[S], state: S) -> Collection[str] | None:
    """The logs that one is for; None: all of them."""
    if state.territory == EVERYWHERE:
        return None
    logs = subscriptions.engine.store.log_sizes()
    return [log for log in logs if subscriptions.is_for(state, LogName(log))]
