"""OCEL 2.0: an object-centric event log, as a SQLite file and as JSON. Source: ocel-standard.org, version 2.0.

The SQLite form is filled first, on the disk, whatever the length of the log; the JSON form is read from it. Time is
the middle of the day on which it happened; what happened on one day has its order in ``sequence``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from errno import EIO, ENOSPC
from pathlib import Path
from typing import IO

import msgspec

from cycle.exports.columns import Cell, Column, Kind
from cycle.exports.facts import Facts
from cycle.exports.objects import SUBJECT, Link, Object, belongs, links_of
from cycle.exports.still import Still
from cycle.exports.trail import Trails
from cycle.leaf import rfc3339
from cycle_adapters.exports.attributes import SHAPES, WIDTH, event_columns, of_event, things, values_of

EPOCH = "1970-01-01T00:00:00Z"
"""The time of what a thing is all along: OCEL says so."""
_SQL = {Kind.WHOLE: "INTEGER", Kind.FLAG: "BOOLEAN", Kind.NUMBER: "REAL", Kind.MOMENT: "TIMESTAMP"}
_JSON = {Kind.WHOLE: "integer", Kind.FLAG: "boolean", Kind.NUMBER: "float", Kind.MOMENT: "time"}

FIXED = """
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE event (
  ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
  FOREIGN KEY (ocel_type) REFERENCES event_map_type (ocel_type)
);
CREATE TABLE object (
  ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
  FOREIGN KEY (ocel_type) REFERENCES object_map_type (ocel_type)
);
CREATE TABLE event_object (
  ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
  PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier),
  FOREIGN KEY (ocel_event_id) REFERENCES event (ocel_id), FOREIGN KEY (ocel_object_id) REFERENCES object (ocel_id)
) WITHOUT ROWID;
CREATE TABLE object_object (
  ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT,
  PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier),
  FOREIGN KEY (ocel_source_id) REFERENCES object (ocel_id), FOREIGN KEY (ocel_target_id) REFERENCES object (ocel_id)
) WITHOUT ROWID;
"""
OCEL_COLUMNS = (
    Column("ocel_id", Kind.TEXT, "log.id", "", "ocel"),
    Column("ocel_type", Kind.TEXT, "log.type", "", "ocel"),
    Column("ocel_type_map", Kind.TEXT, "log.type", "", "ocel"),
    Column("ocel_time", Kind.MOMENT, "log.occurred_on", "utc", "ocel"),
    Column("ocel_changed_field", Kind.TEXT, "ocel", "", "ocel"),
    Column("ocel_event_id", Kind.TEXT, "log.id", "", "ocel"),
    Column("ocel_object_id", Kind.TEXT, "log", "", "ocel"),
    Column("ocel_qualifier", Kind.TEXT, "log", "", "ocel"),
    Column("ocel_source_id", Kind.TEXT, "log", "", "ocel"),
    Column("ocel_target_id", Kind.TEXT, "log", "", "ocel"),
)
"""What OCEL itself calls its columns."""
JSON_KEYS = (
    Column("id", Kind.TEXT, "log.id", "", "ocel"),
    Column("type", Kind.TEXT, "log.type", "", "ocel"),
    Column("time", Kind.MOMENT, "log.occurred_on", "utc", "ocel"),
    Column("objectId", Kind.TEXT, "log", "", "ocel"),
    Column("qualifier", Kind.TEXT, "log", "", "ocel"),
)
"""And its keys."""


def columns() -> tuple[Column, ...]:
    """Every column of the SQLite form, each with its table: ``event_PlanAgreed.cycle``."""
    found = list(OCEL_COLUMNS)
    for type, own in event_columns():
        found += [column.of(f"{_event_table(type)}.{column.name}") for column in own]
    for thing, shape in SHAPES.items():
        found += [column.of(f"object_{thing}.{column.name}") for column in shape.columns]
    return tuple(found)


def json_columns() -> tuple[Column, ...]:
    """Every attribute of the JSON form, each with its type of event or thing: ``plan-agreed.cycle``."""
    found = list(JSON_KEYS)
    for type, own in event_columns():
        found += [column.of(f"{type}.{column.name}") for column in own]
    for thing, shape in SHAPES.items():
        found += [column.of(f"{thing}.{column.name}") for column in shape.columns]
    return tuple(found)


def fill(path: Path, at: Still, facts: Facts) -> int:
    """Write the SQLite form. Returns how many events there are.

    Raises:
        OSError: it cannot be written.
    """
    try:
        return _filled(path, at, facts)
    except sqlite3.OperationalError as error:
        # SQLite has words of its own for a disk that is full.
        raise OSError(ENOSPC if "full" in str(error) else EIO, str(error)) from error


def _filled(path: Path, at: Still, facts: Facts) -> int:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # What is half done is never seen: the file has no name yet.
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000", "foreign_keys = OFF"):
            database.execute(f"PRAGMA {setting}")
        database.executescript(FIXED)
        database.execute("BEGIN")
        _create(database)
        count = _events(database, facts)
        _attributes(database, at)
        database.execute("COMMIT")
        wrong = database.execute("PRAGMA foreign_key_check").fetchone()
        assert wrong is None, f"{wrong} leads nowhere"
    return count


def _create(database: sqlite3.Connection) -> None:
    """The tables of each type, each with its attributes."""
    for type, own in event_columns():
        table = _event_table(type)
        database.execute("INSERT INTO event_map_type VALUES (?, ?)", (type, table.removeprefix("event_")))
        database.execute(
            f'CREATE TABLE "{table}" (ocel_id TEXT PRIMARY KEY, ocel_time TIMESTAMP, {_declared(own)},'
            " FOREIGN KEY (ocel_id) REFERENCES event (ocel_id))"
        )
    for thing, shape in SHAPES.items():
        database.execute("INSERT INTO object_map_type VALUES (?, ?)", (thing, thing))
        database.execute(
            f'CREATE TABLE "object_{thing}" (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT,'
            f" {_declared(shape.columns)}, FOREIGN KEY (ocel_id) REFERENCES object (ocel_id))"
        )


def _declared(columns: Sequence[Column]) -> str:
    return ", ".join(f'"{column.name}" {_SQL.get(column.kind, "TEXT")}' for column in columns)


def _event_table(type: str) -> str:
    """``plan-agreed`` -> ``event_PlanAgreed``: no hyphens, and none of the names of OCEL's own tables."""
    return "event_" + "".join(part.capitalize() for part in type.split("-"))


