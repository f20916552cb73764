"""Replay of one framework: against the library's default aggregate, and against bare read and decode.

Prints, for each database: bare SELECT + typed decode, this engine, and the library's default
aggregate, mapper and JSON transcoder on the same facts. Each round measures all three in turn; the
figures are medians of rounds, the ratios medians of the ratios within a round.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from sqlalchemy import create_engine

from benchmarks.histories import history
from benchmarks.measure import databases
from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.aggregates.framework.root import framework
from cycle.codec import new_leaf
from cycle.engine import Engine, stream_of
from cycle.store import Append

FRAMEWORK = "01990000-0000-7000-8000-000000000001"
COMMUNE = "ML-4-01-01"


class DefaultFramework(Aggregate):
    """The same facts in the library's default style: mutable aggregate, event classes, JSON transcoder."""

    class Happened(Aggregate.Event):
        by: dict[str, str]
        causation: str
        command: str
        correlation: str
        data: dict[str, Any]
        fact: str
        log: str
        occurred_on: str
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
            data=msgspec.to_builtins(fact.data),
            fact=fact.type,
            log=fact.log,
            occurred_on=fact.occurred_on.isoformat(),
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


def seconds(run: Callable[[], object]) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin


def compare(kind: str, url: str, library: dict[str, str], events: int, rounds: int) -> None:
    facts = history(FRAMEWORK, COMMUNE, events)
    stream = stream_of(framework, FRAMEWORK)
    with Engine(url) as engine, Application[UUID](library) as app:
        engine.store.append(Append(tuple(new_leaf(f) for f in facts), "benchmark", b"benchmark"))
        default = store_default(app, facts)
        runs: dict[str, Callable[[], object]] = {
            "bare": bare(url, stream),
            "cycle": lambda: engine._load(framework, stream, fresh=True),
            "library": lambda: app.repository.get(default),
        }
        for run in runs.values():
            run()
        times = [{name: seconds(run) for name, run in runs.items()} for _ in range(rounds)]
    bare_ratio = median(t["cycle"] / t["bare"] for t in times)
    library_ratio = median(t["library"] / t["cycle"] for t in times)
    rate = events / median(t["cycle"] for t in times)
    print(f"{kind:10} replay of {events:,} events: {rate:>9,.0f} events/s")
    print(f"{kind:10}   cycle / bare SELECT + decode    {bare_ratio:6.2f}   (limit: at most 2)")
    print(f"{kind:10}   library's default / cycle       {library_ratio:6.2f}   (limit: at least 8)")


def main(events: int = 10_000, rounds: int = 9) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, database.library, events, rounds)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
