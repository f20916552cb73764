"""A dry count: what a rewind or a replay would send, by the same questions that delivering asks, before it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.aggregates.subscription import Lane, Subscription
from cycle.store import FeedRow
from cycle.subscriptions.known import Subscriptions

MOST = 20_000
"""So many events of its types are looked at in one stretch; of more it is said that there are more."""
EVERYTHING = 2**53 - 1
S = TypeVar("S", bound=Subscription)


class Share(Struct, frozen=True):
    """How many of the events are of a type, or of the log of a commune (or of the platform's)."""

    name: str
    events: int


class DryCount(Struct, frozen=True):
    """What would be sent of what stands behind ``after`` up to ``to``.

    ``again``: was taken before, as far as that is remembered; ``first``: was not. ``skipped`` waits now or was still
    to come, and would not be sent. ``withheld``: the owner may not read it now. ``more``: there is more behind ``to``,
    or among what is skipped, than was counted.
    """

    after: int
    to: int
    head: int
    again: int
    first: int
    skipped: int
    withheld: int
    types: tuple[Share, ...]
    communes: tuple[Share, ...]
    more: bool

    @property
    def events(self) -> int:
        return self.again + self.first


class _Leaf(Struct, frozen=True, gc=False):
    type: str


_leaf = msgspec.json.Decoder(_Leaf).decode


class Counting(Generic[S]):
    """Counts for one subscription, as it and its owner's rights are now."""

    def __init__(self, known: Subscriptions[S], state: S, most: int = MOST) -> None:
        known.engine.door.refresh()
        self._known, self._state, self._most = known, state, most
        self._for: dict[str, bool] = {}
        self._read: dict[str, bool] = {}

    def replay(self, after: int, up_to: int) -> DryCount:
        """What a replay of this stretch would send."""
        return self._sent(after, up_to)

    def rewind(self, after: int) -> DryCount:
        """What would be sent if it went on behind this position, and what would not be sent any more."""
        found = self._sent(after, EVERYTHING)
        skipped, whole = self._skipped(after)
        return msgspec.structs.replace(found, skipped=skipped, more=found.more or not whole)

    def _sent(self, after: int, up_to: int) -> DryCount:
        head, to, rows = self._stretch(after, up_to)
        taken = self._known.queue.taken(self._state.id, after, to)
        sent = [row for row in rows if self._owner_reads(row[1])]
        again = sum(1 for position, *_ in sent if position in taken)
        types = Counter(_leaf(leaf).type for *_, leaf in sent)
        communes = Counter(log for _, log, *_ in sent)
        return DryCount(
            after, to, head, again, len(sent) - again, 0, len(rows) - len(sent),
            _shares(types), _shares(communes), to < min(head, up_to),
        )  # fmt: skip

    def _skipped(self, after: int) -> tuple[int, bool]:
        """How many events would not be sent any more, and whether that is all of them."""
        pending = self._known.queue.pending(self._state.id, after, self._most)
        found, whole = set(pending), len(pending) < self._most
        for lane, position in self._read_up_to():
            end = after if lane.up_to is None else min(after, lane.up_to)
            head, to, rows = self._stretch(position, end)
            found |= {row[0] for row in rows if self._owner_reads(row[1])}
            whole = whole and to >= min(end, head)
        return len(found), whole

    def _read_up_to(self) -> Iterator[tuple[Lane, int]]:
        """How far each stretch that it follows was read; where nothing is known, from where it begins."""
        known = {each.lane.version: each.position for each in self._known.queue.progress(self._state.id)}
        for lane in self._state.lanes:
            yield lane, known.get(lane.version, lane.after)

    def _stretch(self, after: int, up_to: int) -> tuple[int, int, list[FeedRow]]:
        """The head, how far was looked, and what the subscription is for."""
        head, rows = self._known.engine.store.feed(after, up_to, self._most, types=self._state.types)
        to = rows[-1][0] if len(rows) == self._most else max(after, min(head, up_to))
        return head, to, [row for row in rows if self._is_for(row[1])]

    def _is_for(self, log: str) -> bool:
        if log not in self._for:
            self._for[log] = self._known.is_for(self._state, LogName(log))
        return self._for[log]

    def _owner_reads(self, log: str) -> bool:
        if log not in self._read:
            self._read[log] = self._known.owner_reads(self._state, LogName(log))
        return self._read[log]


def dry_count(known: Subscriptions[S], state: S, after: int, up_to: int | None = None) -> DryCount:
    """What a replay up to a position would send; or a rewind, where none is named."""
    counting = Counting(known, state)
    return counting.rewind(after) if up_to is None else counting.replay(after, up_to)


def _shares(counted: Counter[str]) -> tuple[Share, ...]:
    return tuple(Share(name, events) for name, events in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