def _events(database: sqlite3.Connection, facts: Facts) -> int:
    """Every event with its attributes and links; a thing is there once something has to do with it."""
    trails, count = Trails(), 0
    statements = {type: _insert(_event_table(type), 2 + len(own)) for type, own in event_columns()}
    for position, recorded, corrected in facts.each():
        trail = trails.of(recorded.stream)
        trail.follow(recorded)
        links = links_of(recorded, trail)
        database.execute("INSERT INTO event VALUES (?, ?)", (recorded.id, recorded.type))
        given = dict(values_of(recorded.data))
        always: tuple[Cell, ...] = (
            recorded.recorded_at, str(position).zfill(WIDTH), recorded.version, recorded.by.role.value, corrected,
        )  # fmt: skip
        own = (given.get(column.name) for column in of_event(recorded.type))
        time = moment(facts.noon(recorded.log, recorded.occurred_on))
        database.execute(statements[recorded.type], (recorded.id, time, *map(_in_sql, always), *map(_in_sql, own)))
        together = list(belongs(recorded, trail, links))
        _objects(database, [link.object for link in links] + [thing for pair in together for thing in _ends(pair)])
        database.executemany(
            "INSERT INTO event_object VALUES (?, ?, ?)",
            ((recorded.id, link.object.id, str(link.qualifier)) for link in links),
        )
        database.executemany(
            "INSERT OR IGNORE INTO object_object VALUES (?, ?, ?)",
            ((thing.id, link.object.id, link.qualifier) for thing, link in together),
        )
        count += 1
    return count


def _ends(pair: tuple[Object, Link]) -> tuple[Object, Object]:
    return pair[0], pair[1].object


def _objects(database: sqlite3.Connection, found: Iterable[Object]) -> None:
    database.executemany("INSERT OR IGNORE INTO object VALUES (?, ?)", ((each.id, str(each.type)) for each in found))


def _insert(table: str, columns: int) -> str:
    return f'INSERT INTO "{table}" VALUES ({", ".join("?" * columns)})'


