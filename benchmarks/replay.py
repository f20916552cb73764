"""Replay of one framework: against the library's default aggregate, and against bare read and decode.

Prints, for each database: bare SELECT + typed decode, this engine, and the library's default
aggregate, mapper and JSON transcoder on the same facts. Each round measures all three in turn; the
figures are medians of rounds, the ratios medians of the ratios within a round.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import JSONTranscoder, Transcoding
from sqlalchemy import create_engine

from benchmarks.histories import history
from benchmarks.measure import databases, line, ratio, rounds
from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.aggregates.framework.root import framework
from cycle.codec import new_leaf
from cycle.engine import Engine, stream_of
from cycle.store import Append

FRAMEWORK = "01990000-0000-7000-8000-000000000001"
COMMUNE = "ML-4-01-01"


class DateAsISO(Transcoding):
    """The library has no transcoding for dates: this is the one that its documentation shows how to write."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class DefaultApplication(Application[UUID]):
    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())


class DefaultFramework(Aggregate):
    """The same facts in the library's default style: mutable aggregate, event class, JSON transcoder.

    Dates, moments and decimals are decoded to what they are, as they are here.
    """

    class Happened(Aggregate.Event):
        by: dict[str, str]
        causation: str
        command: str
        correlation: str
        data: dict[str, Any]
        fact: str
        log: str
        occurred_on: date
        recorded: datetime

        def apply(self, aggregate: Any) -> None:
            for field, value in self.data.items():
                aggregate.seen.setdefault(self.fact, {})[field] = value

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}


def store_default(app: Application[UUID], facts: list[Recorded[Event]]) -> UUID:
    """The same facts through the library's own application."""
    aggregate = DefaultFramework()
    for fact in facts:
        aggregate.trigger_event(
            DefaultFramework.Happened,
            by=msgspec.to_builtins(fact.by),
            causation=fact.causation,
            command=fact.command,
            correlation=fact.correlation,
            data=msgspec.to_builtins(fact.data, builtin_types=(date, Decimal)),
            fact=fact.type,
            log=fact.log,
            occurred_on=fact.occurred_on,
            recorded=fact.recorded_at,
        )
    pending = aggregate.collect_events()
    for begin in range(0, len(pending), 500):  # one save of 2,000 and more hangs on PostgreSQL
        app.events.put(pending[begin : begin + 500])
    return aggregate.id


def bare(url: str, stream: str) -> Callable[[], None]:
    """SELECT through the DBAPI and a typed decode of every leaf, nothing else."""
    connection = create_engine(url).raw_connection()
    mark = "?" if url.startswith("sqlite") else "%s"
    decoders = {name: msgspec.json.Decoder(Recorded[event]).decode for name, event in EVENTS.items()}  # type: ignore[valid-type]
    select = f"SELECT type, leaf FROM events WHERE stream = {mark} ORDER BY version"

    def run() -> None:
        cursor = connection.cursor()
        cursor.execute(select, (stream,))
        for kind, leaf in cursor:
            decoders[kind](leaf)
        cursor.close()
        connection.rollback()

    return run


def compare(kind: str, url: str, library: dict[str, str], events: int, count: int) -> None:
    facts = history(FRAMEWORK, COMMUNE, events)
    stream = stream_of(framework, FRAMEWORK)
    with Engine(url) as engine, DefaultApplication(library) as app:
        engine.store.append(Append(tuple(new_leaf(f) for f in facts), "benchmark", b"benchmark"))
        default = store_default(app, facts)
        runs: dict[str, Callable[[], object]] = {
            "bare": bare(url, stream),
            "cycle": lambda: engine.states.load(framework, stream, fresh=True),
            "library": lambda: app.repository.get(default),
        }
        times = rounds(runs, count)
    rate = events / median(each["cycle"] for each in times)
    line(kind, f"replay of {events:,} events: events/s", rate, "")
    line(kind, "replay / bare SELECT + typed decode", ratio(times, "cycle", "bare"), "at most 2")
    line(kind, "library's default aggregate and JSON / replay", ratio(times, "library", "cycle"), "at least 8")


def main(events: int = 10_000, count: int = 9) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, database.library, events, count)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
