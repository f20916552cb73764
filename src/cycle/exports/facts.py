"""The facts that are handed on: in the order of the log, as they are believed inside the cut-offs, as they arrive.

However long the log is, no more than a page of it is in memory, with all corrections, and (where a day held is asked
for) one stream at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from cycle.aggregates.base import Event, Recorded, StreamId
from cycle.aggregates.commune import CommuneRegistered, commune
from cycle.aggregates.corrections import Change, FactCorrected, applied
from cycle.aggregates.deliberation import deliberation
from cycle.aggregates.framework.root import framework
from cycle.aggregates.organisation import organisation
from cycle.exports.still import Still
from cycle.history import Cutoffs, Fact
from cycle.lookup import BAMAKO

EXPORTED = (commune, organisation, deliberation, framework)
"""The aggregates whose facts are handed on: accounts, grants, persons and requests are people's own."""
_KINDS = frozenset(aggregate.name for aggregate in EXPORTED)
TYPES = frozenset(event.type for aggregate in EXPORTED for event in aggregate.events)
PAGE = 5_000
TOLD_EVERY = 1_000
NOON = time(12)


Moved = Callable[[int, int], None]
"""Told how far it is, and of how much."""


class Told(NamedTuple):
    """A fact as it is believed, and whether a correction has changed it."""

    position: int
    recorded: Recorded[Event]
    corrected: bool


class _Kind(Struct):
    type: str
    schema: int
    stream: str


_kind = msgspec.json.Decoder(_Kind).decode


class Facts:
    """The facts of a moment.

    Raises:
        Forbidden: the account may carry nothing away.
    """

    def __init__(self, at: Still, moved: Moved = lambda done, of: None) -> None:
        self._moved = moved
        self._store, self._leaves = at.engine.store, at.engine.leaves
        self._cutoffs, self.position, self._logs = at.cutoffs, at.position, at.logs
        self._changes: dict[tuple[str, int], list[Change]] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._look_ahead()
        self._held: Mapping[str, frozenset[int]] | None = self._held_on_the_day() if at.cutoffs.as_of else None

    def each(self) -> Iterator[Told]:
        """All of them, in the order of the log."""
        for number, (position, recorded) in enumerate(self._stretch()):
            if number % TOLD_EVERY == 0:
                self._moved(position, self.position)
            if self._is_in(recorded):
                yield self._believed(position, recorded)

    def of(self, stream: StreamId) -> Iterator[Told]:
        """Those of one stream in the order of its versions, which stand for positions here."""
        for recorded in self._stream(stream):
            if self._is_in(recorded):
                yield self._believed(recorded.version, recorded)

    def noon(self, log: str, day: date) -> datetime:
        """The middle of a day in a commune, in UTC."""
        return datetime.combine(day, NOON, self._zones.get(log) or ZoneInfo(BAMAKO)).astimezone(UTC)

    def _believed(self, position: int, recorded: Recorded[Event]) -> Told:
        changes = self._changes.get((recorded.stream, recorded.version))
        return Told(position, applied(recorded, changes) if changes else recorded, bool(changes))

    def _is_in(self, recorded: Recorded[Event]) -> bool:
        known_at = self._cutoffs.known_at
        if known_at is not None and recorded.recorded_at > known_at:
            return False
        return self._held is None or recorded.version in self._held.get(recorded.stream, ())

    def _look_ahead(self) -> None:
        """What has to be known before the first fact is told: how facts are set right, and where days begin."""
        for _, recorded in self._stretch(frozenset({FactCorrected.type, CommuneRegistered.type})):
            match recorded.data:
                case CommuneRegistered(zone=zone) if zone:
                    self._zones[recorded.log] = ZoneInfo(zone)
                case FactCorrected(fact_version=version, changes=changes) if self._known(recorded):
                    self._changes.setdefault((recorded.stream, version), []).extend(changes)

    def _known(self, recorded: Recorded[Event]) -> bool:
        known_at = self._cutoffs.known_at
        return known_at is None or recorded.recorded_at <= known_at

    def _held_on_the_day(self) -> dict[str, frozenset[int]]:
        """The versions of each stream that are held on the day: a matter of what stands in the stream before."""
        cutoffs = Cutoffs(self._cutoffs.as_of, self._cutoffs.known_at)
        streams = dict.fromkeys(recorded.stream for _, recorded in self._stretch())
        return {
            stream: frozenset(fact.position for fact in cutoffs.cut(self._facts(stream), corrected=False))
            for stream in streams
        }

    def _facts(self, stream: StreamId) -> Iterator[Fact]:
        return (Fact(recorded.version, recorded) for recorded in self._stream(stream))

    def _stream(self, stream: StreamId) -> Iterator[Recorded[Event]]:
        version = self._store.version_at(stream, self.position)
        leaves = self._leaves
        return (leaves[topic, schema](leaf) for topic, schema, leaf in self._store.leaves(stream, lte=version))

    def _stretch(self, types: frozenset[str] = TYPES) -> Iterator[tuple[int, Recorded[Event]]]:
        """What the store holds of these types in the logs, from the beginning up to the position."""
        after, leaves = 0, self._leaves
        only = () if types is TYPES else tuple(sorted(types))
        while after < self.position:
            _, rows = self._store.feed(after, self.position, PAGE, logs=self._logs, types=only)
            for position, _, _, leaf in rows:
                kind = _kind(leaf)
                if kind.type in types and kind.stream.partition("-")[0] in _KINDS:
                    yield position, leaves[kind.type, kind.schema](leaf)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]
