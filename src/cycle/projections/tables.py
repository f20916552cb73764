"""Where rows are kept: reading and writing them, and the checkpoints, on either database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, inspect, select, text

from cycle.projections.base import Projection, R, Row

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
    """A new and empty table for a projection under a name."""
    projection.table_named(name, MetaData()).create(connection)
    for column in ("commune", "framework"):
        if any(field.name == column for field in projection.fields):
            # The index keeps its own name through a rename of its table, so that name must be free.
            connection.execute(text(f'CREATE INDEX "{index_name(connection, name, column)}" ON "{name}" ({column})'))


def index_name(connection: Connection, table: str, column: str) -> str:
    taken = {i["name"] for t in inspect(connection).get_table_names() for i in inspect(connection).get_indexes(t)}
    base = f"ix_{table.removesuffix(REBUILDING)}_{column}"
    return base if base not in taken else f"{base}_2"


def drop(connection: Connection, name: str) -> None:
    connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))


def rename(connection: Connection, name: str, to: str) -> None:
    connection.execute(text(f'ALTER TABLE "{name}" RENAME TO "{to}"'))


def read_checkpoints(connection: Connection) -> dict[str, Checkpoint]:
    return {row.name: Checkpoint(*row) for row in connection.execute(select(checkpoints))}


def move(connection: Connection, name: str, before: int, after: int) -> None:
    """Compare and set.

    Raises:
        Overtaken: the checkpoint is not where it was.
    """
    changed = connection.execute(
        checkpoints.update()
        .where(checkpoints.c.name == name, checkpoints.c.position == before, checkpoints.c.problem.is_(None))
        .values(position=after)
    )
    if changed.rowcount != 1:
        raise Overtaken(name)


def load(connection: Connection, projection: Projection[R], table: Table, keys: Sequence[str]) -> dict[str, R]:
    """The rows under these keys."""
    found: dict[str, R] = {}
    wanted = select(table.c.key, *(table.c[field.name] for field in projection.fields))
    for begin in range(0, len(keys), CHUNK):
        for columns in connection.execute(wanted.where(table.c.key.in_(keys[begin : begin + CHUNK]))):
            found[columns[0]] = projection.from_columns(columns[1:])
    return found


class Writer:
    """Writes rows of one projection to one table, many at a time, with statements made once."""

    def __init__(self, projection: Projection[Any], name: str, dialect: str) -> None:
        self.projection = projection
        self.table = projection.table_named(name, MetaData())
        names = ["key", *(field.name for field in projection.fields)]
        columns = ", ".join(names)
        updates = ", ".join(f"{n} = excluded.{n}" for n in names[1:])
        conflict = "DO NOTHING" if projection.appends else f"DO UPDATE SET {updates}"
        self._sqlite = dialect == "sqlite"
        if self._sqlite:
            values = ", ".join("?" for _ in names)
            source = f"VALUES ({values})"
        else:
            # One statement with an array per column: a round trip per batch, not per row.
            kinds = ["text", *(field.kind for field in projection.fields)]
            arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
            source = f"SELECT * FROM unnest({arrays})"
        self._put = f'INSERT INTO "{name}" ({columns}) {source} ON CONFLICT (key) {conflict}'

    def write(self, connection: Connection, rows: Iterable[tuple[str, Row | None]]) -> None:
        """Insert, update or (None) delete."""
        to_columns = self.projection.to_columns
        puts = [to_columns(key, row) for key, row in rows if row is not None]
        gone = [key for key, row in rows if row is None]
        if puts and self._sqlite:
            connection.exec_driver_sql(self._put, list(map(tuple, puts)))
        elif puts:
            connection.exec_driver_sql(self._put, tuple(map(list, zip(*puts, strict=True))))
        for begin in range(0, len(gone), CHUNK):
            connection.execute(delete(self.table).where(self.table.c.key.in_(gone[begin : begin + CHUNK])))
