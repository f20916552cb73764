"""How far behind a subscription is: one meaning for every kind, at every door and for who watches."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from cycle.aggregates.account import EVERYWHERE
from cycle.aggregates.base import LogName
from cycle.aggregates.subscription import Lane, Subscription
from cycle.subscriptions.filling import MOST
from cycle.subscriptions.known import Subscriptions, Unwanted

COUNTED = 10_000
"""So many events are counted at most."""
LOOKED = 50_000
"""So many positions of the log are looked through at most to find the first, and again to count; the next look goes on
from there. Whoever asks every few seconds about one that is paused, and wants one event in a million, costs no more."""
S = TypeVar("S", bound=Subscription)


class Lag(Struct, frozen=True):
    """Events that are wanted and not settled, and how long the oldest of them has been recorded.

    ``at_least``: there may be more than were counted, or found until now. What is parked is settled, and what waits
    behind it is not.
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
    logs, more = _logs(subscriptions, state), False
    for lane in state.lanes:
        unread = _unread(subscriptions, state, lane, came.get(lane.version, lane.after), logs)
        count += unread.events
        more |= unread.more
        oldest = min((each for each in (oldest, unread.first) if each is not None), default=None)
    if oldest is None:
        return Lag(0, 0.0, more)
    [(*_, leaf)] = store.events_at([oldest])
    age = subscriptions.now() - _leaf(leaf).recorded_at.timestamp()
    return Lag(min(count, COUNTED), max(age, 0.0), more or count >= COUNTED)


class _Unread(NamedTuple):
    """How many events of a stretch wait in the log, the first of them, and whether there may be more."""

    events: int
    first: int | None
    more: bool


def _unread(
    subscriptions: Subscriptions[S], state: S, lane: Lane, position: int, logs: frozenset[str] | None
) -> _Unread:
    store, end = subscriptions.engine.store, MOST if lane.up_to is None else lane.up_to
    begin, unwanted = position, subscriptions.unwanted.get((state.id, lane.version))
    if unwanted is not None and unwanted.logs == logs and unwanted.after <= position:
        begin = max(position, unwanted.up_to)
    head, rows = store.feed(begin, min(end, begin + LOOKED), 1, logs=logs, types=state.types)
    end = min(end, head)
    first = rows[0][0] if rows else None
    clear = min(end, begin + LOOKED) if first is None else first - 1
    subscriptions.unwanted[state.id, lane.version] = Unwanted(logs, position, clear)
    if first is None:
        return _Unread(0, None, clear < end)
    counted = min(end, clear + LOOKED)
    return _Unread(store.count(clear, counted, COUNTED, logs=logs, types=state.types), first, counted < end)


def _logs(subscriptions: Subscriptions[S], state: S) -> frozenset[str] | None:
    """The logs that one is for; None: all of them."""
    if state.territory == EVERYWHERE:
        return None
    logs = subscriptions.engine.store.log_sizes()
    return frozenset(log for log in logs if subscriptions.is_for(state, LogName(log)))
