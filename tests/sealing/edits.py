"""What a superuser can do to a live database, and the first place at which it is wrong.

Triggers, keys and constraints are gone: they stop mistakes, not those who own the database.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from cycle.proofs.rows import Save, Stored


class Place(NamedTuple):
    """What a check must name: log and index, or where no log can be told, the position."""

    log: str | None
    index: int
    position: int | None = None


class Database:
    """The rows of an honest log, and a connection to change them by."""

    def __init__(self, connection: Connection, rows: list[Stored], saves: list[Save]) -> None:
        self.connection, self.rows, self.saves = connection, rows, saves

    def run(self, statement: str, **values: Any) -> None:
        self.connection.execute(text(statement), values)

    def put(self, row: Stored) -> None:
        """Write a row as its columns say, whether there was one at its position or not."""
        self.run("DELETE FROM events WHERE position = :position", position=row.position)
        self.insert(row)

    def insert(self, row: Stored) -> None:
        columns = ["position", "stream", "version", "type", "schema", "log", "log_index", "leaf_hash", "leaf"]
        marks = ", ".join(f":{column}" for column in columns)
        self.run(f"INSERT INTO events ({', '.join(columns)}) VALUES ({marks})", **dict(zip(columns, row, strict=True)))


Edit = Callable[[Database, Random], Place]


def rehashed(row: Stored, leaf: bytes) -> Stored:
    return row._replace(leaf=leaf, leaf_hash=sha256(b"\x00" + leaf).digest())


def at(row: Stored) -> Place:
    return Place(row.log, row.log_index, row.position)


def some(database: Database, chance: Random) -> Stored:
    return chance.choice(database.rows)


def bit_flipped(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    leaf = bytearray(row.leaf)
    leaf[chance.randrange(len(leaf))] ^= 1 << chance.randrange(8)
    database.put(row._replace(leaf=bytes(leaf)))
    return at(row)


def hash_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(leaf_hash=chance.randbytes(32)))
    return at(row)


def leaf_and_hash_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(rehashed(row, row.leaf.replace(b"fait ", b"fait nouveau ")))
    return at(row)


def not_canonical(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(rehashed(row, row.leaf.replace(b'"schema":1', b'"schema": 1')))
    return at(row)


def newest_deleted(database: Database, chance: Random) -> Place:
    row = database.rows[-1]
    database.run("DELETE FROM events WHERE position = :p", p=row.position)
    return at(row)


def newest_saves_deleted_with_their_receipts(database: Database, chance: Random) -> Place:
    first = database.saves[-chance.randint(1, 20)].first
    gone = [row for row in database.rows if row.position >= first]
    database.run("DELETE FROM events WHERE position >= :p", p=first)
    database.run("DELETE FROM receipts WHERE first_position >= :p", p=first)
    log = min(row.log for row in gone)
    return at(next(row for row in gone if row.log == log))


def newest_save_deleted_and_its_receipt_left(database: Database, chance: Random) -> Place:
    first = database.saves[-1].first
    gone = [row for row in database.rows if row.position >= first]
    database.run("DELETE FROM events WHERE position >= :p", p=first)
    row = min(gone, key=lambda each: (each.log, each.position))
    return Place(row.log, row.log_index, first)


def middle_deleted(database: Database, chance: Random) -> Place:
    row = chance.choice(database.rows[:-1])
    database.run("DELETE FROM events WHERE position = :p", p=row.position)
    return at(row)


def swapped(database: Database, chance: Random) -> Place:
    log = chance.choice([row.log for row in database.rows])
    one, other = sorted(chance.sample([row for row in database.rows if row.log == log], 2))
    places = [(row.position, row.log_index) for row in (one, other)]
    for row, (position, index) in zip((other, one), places, strict=True):
        database.put(row._replace(position=position, log_index=index))
    return at(one)


def duplicated(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.insert(row)
    return at(row)


def duplicated_at_the_end(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    size = sum(each.log == row.log for each in database.rows)
    position = len(database.rows) + 1
    database.insert(row._replace(position=position, log_index=size))
    database.run("INSERT INTO receipts VALUES ('again', :d, :p, :p)", d=b"", p=position)
    return Place(row.log, size)


def index_renumbered(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(log_index=row.log_index + chance.choice([-1, 1, 1000])))
    return at(row)


def position_gap(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.run("UPDATE events SET position = position + 1000 WHERE position >= :p", p=row.position)
    return Place(None, -1, row.position)


def type_column_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(type="plan-agreed"))
    return at(row)


def schema_column_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(schema=2))
    return at(row)


def stream_column_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(stream="framework-of-another"))
    return at(row)


def version_column_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(version=row.version + chance.choice([-1, 1])))
    return at(row)


def log_column_changed(database: Database, chance: Random) -> Place:
    row = some(database, chance)
    database.put(row._replace(log="ML-9-99-99"))
    return at(row)


def log_renamed(database: Database, chance: Random) -> Place:
    log = some(database, chance).log
    database.run("UPDATE events SET log = 'ML-9-99-99' WHERE log = :log", log=log)
    return Place(log, 0)


def receipt_deleted(database: Database, chance: Random) -> Place:
    save = chance.choice(database.saves)
    database.run("DELETE FROM receipts WHERE key = :key", key=save.key)
    return at(database.rows[save.first - 1])


def receipt_key_changed(database: Database, chance: Random) -> Place:
    save = chance.choice(database.saves)
    database.run("UPDATE receipts SET key = 'another' WHERE key = :key", key=save.key)
    return at(database.rows[save.first - 1])


def receipt_moved(database: Database, chance: Random) -> Place:
    save = chance.choice(database.saves[:-1])
    database.run("UPDATE receipts SET last_position = :p WHERE key = :key", key=save.key, p=save.last + 1)
    return at(database.rows[save.last])


def recorded_at_set_back(database: Database, chance: Random) -> Place:
    row = chance.choice(database.rows[1:])
    database.put(rehashed(row, row.leaf.replace(b'"recorded_at":"2026', b'"recorded_at":"2025')))
    return at(row)


def first_of_a_log_set_back(database: Database, chance: Random) -> Place:
    """Earlier than the event before it, which is of another log: no log on its own tells."""
    row = chance.choice([row for row in database.rows[1:] if row.log_index == 0])
    database.put(rehashed(row, row.leaf.replace(b'"recorded_at":"2026', b'"recorded_at":"2025')))
    return at(row)


def forged_in_between(database: Database, chance: Random) -> Place:
    """An event is made up, and everything behind it renumbered and its receipt invented."""
    row = some(database, chance)
    p = row.position
    database.run("UPDATE events SET position = position + 1 WHERE position >= :p", p=p)
    database.run("UPDATE events SET log_index = log_index + 1 WHERE position > :p AND log = :log", p=p, log=row.log)
    moved = "first_position = first_position + 1, last_position = last_position + 1"
    database.run(f"UPDATE receipts SET {moved} WHERE first_position >= :p", p=p)
    database.run(
        "UPDATE receipts SET last_position = last_position + 1 WHERE first_position < :p AND last_position >= :p", p=p
    )
    save = next(each for each in database.saves if each.first <= p <= each.last)
    key = save.key if save.first < p else "forged"
    leaf = row.leaf.replace(row.stream.encode(), b"framework-forged")
    leaf = leaf.replace(b'"version":%d}' % row.version, b'"version":1}').replace(save.key.encode(), key.encode())
    database.insert(rehashed(row, leaf)._replace(stream="framework-forged", version=1))
    if key == "forged":
        database.run("INSERT INTO receipts VALUES ('forged', :d, :p, :p)", d=b"", p=p)
    return at(row)


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        bit_flipped, hash_changed, leaf_and_hash_changed, not_canonical, newest_deleted,
        newest_saves_deleted_with_their_receipts, newest_save_deleted_and_its_receipt_left,
        middle_deleted, swapped, duplicated, duplicated_at_the_end,
        index_renumbered, position_gap, type_column_changed, schema_column_changed, stream_column_changed,
        version_column_changed, log_column_changed, log_renamed, receipt_deleted, receipt_key_changed,
        receipt_moved, recorded_at_set_back, first_of_a_log_set_back, forged_in_between,
    )
}  # fmt: skip
WHOLE = frozenset({"leaf_and_hash_changed", "newest_saves_deleted_with_their_receipts", "swapped", "forged_in_between"})
"""Edits after which a log may fit together again: only what was signed finds them, or names the first."""