def _attributes(database: sqlite3.Connection, at: Still) -> None:
    """What each thing is: of those that something has to do with."""
    for thing, identity, values in things(at):
        database.execute(
            f'INSERT INTO "object_{thing}" SELECT ?, ?, NULL{", ?" * len(values)}'
            " WHERE EXISTS (SELECT 1 FROM object WHERE ocel_id = ? AND ocel_type = ?)",
            (identity, EPOCH, *map(_in_sql, values), identity, thing),
        )
    # A thing of elsewhere, of which nothing is handed on but that it is there.
    for thing in SHAPES:
        database.execute(
            f'INSERT INTO "object_{thing}" (ocel_id, ocel_time) SELECT ocel_id, ? FROM object'
            f' WHERE ocel_type = ? AND ocel_id NOT IN (SELECT ocel_id FROM "object_{thing}")',
            (EPOCH, thing),
        )


def moment(value: datetime) -> str:
    """A moment in UTC, as short as it can be."""
    written = rfc3339(value)
    return f"{written[:19]}Z" if value.microsecond == 0 else written


def _in_sql(cell: Cell) -> str | int | float | None:
    match cell:
        case datetime():
            return moment(cell)
        case date():
            return cell.isoformat()
        case Decimal():
            return float(cell)
        case _:
            return cell


_encode = msgspec.json.Encoder().encode


def as_json(filled: Path, file: IO[bytes]) -> int:
    """Write the JSON form of a filled SQLite form; values are texts there. Returns how many events there are."""
    with closing(sqlite3.connect(filled)) as database:
        file.write(b'{"eventTypes":')
        file.write(_encode([{"name": type, "attributes": _typed(own)} for type, own in event_columns()]))
        file.write(b',"objectTypes":')
        file.write(_encode([{"name": thing, "attributes": _typed(shape.columns)} for thing, shape in SHAPES.items()]))
        file.write(b',"events":[')
        count = _joined(file, _events_in_order(database))
        file.write(b'],"objects":[')
        _joined(file, _things(database))
        file.write(b"]}\n")
    return count


def _typed(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [{"name": column.name, "type": _JSON.get(column.kind, "string")} for column in columns]


def _joined(file: IO[bytes], items: Iterator[dict[str, object]]) -> int:
    count = 0
    for count, item in enumerate(items, 1):
        file.write((b"\n" if count == 1 else b",\n") + _encode(item))
    return count


def _events_in_order(database: sqlite3.Connection) -> Iterator[dict[str, object]]:
    """Events in the order of the log: in which they were filled in."""
    kinds = dict(event_columns())
    queries = {type: f'SELECT * FROM "{_event_table(type)}" WHERE ocel_id = ?' for type in kinds}
    links = "SELECT ocel_object_id, ocel_qualifier FROM event_object WHERE ocel_event_id = ?"
    first = f"ORDER BY ocel_qualifier != '{SUBJECT}', ocel_qualifier, ocel_object_id"
    for identity, type in database.execute("SELECT ocel_id, ocel_type FROM event ORDER BY rowid"):
        _, time, *values = database.execute(queries[type], (identity,)).fetchone()
        yield {
            "id": identity,
            "type": type,
            "time": time,
            "attributes": [{"name": name, "value": value} for name, value in _told(kinds[type], values)],
            "relationships": _related(database, f"{links} {first}", identity),
        }


def _things(database: sqlite3.Connection) -> Iterator[dict[str, object]]:
    links = "SELECT ocel_target_id, ocel_qualifier FROM object_object WHERE ocel_source_id = ? ORDER BY 2, 1"
    for thing, shape in SHAPES.items():
        for identity, _, _, *values in database.execute(f'SELECT * FROM "object_{thing}" ORDER BY ocel_id'):
            yield {
                "id": identity,
                "type": thing,
                "attributes": [
                    {"name": name, "time": EPOCH, "value": value} for name, value in _told(shape.columns, values)
                ],
                "relationships": _related(database, links, identity),
            }


def _related(database: sqlite3.Connection, links: str, identity: str) -> list[dict[str, str]]:
    return [{"objectId": other, "qualifier": how} for other, how in database.execute(links, (identity,))]


def _told(columns: Sequence[Column], values: Sequence[str | int | float | None]) -> Iterator[tuple[str, str]]:
    """The values that are there, as texts: the standard's own schema takes nothing else."""
    for column, value in zip(columns, values, strict=True):
        match value:
            case None:
                continue
            case int() if column.kind is Kind.FLAG:
                yield column.name, "true" if value else "false"
            case float():
                yield column.name, f"{value:.15g}"
            case _:
                yield column.name, str(value)
