"""What a question about a past moment reads: no more of the log than can change its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.framework.root import framework
from cycle.commands import AGGREGATES
from cycle.history import Cutoffs, Fact, believed
from cycle.projections.base import Projection, Row
from cycle.projections.folding import folded
from cycle.projections.source import Leaves
from cycle.store import LogRecorder, StreamRow

STREAMS_AT_ONCE = 16
"""Streams that are read in one question."""


def types_for(projection: Projection[Any], cutoffs: Cutoffs) -> tuple[str, ...]:
    """The types of facts that the rows of a projection rest on inside some cut-offs; none named: all.

    From which day a fact is held depends on whatever was recorded before it in its stream, so that of a day held
    whole streams are wanted.
    """
    wanted = {event.type for event in projection.steps}
    if cutoffs.as_of is not None:
        of_streams = ({event.type for event in aggregate.events} for aggregate in AGGREGATES)
        wanted = {name for names in of_streams if names & wanted for name in names}
    wanted.add(FactCorrected.type)
    return () if wanted >= EVENTS.keys() else tuple(sorted(wanted))


def of_frameworks(projection: Projection[Any]) -> bool:
    """Whether the stream of a framework leads to all of its rows."""
    return projection.framed and projection.steps.keys() <= set(framework.events)


class Frameworks:
    """Frameworks as they were inside some cut-offs: the rows of some projections, one framework after the other.

    Args:
        projections: ``of_frameworks``.
    """

    def __init__(
        self, log: LogRecorder, leaves: Leaves, projections: Sequence[Projection[Any]], cutoffs: Cutoffs
    ) -> None:
        self._log, self._leaves, self._projections, self._cutoffs = log, leaves, projections, cutoffs
        self._wanted = {event.type for each in projections for event in each.steps}
        self._decoded = self._wanted | {FactCorrected.type}

    def rows(self, identities: Iterable[str]) -> Iterator[Sequence[Sequence[tuple[str, Row]]]]:
        """Of each framework, in this order: of each projection its rows, in the order of their keys."""
        left = iter(identities)
        types = () if self._cutoffs.as_of else sorted(self._decoded)
        while some := list(islice(left, STREAMS_AT_ONCE)):
            found: dict[str, list[StreamRow]] = {f"{framework.name}-{each}": [] for each in some}
            for row in self._log.read_streams([*found], up_to=self._cutoffs.at, types=types):
                found[row[0]].append(row)
            for stream in found.values():
                facts = self._facts(stream)
                yield [sorted(folded(each, facts).items()) for each in self._projections]

    def _facts(self, stream: Sequence[StreamRow]) -> Sequence[Fact]:
        """The believed facts of a stream inside the cut-offs: at least those that are wanted."""
        held = self._held(stream, self._cutoffs.as_of) if self._cutoffs.as_of else None
        if held is None:
            return self._cutoffs.cut(Fact(row[2], self._recorded(row)) for row in stream)
        return held

    def _held(self, stream: Sequence[StreamRow], as_of: date) -> Sequence[Fact] | None:
        """Those that are held on a day, where the days alone tell it; None: they do not.

        What a fact stands on was recorded before it. So it is held no earlier than on its own day, and no later than
        on the latest day up to it.
        """
        known_at = self._cutoffs.known_at
        told = zip((row[2] for row in stream), self._told(stream), strict=True)
        known = [(at, said) for at, said in told if known_at is None or said.recorded_at <= known_at]
        right = iter(believed([said for _, said in known if isinstance(said, Recorded)]))
        latest, held = date.min, list[Fact]()
        for at, said in known:
            now = next(right) if isinstance(said, Recorded) else said
            if isinstance(now, Recorded) and now.type in self._wanted and now.occurred_on <= as_of:
                if latest > as_of:
                    return None
                held.append(Fact(at, now))
            latest = max(latest, now.occurred_on)
        return held

    def _told(self, stream: Sequence[StreamRow]) -> Iterator[Recorded[Event] | _Day]:
        """What is wanted, the corrections and what they correct; of all else the days."""
        corrections = (self._recorded(row).data for row in stream if row[3] == FactCorrected.type)
        corrected = {each.fact_version for each in corrections if isinstance(each, FactCorrected)}
        for row in stream:
            whole = row[3] in self._decoded or row[1] in corrected
            yield self._recorded(row) if whole else _day(row[5])

    def _recorded(self, row: StreamRow) -> Recorded[Event]:
        return self._leaves[row[3], row[4]](row[5])


class _Day(Struct, gc=False):
    """Of a fact, when it happened and when it was recorded."""

    occurred_on: date
    recorded_at: datetime


_day = msgspec.json.Decoder(_Day).decode


class SideBySide:
    """Tables that somebody reads side by side, each by its name, in one pass: each is asked for before any is read.

    Who reads one of them further than another has what lies between in memory.

    Args:
        begin: of so many names, the rows of each, piece by piece.
    """

    def __init__(self, begin: Callable[[Sequence[str]], Iterator[Sequence[Sequence[Row]]]]) -> None:
        self._begin = begin
        self._names: list[str] = []
        self._waiting: list[deque[Row]] = []
        self._pieces: Iterator[Sequence[Sequence[Row]]] | None = None

    def __call__(self, name: str) -> Iterator[Row]:
        if self._pieces is not None:
            return SideBySide(self._begin)(name)
        self._names.append(name)
        self._waiting.append(deque())
        return self._each(self._waiting[-1])

    def _each(self, waiting: deque[Row]) -> Iterator[Row]:
        while waiting or self._more():
            while waiting:
                yield waiting.popleft()

    def _more(self) -> bool:
        if self._pieces is None:
            self._pieces = self._begin(self._names)
        piece = next(self._pieces, None)
        for waiting, rows in zip(self._waiting, piece or (), strict=piece is not None):
            waiting.extend(rows)
        return piece is not None
