"""Turns: an advisory lock on PostgreSQL, a lock on a file beside a SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, cast
from urllib.parse import quote

import psycopg
from sqlalchemy import text

from cycle.turns import Turn, Turns, Work
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.opening import APPLICATION_ID, place_of

NUMBERS = {Work.DELIVERING: 2, Work.PUBLISHING: 3, Work.FOLDING: 4, Work.WATCHING: 5}
"""The second half of an advisory lock's key; 1 is that of whoever rebuilds."""
KEEPALIVES = "SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3"
"""A process that is killed is gone at once. A machine that has vanished says nothing: the server asks after it,
and lets go of its locks after six seconds, not after two hours."""


HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :application AND objid = :work AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class SqlTurns(SqlBeside, Turns):
    """The turns of either database."""

    @contextmanager
    def turn(self, work: Work) -> Iterator[Turn | None]:
        with self._explained():
            held = self._on_sqlite(work) if self._is_sqlite else self._on_postgres(work)
        if held is None:
            yield None
            return
        with closing(held):
            yield held

    def is_held(self, work: Work) -> bool:
        with self._explained():
            return self._is_held_on_sqlite(work) if self._is_sqlite else self._is_held_on_postgres(work)

    def _is_held_on_sqlite(self, work: Work) -> bool:
        address = f"file:{quote(self._file(work))}?mode=ro"
        try:
            with closing(sqlite3.connect(address, timeout=0, uri=True)) as connection:
                connection.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.OperationalError as error:
            # Where there is no file nobody has ever done it.
            return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        return False

    def _is_held_on_postgres(self, work: Work) -> bool:
        asked = {"application": APPLICATION_ID, "work": NUMBERS[work]}
        with self._reading() as connection:
            return bool(connection.execute(HELD, asked).scalar())

    def _file(self, work: Work) -> str:
        return f"{place_of(self._database.url)}-{work.value}"

    def _on_sqlite(self, work: Work) -> _SqliteTurn | None:
        # A file of its own, so that nobody who works with the log waits.
        connection = sqlite3.connect(self._file(work), timeout=0, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return _SqliteTurn(connection)

    def _on_postgres(self, work: Work) -> _PostgresTurn | None:
        pooled = self._database.raw_connection()
        connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
        pooled.detach()
        turn = _PostgresTurn(connection)
        with ExitStack() as end:
            end.callback(turn.close)
            connection.autocommit = True
            connection.execute(KEEPALIVES)
            if not turn.taken(work):
                return None
            end.pop_all()
        return turn


class _SqliteTurn:
    """A write lock on a file: the system lets go of it when the process ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def held(self) -> bool:
        return True

    def close(self) -> None:
        self._connection.close()


class _PostgresTurn:
    """An advisory lock of a session: the server lets go of it when the connection ends."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def taken(self, work: Work) -> bool:
        asked = (APPLICATION_ID, NUMBERS[work])
        found = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", asked).fetchone()
        return bool(found and found[0])

    def held(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()
