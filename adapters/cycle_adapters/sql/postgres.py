"""PostgreSQL: many processes, one log. The append is one function call: one round trip, one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from select import POLLIN, poll
from typing import Any, cast

import msgspec
import psycopg
from sqlalchemy import Dialect, Select

from cycle.store import Append, Conflict, Receipt, Unavailable
from cycle_adapters.sql.grouping import Outcome
from cycle_adapters.sql.rows import StoredLine, first_versions, known_key, receipt_of, receipt_of_new, write_vault

Connection = psycopg.Connection[tuple[object, ...]]
STREAMED_ROWS = 500
CALL = "SELECT * FROM cycle_append(%s::jsonb)"
CLOSED = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
"""Whether the server takes no writes."""
RECEIPT_LINES = (
    "SELECT position, stream, version, type, log, log_index, leaf_hash, leaf FROM events"
    " WHERE position BETWEEN %s AND %s ORDER BY position"
)


def configure(connection: psycopg.Connection[Any]) -> None:
    """Set what reading rests on."""
    # The log is read along its indexes. At the default, made for disks that turn, a stream's leaves
    # would be read in any order and sorted, on the disk when they are many.
    connection.execute("SET random_page_cost = 1.1")
    connection.commit()


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server still listens, for all that is known here.

    One that has ended has said so on the wire: only where something has come that nobody asked for is it asked.
    """
    heard = poll()
    try:
        heard.register(connection.fileno(), POLLIN)
        if heard.poll(0):
            connection.execute("SELECT 1")
            connection.rollback()
    except psycopg.Error:
        return False
    return True


def stream(
    connection: Connection, query: Select[Any], values: Mapping[str, object], dialect: Dialect
) -> Iterator[tuple[Any, ...]]:
    """Rows as they arrive, in one round trip: what has been looked at need not be kept.

    In binary, for a leaf as text is twice as long, and is decoded twice.
    """
    statement, fixed = _compiled(query, dialect)
    with connection.cursor() as cursor:
        yield from cursor.stream(statement, {**fixed, **values}, binary=True, size=STREAMED_ROWS)


def page(
    connection: Connection, query: Select[Any], values: Mapping[str, object], dialect: Dialect
) -> list[tuple[Any, ...]]:
    """Rows that are few, all at once: what is asked again and again the server has made ready."""
    statement, fixed = _compiled(query, dialect)
    return connection.execute(statement, {**fixed, **values}, prepare=True, binary=True).fetchall()


def copy(connection: Connection, table: str, types: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Write rows that are new; triggers and constraints hold as for any other."""
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT BINARY)') as writing:
        writing.set_types(types)
        for row in rows:
            writing.write_row(row)


@lru_cache(maxsize=400)
def _compiled(query: Select[Any], dialect: Dialect) -> tuple[str, Mapping[str, object]]:
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params


class PostgresWriter:
    """The one connection of this process that appends; made again when it is lost."""

    def __init__(self, connect: Callable[[], Connection], place: str) -> None:
        self._connect = connect
        self._place = place
        self._connection: Connection | None = None

    def commit(self, group: Sequence[Append]) -> Sequence[Outcome]:
        """One round trip and one commit for the whole group; a conflict fails its own save only."""
        try:
            return self._call(group)
        except psycopg.errors.UniqueViolation as error:
            if len(group) == 1:
                return [Conflict(str(error).splitlines()[0])]
            return [self.commit([save])[0] for save in group]
        except psycopg.OperationalError:
            # The answer is lost, the commit perhaps not: the keys in the log settle it.
            self.close()
            try:
                return self._call(group)
            except psycopg.Error as error:
                self.close()
                return [unavailable(error, self._place)] * len(group)
        except psycopg.Error as error:
            return [unavailable(error, self._place)] * len(group)

    def _call(self, group: Sequence[Append]) -> list[Outcome]:
        connection = self._open()
        if all(save.vault is None for save in group):
            answers = self._answers(connection, group)
        else:
            with connection.transaction():
                answers = self._answers(connection, group)
                for save, answer in zip(group, answers, strict=True):
                    # A key that is known was stored with its openings, whatever became of them since.
                    if save.vault is not None and answer[0] == "stored":
                        write_vault(connection.execute, save.vault, "%s")
        return [self._outcome(save, answer) for save, answer in zip(group, answers, strict=True)]

    def _answers(self, connection: Connection, group: Sequence[Append]) -> list[tuple[object, ...]]:
        document = msgspec.json.encode([_sent(save) for save in group]).decode()
        return connection.execute(CALL, (document,), prepare=True, binary=True).fetchall()

    def _outcome(self, save: Append, answer: tuple[object, ...]) -> Outcome:
        status, first, recorded_at, indexes = answer
        if status == "conflict":
            return Conflict(f"{save.leaves[0].originator_id}: somebody else wrote in between")
        if status == "known":
            found = self.receipt(save.key)
            assert found is not None
            return known_key(save, found)
        return receipt_of_new(save, cast("int", first), cast("str", recorded_at), cast("dict[str, int]", indexes))

    def receipt(self, key: str) -> tuple[bytes, Receipt] | None:
        """The digest and receipt under a key."""
        connection = self._open()
        found = connection.execute(
            "SELECT digest, first_position, last_position FROM receipts WHERE key = %s", (key,)
        ).fetchone()
        if found is None:
            return None
        lines = connection.execute(RECEIPT_LINES, found[1:], binary=True).fetchall()
        return cast("bytes", found[0]), receipt_of(key, cast("list[StoredLine]", lines))

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


def _sent(save: Append) -> Mapping[str, object]:
    """A save as ``cycle_append`` takes it."""
    return {
        "key": save.key,
        "digest": save.digest,
        "recorded_at": save.recorded_at,
        "first_versions": [{"stream": stream, "version": first} for stream, first in first_versions(save).items()],
        "log_sizes": [{"log": log, "size": size} for log, size in save.log_sizes],
        "leaves": [
            {
                "stream": leaf.originator_id, "version": leaf.originator_version, "type": leaf.topic,
                "schema": leaf.schema, "log": leaf.log, "hole": leaf.hole, "leaf": leaf.state.decode(),
            }
            for leaf in save.leaves
        ],
    }  # fmt: skip


def demand_writable(closed: bool) -> None:
    """Raises:
    psycopg.Error: the server takes no writes, as ``CLOSED`` says.
    """
    if closed:
        raise psycopg.errors.ReadOnlySqlTransaction("the server is read-only")


def unavailable(error: psycopg.Error, place: str) -> Unavailable:
    """Why PostgreSQL cannot be used; ``place`` names database and host, without a password."""
    why = str(error).splitlines()[0]
    match error:
        case psycopg.errors.DiskFull():
            return Unavailable("full")
        case psycopg.errors.ReadOnlySqlTransaction() | psycopg.errors.InsufficientPrivilege():
            return Unavailable("no-right", why)
        case psycopg.OperationalError() if error.sqlstate is None or error.sqlstate[:2] in ("08", "28", "57"):
            return Unavailable("no-server", place)
        case _:
            return Unavailable("other", why)
