"""The whole log at once: read as of one moment, or written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Column, Connection, LargeBinary, Select, Table, Text, func, select

from cycle.aggregates.base import StreamId
from cycle.aggregates.person import PersonErased
from cycle.leaf import leaf_hash
from cycle.store import Cells, Claimed, Head, Loading, Moment
from cycle_adapters.sql import postgres
from cycle_adapters.sql.rows import read, recorded_at
from cycle_adapters.sql.schema import KEPT, events, receipts
from cycle_adapters.sql.vaulting import forget

BATCH = 5_000
STREAMED_ROWS = 200
"""Few enough to stay in the processor's cache until they are decoded."""
NOTHING: Mapping[str, object] = {}
HEAD = select(events.c.position, events.c.leaf).order_by(events.c.position.desc()).limit(1)
LAST_INDEXES = select(events.c.log, func.max(events.c.log_index)).group_by(events.c.log)
LEAVES = select(events.c.leaf).order_by(events.c.position)


def streamed(
    connection: Connection, query: Select[Any], values: Mapping[str, object] = NOTHING
) -> Generator[tuple[Any, ...]]:
    """Rows as they arrive, as plain tuples."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(query, values).cursor
        while rows := found.fetchmany(STREAMED_ROWS):
            yield from rows
    else:
        driver = cast("postgres.Connection", connection.connection.driver_connection)
        yield from postgres.stream(driver, query, values, connection.dialect)


def at_once(connection: Connection, query: Select[Any], values: Mapping[str, object]) -> Sequence[Any]:
    """Rows that are few, as plain tuples."""
    if connection.dialect.name == "sqlite":
        return connection.execute(query, values).cursor.fetchall()
    driver = cast("postgres.Connection", connection.connection.driver_connection)
    return postgres.page(driver, query, values, connection.dialect)


def head_of(last: Sequence[Any] | None) -> Head:
    """The head, from position and bytes of the last event."""
    return Head(last[0], read(recorded_at(last[1]))) if last else Head(0, None)


def add_rows(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Write rows that are new: ``executemany`` on SQLite, COPY on PostgreSQL."""
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        cast("sqlite3.Connection", driver).executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)
        return
    # Without the collation that a text may have: it is of the column, not of its type.
    types = [column.type.compile(connection.dialect).partition(" ")[0].lower() for column in table.columns]
    postgres.copy(cast("postgres.Connection", driver), table.name, types, rows)


class SqlMoment(Moment):
    """What one transaction sees, from the moment on at which it was begun."""

    def __init__(self, connection: Connection) -> None:
        self.tables = tuple(KEPT)
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._streams: list[Generator[tuple[Any, ...]]] = []
        self.head = head_of(connection.execute(HEAD).first())

    def leaves(self) -> Iterator[bytes]:
        return (bytes(leaf) for (leaf,) in self._streamed(LEAVES))

    def rows(self, table: str) -> Iterator[Cells]:
        kept = KEPT[table]
        query = select(kept.table).order_by(*(self._bytewise(column) for column in kept.order))
        names = kept.table.columns.keys()
        for row in self._streamed(query):
            cells = zip(names, row, strict=True)
            yield {name: cell.hex() if isinstance(cell, bytes) else cell for name, cell in cells if cell is not None}

    def _bytewise(self, column: Column[Any]) -> Any:
        """SQLite compares texts by their bytes; PostgreSQL by the language of the database, unless told."""
        return column if self._is_sqlite or not isinstance(column.type, Text) else column.collate("C")

    def _streamed(self, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
        self._streams.append(streamed(self._connection, query))
        return self._streams[-1]

    def close(self) -> None:
        """Stop what was not read to its end: nothing else can be said to PostgreSQL before that."""
        for stream in self._streams:
            stream.close()


class SqlLoading(SqlMoment, Loading):
    """Writes what comes from elsewhere, by the thousand rows."""

    def write(self, saves: Iterable[Claimed], progress: Callable[[int], None]) -> int:
        sizes = {log: last + 1 for log, last in self._connection.execute(LAST_INDEXES)}
        position = self.head.position
        rows: list[tuple[object, ...]] = []
        keys: list[tuple[object, ...]] = []

        def flush() -> None:
            add_rows(self._connection, events, rows)
            add_rows(self._connection, receipts, keys)
            rows.clear()
            keys.clear()
            progress(position)

        forgotten: list[StreamId] = []
        for (key, digest), save in groupby(saves, key=itemgetter(0, 1)):
            first = position + 1
            for _, _, leaf in save:
                position += 1
                log, index = leaf.log, sizes.get(leaf.log, 0)
                sizes[log] = index + 1
                stream, version, digest_of_leaf = leaf.originator_id, leaf.originator_version, leaf_hash(leaf.state)
                rows.append(
                    (position, stream, version, leaf.topic, leaf.schema, log, index, digest_of_leaf, leaf.state)
                )
                if leaf.topic == PersonErased.type:
                    forgotten.append(StreamId(stream))
            keys.append((key, digest, first, position))
            if len(rows) >= BATCH:
                flush()
        flush()
        # The vault may be older than these leaves: whoever they say is forgotten is so in it too.
        forget(self._connection, forgotten)
        return position

    def fill(self, table: str, rows: Iterable[Cells]) -> None:
        columns = KEPT[table].table.columns
        given = (_cells(columns, row) for row in rows)
        while some := list(islice(given, BATCH)):
            add_rows(self._connection, KEPT[table].table, some)


def _cells(columns: Iterable[Column[Any]], row: Cells) -> tuple[object, ...]:
    """Raises:
    ValueError: a column is not known, or a cell is not of its type.
    """
    left = dict(row)
    cells: list[object] = []
    for column in columns:
        cell = left.pop(column.name, None)
        binary = isinstance(column.type, LargeBinary)
        if cell is not None and not isinstance(cell, str if binary else column.type.python_type):
            raise ValueError(f"{column.name}: {cell!r}")
        cells.append(bytes.fromhex(cell) if binary and isinstance(cell, str) else cell)
    if left:
        raise ValueError(f"{', '.join(left)}: no such column")
    return tuple(cells)
