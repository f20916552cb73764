"""Projections: folding in memory against reading, catching up and rebuilding against bare ``executemany``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count as numbers
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from sqlalchemy import MetaData, create_engine

from benchmarks.histories import history
from benchmarks.measure import databases, line, ratio, rounds
from cycle.aggregates.base import EVENTS, Recorded
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Projection
from cycle.projections.runner import BATCH, Runner
from cycle.projections.source import Source
from cycle.projections.tables import Kept
from cycle.store import Append

LIMIT = "at most 2.5"
THREE = ("frameworks", "obstacles", "commitments")


def bare_read(url: str) -> Callable[[], None]:
    """SELECT of the whole log through the DBAPI and a typed decode of every leaf."""
    connection = create_engine(url).raw_connection()
    decoders = {name: msgspec.json.Decoder(Recorded[event]).decode for name, event in EVENTS.items()}  # type: ignore[valid-type]

    def run() -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT position, type, schema, leaf FROM events ORDER BY position")
        for _, kind, _, leaf in cursor:
            decoders[kind](leaf)
        cursor.close()
        connection.rollback()

    return run


def three_in_memory(engine: Engine) -> Callable[[], None]:
    """Read the log, decode it, and fold three projections."""
    source, head = Source(engine.store, engine.leaves), engine.store.head().position

    def run() -> None:
        source.advance([Kept(PROJECTIONS[name], name, engine.store, whole=True) for name in THREE], 0, head)

    return run


def bare_writes(engine: Engine, projection: Projection[Any]) -> Callable[[], None]:
    """``executemany`` of the rows that the projection writes, batch by batch, into a table of its own."""
    name = f"bare_{projection.name}"
    database, dialect = engine.store.database, engine.store.database.dialect.name
    source, kept, batches = Source(engine.store, engine.leaves), Kept(projection, name, engine.store, whole=True), []
    for begin in range(0, engine.store.head().position, BATCH):
        source.advance([kept], begin, begin + BATCH)
        batches.append([projection.to_columns(key, row) for key, row in kept.changed.items() if row is not None])
        kept.changed.clear()
    names = ["key", *(field.name for field in projection.fields)]
    mark = "?" if dialect == "sqlite" else "%s"
    updates = ", ".join(f"{n} = excluded.{n}" for n in names[1:])
    put = (
        f"INSERT INTO {name} ({', '.join(names)}) VALUES ({', '.join(mark for _ in names)})"
        f" ON CONFLICT (key) DO UPDATE SET {updates}"
    )

    def run() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
            projection.table_named(name, MetaData()).create(connection)
        raw = database.raw_connection()
        cursor = raw.cursor()
        for batch in batches:
            if dialect == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(put, batch)
            raw.commit()
        raw.close()

    return run


def catching_up(engine: Engine, projection: Projection[Any], *, following: bool = False) -> Callable[[], None]:
    """A new projection of a long log catches up; ``following``: as if the log grew by one batch at a time."""
    definitions = numbers(2 if following else 1_000)

    def run() -> None:
        # Another definition begins again with an empty table.
        fresh = Projection(projection.row, definition=next(definitions), appends=projection.appends)
        fresh.steps.update(projection.steps)
        runner, head = Runner(engine.store, engine.leaves, {fresh.name: fresh}), engine.store.head().position
        for goal in range(BATCH, head + 1, BATCH) if following else (head,):
            runner.catch_up(goal)

    return run


def compare(kind: str, url: str, events: int, count: int) -> None:
    frameworks = 25
    with Engine(url) as engine:
        tales = [history(f"f{n}", f"ML-4-01-{n:02}", events // frameworks) for n in range(frameworks)]
        leaves = [new_leaf(fact) for facts in zip(*tales, strict=True) for fact in facts]
        engine.store.append(Append(leaves, "benchmark", b"benchmark"))
        reads = rounds({"bare": bare_read(url), "three": three_in_memory(engine)}, count)
        line(kind, "three projections in memory / bare SELECT + decode", ratio(reads, "three", "bare"), LIMIT)
        for name in ("commitments", "audit_trail"):
            one = PROJECTIONS[name]
            runs = {"bare": bare_writes(engine, one), "catch-up": catching_up(engine, one)}
            line(kind, f"catch-up of {name} / bare executemany", ratio(rounds(runs, count), "catch-up", "bare"), LIMIT)
            runs = {"bare": runs["bare"], "following": catching_up(engine, one, following=True)}
            line(kind, f"following {name} / bare executemany", ratio(rounds(runs, count), "following", "bare"), "")
            runs = {"bare": runs["bare"], "rebuild": Runner(engine.store, engine.leaves, {name: one}).rebuild}
            line(kind, f"rebuild of {name} / bare executemany", ratio(rounds(runs, count), "rebuild", "bare"), LIMIT)
        everything = Runner(engine.store, engine.leaves)
        times = rounds({"all": everything.rebuild}, max(3, count // 2))
        rate = events / median(each["all"] for each in times)
        line(kind, f"rebuild of all {len(PROJECTIONS)} projections: events/s", rate, "at least 40,000 (quiet machine)")


def main(events: int = 50_000, count: int = 5) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, events, count)


if __name__ == "__main__":
    main()
