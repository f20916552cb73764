"""Where rows are kept: reading and writing them, and the checkpoints, on either database."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, inspect, select, text

from cycle.projections.base import Projection
from cycle.projections.folding import Folding
from cycle.store import LogRecorder

metadata = MetaData()
checkpoints = Table(
    "projections",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("problem", Text),
)
CHUNK = 500
REBUILDING = "_rebuilding"


class Checkpoint(NamedTuple):
    """How far a projection has got; ``problem`` says why it has stopped."""

    name: str
    position: int
    digest: str
    problem: str | None


class Overtaken(Exception):  # noqa: N818
    """Another worker has moved the checkpoint: start over from where it is."""


def prepare(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=True)


def create(connection: Connection, projection: Projection[Any], name: str) -> None:
    """A new and empty table for a projection under a name, without indexes."""
    projection.table_named(name, MetaData()).create(connection)


def create_index(connection: Connection, projection: Projection[Any], name: str) -> None:
    """What rows of a table are looked for by, when it is not by their key."""
    index = f"ix_{projection.name}_commune"
    # An index keeps its own name through a rename of its table: the live table may have that name, and so
    # may one that a rebuild has left behind.
    tables = [projection.name, projection.name + REBUILDING]
    found = inspect(connection).get_multi_indexes(filter_names=tables)
    taken = {each["name"] for indexes in found.values() for each in indexes}
    free = next(each for each in (index, f"{index}_2", f"{index}_3") if each not in taken)
    connection.execute(text(f'CREATE INDEX "{free}" ON "{name}" (commune)'))


def indexed(connection: Connection, names: Sequence[str]) -> set[str]:
    """Which of these tables have their index."""
    found = inspect(connection).get_multi_indexes(filter_names=names)
    return {name for (_, name), indexes in found.items() if indexes and name is not None}


def drop(connection: Connection, name: str) -> None:
    connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))


def rename(connection: Connection, name: str, to: str) -> None:
    connection.execute(text(f'ALTER TABLE "{name}" RENAME TO "{to}"'))


def read_checkpoints(connection: Connection) -> dict[str, Checkpoint]:
    return {row.name: Checkpoint(*row) for row in connection.execute(select(checkpoints))}


def lock(connection: Connection) -> None:
    """Nobody moves a checkpoint until this transaction ends."""
    if connection.dialect.name != "sqlite":  # which has one writer at a time anyhow
        connection.execute(text("LOCK TABLE projections IN SHARE ROW EXCLUSIVE MODE"))


def move(connection: Connection, names: Sequence[str], before: int, after: int) -> None:
    """Compare and set.

    Raises:
        Overtaken: one of the checkpoints is not where it was.
    """
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = (
        f"UPDATE projections SET position = {mark} WHERE position = {mark} AND problem IS NULL"
        f" AND name IN ({', '.join(mark for _ in names)})"
    )
    changed = connection.exec_driver_sql(statement, (after, before, *names))
    if changed.rowcount != len(names):
        raise Overtaken(names)


class Kept(Folding):
    """The rows of a projection in memory and in a table, read and written many at a time."""

    def __init__(self, projection: Projection[Any], table: str, log: LogRecorder, *, whole: bool) -> None:
        super().__init__(projection, whole=whole)
        self._table = projection.table_named(table, MetaData())
        self._add = log.add_rows
        self._sqlite = log.database.dialect.name == "sqlite"
        names = ["key", *(field.name for field in projection.fields)]
        if self._sqlite:
            given = f"VALUES ({', '.join('?' for _ in names)})"
        else:
            # One statement with an array per column: a round trip per batch, not per row.
            kinds = ["text", *(field.kind for field in projection.fields)]
            given = f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in kinds)})"
        updates = ", ".join(f"{n} = excluded.{n}" for n in names[1:])
        into = f'"{table}" ({", ".join(names)})'
        self._update = f"INSERT INTO {into} {given} ON CONFLICT (key) DO UPDATE SET {updates}"

    def load(self, connection: Connection, keys: Sequence[str]) -> None:
        """Rows from the table into memory; a key without a row is known to have none."""
        table, fields = self._table, self.projection.fields
        wanted = select(table.c.key, *(table.c[field.name] for field in fields))
        for begin in range(0, len(keys), CHUNK):
            some = keys[begin : begin + CHUNK]
            self.rows |= dict.fromkeys(some)
            for key, *columns in connection.execute(wanted.where(table.c.key.in_(some))):
                self.rows[key] = self.projection.from_columns(columns)
                self.kept.add(key)

    def save(self, connection: Connection, at_most: int | None = None) -> None:
        """Write what has changed, or that many rows of it."""
        to_columns, kept = self.projection.to_columns, self.kept
        new: list[tuple[Any, ...]] = []
        other: list[tuple[Any, ...]] = []
        gone: list[str] = []
        changed = list(islice(self.changed.items(), at_most))
        for key, row in changed:
            if row is not None:
                (other if key in kept else new).append(to_columns(key, row))
            elif key in kept:
                gone.append(key)
        if new:
            self._add(connection, self._table, new)
        if other and self._sqlite:
            connection.exec_driver_sql(self._update, other)
        elif other:
            connection.exec_driver_sql(self._update, tuple(map(list, zip(*other, strict=True))))
        for begin in range(0, len(gone), CHUNK):
            connection.execute(delete(self._table).where(self._table.c.key.in_(gone[begin : begin + CHUNK])))
        kept.difference_update(gone)
        if not self.projection.appends:
            kept.update(columns[0] for columns in new)
        if at_most is None:
            self.changed.clear()
        else:
            for key, _ in changed:
                del self.changed[key]
