"""The feed: every event in the order of the log, from any position on, for whoever may read it.

One meaning of a cursor everywhere: the global position. What is left out, by the reader's wish or for want of
rights, is counted and passed over, so that nobody who reads on misses anything without knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from msgspec import Struct, field

from cycle.aggregates.base import LogName, StreamId
from cycle.cloudevents import CloudEvent, Envelopes
from cycle.failures import CONFLICT, Failure
from cycle.projections.places import communes
from cycle.reading import Filters, Reader
from cycle.sealing import SealedTo
from cycle.store import FeedRow

WINDOW = 50_000
"""Positions that one batch looks through at most: whoever wants one event in a million still gets answers at once."""
QUESTION = "events"
"""What it takes to read it, in ``cycle.access``."""
Sealed = Callable[[LogName], SealedTo | None]
"""How far a log is sealed."""


class Reads(Protocol):
    """Reads a stretch of the log, as ``LogRecorder.feed`` does."""

    def __call__(
        self,
        after: int,
        up_to: int,
        limit: int,
        *,
        logs: Collection[str] | None = None,
        types: Collection[str] = (),
        stream: StreamId | None = None,
    ) -> tuple[int, Sequence[FeedRow]]: ...


class AheadOfLog(Failure):
    """Who asks has read further than the log goes: it is not the log that he read."""

    kind = "feed"
    code = "ahead-of-log"
    exit_code = CONFLICT


class Wanted(Struct, frozen=True):
    """Which events. None and nothing: all that the account may read."""

    types: tuple[str, ...] = ()
    stream: StreamId | None = None
    commune: str | None = None
    region: str | None = None


class LogPart(Struct, frozen=True):
    """What a batch holds of one log: the indexes of its first and last event there, and how far it is sealed."""

    log: str
    first: int = field(name="from")
    last: int = field(name="to")
    count: int
    sealed: SealedTo | None


class Marks(Struct, frozen=True):
    """What a stretch of the log was: all positions ``from`` to ``to``, of which ``count`` are shown.

    Ask again ``after`` ``next``. ``head`` is how far the log went. Whoever is shown every event of a log meets its
    indexes without a gap, ``from`` of each batch behind ``to`` of the one before.
    """

    first: int = field(name="from")
    to: int
    count: int
    passed_over: int
    next: int
    head: int
    logs: tuple[LogPart, ...]


class Events(Marks, frozen=True, kw_only=True):
    """A stretch of the log; ``events`` is a CloudEvents batch."""

    events: tuple[CloudEvent, ...]


class Batch(Struct, frozen=True):
    """What was read: everything behind ``after`` up to ``to``, and of it the ``rows`` that are shown."""

    after: int
    to: int
    head: int
    rows: Sequence[FeedRow]

    @property
    def at_head(self) -> bool:
        return self.to >= self.head

    def marks(self, sealed: Sealed) -> Marks:
        """What to tell of it beside the events."""
        return Marks(*self._marks(sealed))

    def told(self, envelopes: Envelopes, sealed: Sealed) -> Events:
        """All of it, as other systems read it."""
        envelope = envelopes.envelope
        events = tuple([envelope(position, leaf) for position, _, _, leaf in self.rows])
        return Events(*self._marks(sealed), events=events)

    def _marks(self, sealed: Sealed) -> tuple[int, int, int, int, int, int, tuple[LogPart, ...]]:
        shown = len(self.rows)
        passed_over = self.to - self.after - shown
        return self.after + 1, self.to, shown, passed_over, self.to, self.head, tuple(parts(self.rows, sealed))


def parts(rows: Iterable[FeedRow], sealed: Sealed) -> Iterable[LogPart]:
    """The logs that some events are of."""
    found: dict[str, list[int]] = {}
    for _, log, index, _ in rows:
        found.setdefault(log, []).append(index)
    for log in sorted(found):
        indexes = found[log]
        yield LogPart(log, indexes[0], indexes[-1], len(indexes), sealed(LogName(log)))


class Feed:
    """Reads the log on from a position, for one account and one wish."""

    def __init__(self, reader: Reader, wanted: Wanted) -> None:
        self._reader, self._wanted = reader, wanted
        self._store = reader.engine.store

    def read(self, after: int, limit: int, reads: Reads | None = None) -> Batch:
        """At most so many events behind a position.

        Args:
            reads: what reads the log for several who ask at once, after the door was refreshed for all of them.

        Raises:
            Forbidden: the account may read it nowhere, or not in the commune that is named.
            AheadOfLog: the log does not go as far.
        """
        if reads is None:
            self._reader.engine.door.refresh()
        wanted, (logs, placed) = self._wanted, self._logs()
        end = after + WINDOW if placed is None else min(placed, after + WINDOW)
        reads = reads or self._store.feed
        head, rows = reads(after, end, limit, logs=logs, types=wanted.types, stream=wanted.stream)
        if after > head:
            raise AheadOfLog("ahead", after=str(after), head=str(head))
        to = rows[-1][0] if len(rows) == limit else max(after, min(end, head))
        return Batch(after, to, head, rows)

    def _logs(self) -> tuple[Collection[str] | None, int | None]:
        """The logs that are wanted and may be read, and up to where it is known that there are no others.

        None, None: all of them, whatever there will be; what is folded from them is not looked at then.
        """
        reader, wanted = self._reader, self._wanted
        if reader.readable(QUESTION, wanted.commune) is None and wanted.commune is None and wanted.region is None:
            return None, None
        reader.catch_up()
        # Asked before the communes are: whatever is registered behind it stands in no list yet.
        placed = reader.runner.positions()[communes.name]
        own = reader.readable(QUESTION, wanted.commune)
        chosen = reader.codes(Filters(wanted.commune, region=wanted.region))
        if own is None or chosen is None:
            return chosen if own is None else own, placed
        return own.intersection(chosen), placed
