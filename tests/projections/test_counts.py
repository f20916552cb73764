"""Counts that do not wobble: what it costs in transactions to keep the projections up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.histories import history
from sqlalchemy import Connection, Engine, event, text

from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.projections.rows import LEAVES, append

BATCH, BATCHES = 100, 4


@contextmanager
def commits(database: Engine) -> Iterator[list[str]]:
    """Every commit of a pooled connection while this lasts: by what SQLite is told, by what psycopg is asked."""
    said: list[str] = []

    def traced(connection: sqlite3.Connection, *_: Any) -> None:
        connection.set_trace_callback(lambda statement: said.append(statement) if statement == "COMMIT" else None)

    def committed(connection: Connection) -> None:
        said.append("COMMIT")

    database.dispose()  # so that every connection is made anew, under our eyes
    watched: tuple[Any, ...]
    watched = (database, "connect", traced) if database.dialect.name == "sqlite" else (database, "commit", committed)
    event.listen(*watched)
    try:
        yield said
    finally:
        event.remove(*watched)
        database.dispose()


def transactions_of(store: SqlRecorder, table: str) -> set[str]:
    """The transactions that wrote the rows of a table, as PostgreSQL itself notes them with each row."""
    with store.database.connect() as connection:
        return set(connection.execute(text(f'SELECT xmin::text FROM "{table}"')).scalars())


def test_a_batch_is_one_transaction_for_all_projections_together(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", BATCH * BATCHES))
    runner = Runner(store, LEAVES)
    with commits(store.database) as said:
        assert runner.catch_up(batch=BATCH) == BATCH * BATCHES
    assert len(said) == BATCHES
    assert set(runner.positions().values()) == {BATCH * BATCHES}


def test_the_server_notes_no_other_transaction_with_the_rows(postgres_url: str) -> None:
    store = SqlRecorder(open_database(postgres_url))
    append(store, history("f", "ML-4-01-01", BATCH * BATCHES))
    Runner(store, LEAVES).catch_up(batch=BATCH)
    batches = transactions_of(store, "audit_trail")
    assert len(batches) == BATCHES
    for name in PROJECTIONS:
        assert transactions_of(store, name) <= batches, name
    assert len(transactions_of(store, "projections")) == 1
    store.close()


def test_nothing_new_costs_no_transaction(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", 20))
    runner = Runner(store, LEAVES)
    runner.catch_up()
    with commits(store.database) as said:
        runner.catch_up()
    assert said == []


def test_a_projection_that_lags_costs_one_transaction_to_meet_the_others(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", BATCH))
    some = dict(list(PROJECTIONS.items())[:3])
    Runner(store, LEAVES, some).catch_up()
    append(store, history("g", "ML-4-01-02", BATCH))
    runner = Runner(store, LEAVES)
    with commits(store.database) as said:
        runner.catch_up(batch=2 * BATCH)
    assert len(said) == 2, "those behind catch up to the others; from there on all go together"
    assert set(runner.positions().values()) == {2 * BATCH}


def how_durable(connection: Connection) -> object:
    """SQLite: 2 waits for the disk at each commit, 1 does not. PostgreSQL says on and off."""
    asked = "PRAGMA synchronous" if connection.dialect.name == "sqlite" else "SHOW synchronous_commit"
    return connection.execute(text(asked)).scalar_one()


def test_what_is_folded_waits_for_no_disk_and_what_is_recorded_does(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", BATCH))
    seen: list[object] = []

    def committed(connection: Connection) -> None:
        seen.append(how_durable(connection))

    waits, waits_not = (2, 1) if store.database.dialect.name == "sqlite" else ("on", "off")
    event.listen(store.database, "commit", committed)
    Runner(store, LEAVES).catch_up()
    Runner(store, LEAVES).rebuild(["needs"])
    assert seen
    assert set(seen) == {waits_not}
    with store.database.begin() as connection:  # of the same pool, after a projection has used it
        assert how_durable(connection) == waits
    event.remove(store.database, "commit", committed)
