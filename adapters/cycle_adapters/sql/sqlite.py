"""SQLite: one file, WAL, one writer at a time, every commit on the disk before it is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from cycle.aggregates.base import StreamId
from cycle.leaf import leaf_hash, rfc3339
from cycle.store import Append, Conflict, Receipt, ReceiptLine, Unavailable
from cycle.vault.shapes import VaultChange
from cycle_adapters.sql.grouping import Outcome
from cycle_adapters.sql.rows import (
    StoredLine,
    first_versions,
    known_key,
    read,
    receipt_of,
    recorded_at,
    splice,
    write_vault,
)

LEAST_ROOM = 65_536
"""Bytes that a database must be able to grow by."""

LOOK_SECONDS = 0.2
"""How long whoever only asks waits for the writer's lock."""

STANDING = (
    "SELECT position, leaf, (SELECT max(version) FROM events WHERE stream = ?),"
    " (SELECT max(log_index) FROM events WHERE log = ?), (SELECT max(log_index) FROM events WHERE log = ?)"
    " FROM events ORDER BY position DESC LIMIT 1"
)
"""Where the whole log, one stream and two logs stand: that of a fact, and one that must not have grown."""
EMPTY = (0, None, None, None, None)
CLAIM = (
    "INSERT INTO receipts (key, digest, first_position, last_position) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
)


class SqliteWriter:
    """The one connection of this process that writes events."""

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        self._connection = connection
        self._place = place
        self._last = 0, ""
        """The last position that this process wrote, and its time: read again only when somebody else wrote."""
        self._connection.isolation_level = None
        # Whoever had this connection before may have had no need of the disk.
        self._connection.execute("PRAGMA synchronous = FULL")
        # Each checkpoint costs two fsyncs; the log may wait in 16 MB of WAL instead of 4.
        self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
        # Only what the vault forgets is ever deleted here, and it is overwritten with zeros.
        self._connection.execute("PRAGMA secure_delete = ON")

    def commit(self, group: Sequence[Append]) -> Sequence[Outcome]:
        """One transaction and one fsync for the whole group; a conflict fails its own save only."""
        try:
            return self._commit(group)
        except sqlite3.IntegrityError as error:
            self._rollback()
            if len(group) == 1:
                return [Conflict(str(error))]
            return [self.commit([save])[0] for save in group]
        except sqlite3.Error as error:
            self._rollback()
            return [unavailable(error, self._place)] * len(group)
        except BaseException:
            self._rollback()
            raise

    def _rollback(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _commit(self, group: Sequence[Append]) -> list[Outcome]:
        cursor = self._connection.cursor()
        run = cursor.execute
        run("BEGIN IMMEDIATE")
        position, last_time = -1, ""
        sizes: dict[str, int] = {}
        versions: dict[str, int] = {}
        done: dict[str, tuple[bytes, Receipt]] = {}
        rows: list[tuple[object, ...]] = []
        changes: list[VaultChange] = []
        outcomes: list[Outcome] = []

        def look(stream: str, log: str, other: str) -> None:
            """Where a stream and two logs stand; what this group adds is known already."""
            nonlocal position, last_time
            if stream not in versions or log not in sizes or other not in sizes:
                last, leaf, version, index, other_index = run(STANDING, (stream, log, other)).fetchone() or EMPTY
                versions.setdefault(stream, version or 0)
                sizes.setdefault(log, 0 if index is None else index + 1)
                sizes.setdefault(other, 0 if other_index is None else other_index + 1)
                if position < 0:
                    position, last_time = last, self._last[1]
                    if last != self._last[0]:
                        last_time = recorded_at(leaf) if leaf else ""

        for save in group:
            first, stale = first_versions(save), False
            beside = save.log_sizes[0][0] if save.log_sizes else save.leaves[0].log
            for leaf in save.leaves:
                look(leaf.originator_id, leaf.log, beside)
            for stream, version in first.items():
                stale |= versions[stream] != version - 1
            for log, expected in save.log_sizes:
                if log not in sizes:
                    look(save.leaves[0].originator_id, log, beside)
                stale |= sizes[log] != expected
            last_position = position + len(save.leaves)
            # A key that is known answers even when the log has moved on.
            if stale or not run(CLAIM, (save.key, save.digest, position + 1, last_position)).rowcount:
                before = done.get(save.key) or self.receipt(save.key)
                stalled = Conflict(f"{', '.join(first)}: somebody else wrote in between")
                outcomes.append(known_key(save, before) if before else stalled)
                continue
            last_time = max(last_time, rfc3339(save.recorded_at or datetime.now(UTC)))
            time = last_time.encode()
            lines = []
            for leaf in save.leaves:
                position += 1
                index = sizes[leaf.log]
                sizes[leaf.log] = index + 1
                stream, v = leaf.originator_id, leaf.originator_version
                versions[stream] = v
                state = splice(leaf.state, leaf.hole, time)
                digest = leaf_hash(state)
                rows.append((position, stream, v, leaf.topic, leaf.schema, leaf.log, index, digest, state))
                lines.append(
                    ReceiptLine(leaf.id, leaf.topic, StreamId(stream), v, position, leaf.log, index, digest.hex())
                )
            last = lines[-1]
            receipt = Receipt(save.key, last.stream, last.version, position, read(last_time), tuple(lines))
            done[save.key] = (save.digest, receipt)
            if save.vault is not None:
                changes.append(save.vault)
            outcomes.append(receipt)
        if not rows:
            run("ROLLBACK")
            return outcomes
        cursor.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for change in changes:
            write_vault(run, change)
        run("COMMIT")
        self._last = position, last_time
        return outcomes

    def close(self) -> None:
        self._connection.close()

    def receipt(self, key: str) -> tuple[bytes, Receipt] | None:
        """The digest and receipt under a key."""
        run = self._connection.execute
        found = run("SELECT digest, first_position, last_position FROM receipts WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        lines: list[StoredLine] = run(
            "SELECT position, stream, version, type, log, log_index, leaf_hash, leaf FROM events"
            " WHERE position BETWEEN ? AND ? ORDER BY position",
            found[1:],
        ).fetchall()
        return found[0], receipt_of(key, lines)


def demand_writable(place: str) -> None:
    """Take the writer's lock and give it back. Who writes just now shows that one can.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    # Not made again where somebody has taken it away.
    there = f"{Path(place).absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(there, uri=True, timeout=LOOK_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        else:
            connection.execute("ROLLBACK")


def unavailable(error: sqlite3.Error, place: str) -> Unavailable:
    """Why SQLite cannot be used; ``place`` is its file."""
    match getattr(error, "sqlite_errorname", "").split("_")[1:2]:
        case ["FULL"]:
            return Unavailable("full")
        case ["NOTADB"]:
            return Unavailable("not-a-database", place)
        case ["READONLY" | "CANTOPEN"]:
            return Unavailable("not-writable", place)
        case ["BUSY" | "LOCKED"]:
            return Unavailable("locked")
        case ["IOERR"]:
            # Without room for its shared memory SQLite calls the disk broken.
            full = disk_usage(Path(place).absolute().parent).free < LEAST_ROOM
            return Unavailable("full") if full else Unavailable("disk", str(error))
        case _:
            return Unavailable("other", str(error))
