"""Counts that do not wobble: what a save costs in transactions and round trips."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import cast

import psycopg
from sqlalchemy import make_url, text

from cycle.aggregates.terms import SubscriptionId
from cycle.store import Receipt
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import save


def test_one_commit_for_a_group_on_sqlite(sqlite_url: str) -> None:
    store = SqlRecorder(open_database(sqlite_url))
    said: list[str] = []
    held, free = Event(), Event()
    inner = store._group._commit

    def slow(group):  # type: ignore[no-untyped-def]
        held.set()
        assert free.wait(30)
        return inner(group)

    store._group._commit = slow
    store._writer._connection.set_trace_callback(said.append)  # type: ignore[union-attr]
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(store.append, save("first"))
        assert held.wait(30)
        others = [pool.submit(store.append, save(f"s{n}")) for n in range(8)]
        while len(store._group._waiting) < 8:
            pass
        free.set()
        receipts = [first.result(30), *(each.result(30) for each in others)]
    assert sorted(r.position for r in receipts) == list(range(1, 10))
    assert said.count("COMMIT") == 2, "the first alone, then eight together"
    store.close()


def test_one_round_trip_for_a_save_on_postgresql(postgres_url: str) -> None:
    store = SqlRecorder(open_database(postgres_url))
    store.append(save("s", 1))
    connection = store._writer._connection  # type: ignore[union-attr]
    calls: list[str] = []
    inner = connection.execute

    def counted(query, *arguments, **options):  # type: ignore[no-untyped-def]
        calls.append(query)
        return inner(query, *arguments, **options)

    connection.execute = counted
    store.append(save("s", 2, many=50))
    assert len(calls) == 1
    assert connection.autocommit
    with store.database.connect() as other:
        waits = other.execute(text("SELECT count(*) FROM events")).scalar_one()
    assert waits == 51
    store.close()


def test_one_transaction_and_one_fsync_for_a_group_on_postgresql(postgres_url: str) -> None:
    store = SqlRecorder(open_database(postgres_url))
    store.append(save("first"))
    counts = []
    for group in range(5):
        before = synced(store)
        outcomes = store._writer.commit([save(f"s{group}-{n}", many=3) for n in range(8)])
        counts.append(synced(store) - before)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    # The server's own housekeeping may sync now and then; nothing makes a group cost less than it does.
    assert min(counts) == 1, counts
    with store.database.connect() as connection:
        noted = "SELECT count(DISTINCT xmin::text), count(*) FROM events WHERE position > 1"
        assert tuple(connection.execute(text(noted)).one()) == (5, 120), "the rows name a transaction a group"
    store.close()


def synced(store: SqlRecorder) -> int:
    """How often the process that appends has waited for its log to be on the disk."""
    connection = store._writer._connection  # type: ignore[union-attr]
    assert connection is not None
    connection.execute("SELECT pg_stat_force_next_flush()")
    return int(connection.execute("SELECT wal_sync FROM pg_stat_wal").fetchone()[0])  # type: ignore[index]


def test_one_round_trip_for_a_question_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    store = SqlRecorder(open_database(postgres_url))
    store.append(save("s", 1))
    with store.database.connect() as connection:
        driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
    with (tmp_path / "said").open("w") as said:
        driver.pgconn.trace(said.fileno())
        assert store.head().position == 1
        assert store.queue.progress(SubscriptionId("s")) == []
        driver.pgconn.untrace()
    asked = [line for line in (tmp_path / "said").read_text().splitlines() if "\tF\t" in line]
    assert sum("\tQuery\t" in line or "\tSync" in line for line in asked) == 2, asked
    store.close()


def test_a_connection_that_the_server_has_ended_is_found_without_being_asked_for(postgres_url: str) -> None:
    """Nobody meets one: all of them are made again."""
    store = SqlRecorder(open_database(postgres_url))
    with ThreadPoolExecutor(4) as pool:
        together = Barrier(4)

        def look() -> int:
            with store.database.connect() as connection:
                together.wait(30)
                return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

        backends = {each.result(30) for each in [pool.submit(look) for _ in range(4)]}
        assert len(backends) == 4
        with psycopg.connect(make_url(postgres_url).set(drivername="postgresql").render_as_string(False)) as other:
            for each in backends:
                assert other.execute("SELECT pg_terminate_backend(%s, 10000)", (each,)).fetchone() == (True,)
        assert not backends & {each.result(30) for each in [pool.submit(look) for _ in range(4)]}
    store.close()
