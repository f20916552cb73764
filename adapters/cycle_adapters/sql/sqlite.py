"""SQLite: one file, WAL, one writer at a time, every commit on the disk before it is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from cycle.aggregates.base import StreamId
from cycle.leaf import leaf_hash
from cycle.store import Append, Conflict, Receipt, ReceiptLine, Unavailable
from cycle_adapters.sql.grouping import Outcome
from cycle_adapters.sql.rows import (
    StoredLine,
    first_versions,
    known_key,
    read,
    receipt_of,
    splice,
    written,
)

LEAST_ROOM = 65_536
"""Bytes that a database must be able to grow by."""


class SqliteWriter:
    """The one connection of this process that writes events."""

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        self._connection = connection
        self._place = place
        self._connection.isolation_level = None

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
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        position, last_time = run("SELECT position, recorded_at FROM cycle_head").fetchone()
        sizes: dict[str, int] = {}
        versions: dict[str, int] = {}
        done: dict[str, tuple[bytes, Receipt]] = {}
        rows: list[tuple[object, ...]] = []
        outcomes: list[Outcome] = []
        begin = position

        def size(log: str) -> int:
            if log not in sizes:
                found = run("SELECT size FROM cycle_log WHERE log = ?", (log,)).fetchone()
                sizes[log] = found[0] if found else 0
            return sizes[log]

        def version(stream: str) -> int:
            if stream not in versions:
                found = run("SELECT max(version) FROM events WHERE stream = ?", (stream,)).fetchone()[0]
                versions[stream] = found or 0
            return versions[stream]

        for save in group:
            before = done.get(save.key) or self.receipt(save.key)
            if before is not None:
                outcomes.append(known_key(save, before))
                continue
            first = first_versions(save)
            if first is None or any(version(stream) != v - 1 for stream, v in first.items()):
                outcomes.append(Conflict(f"{', '.join(first or ())}: somebody else wrote in between"))
                continue
            if any(size(log) != expected for log, expected in save.log_sizes):
                outcomes.append(Conflict("the log has grown in between"))
                continue
            last_time = max(last_time, written(save.recorded_at or datetime.now(UTC)))
            time = last_time.encode()
            lines = []
            for leaf in save.leaves:
                position += 1
                index = size(leaf.log)
                sizes[leaf.log] = index + 1
                stream, v = str(leaf.originator_id), leaf.originator_version
                versions[stream] = v
                state = splice(leaf.state, leaf.hole, time)
                digest = leaf_hash(state)
                rows.append((position, stream, v, leaf.topic, leaf.schema, leaf.log, index, digest, state))
                lines.append(
                    ReceiptLine(leaf.id, leaf.topic, StreamId(stream), v, position, leaf.log, index, digest.hex())
                )
            run(
                "INSERT INTO receipts (key, digest, first_position, last_position) VALUES (?, ?, ?, ?)",
                (save.key, save.digest, lines[0].position, position),
            )
            last = lines[-1]
            receipt = Receipt(save.key, last.stream, last.version, position, read(last_time), tuple(lines))
            done[save.key] = (save.digest, receipt)
            outcomes.append(receipt)
        if position == begin:
            run("ROLLBACK")
            return outcomes
        self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.executemany(
            "INSERT INTO cycle_log VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET size = excluded.size",
            sizes.items(),
        )
        run("UPDATE cycle_head SET position = ?, recorded_at = ?", (position, last_time))
        run("COMMIT")
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
