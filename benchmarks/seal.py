"""Sealing and checking a live log against bare read and SHA-256; and what index and hash cost an append."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import count as numbers
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory
from typing import cast
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from tests.postgres import new_database
from tests.store.saves import save

from benchmarks.append import PAPER, many, prepared, said
from benchmarks.measure import databases, line, ratio, rounds, seconds
from benchmarks.verify import leaf
from cycle.aggregates.base import PLATFORM, LogName
from cycle.engine import Engine
from cycle.proofs.note import SigningKey
from cycle.store import Append, NewLeaf
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sealing.sealer import Sealer
from cycle_adapters.sql import rows, sqlite
from cycle_adapters.sql.auditing import STORED
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder

LOGS = 50
KEY = SigningKey("cycle.example.org", Ed25519PrivateKey.generate())
PLAIN_STANDING = (
    "SELECT position, leaf, (SELECT max(version) FROM events WHERE stream = ?), (SELECT 0 WHERE ? IS NULL),"
    " (SELECT {last} WHERE ? IS NOT NULL) FROM events ORDER BY position DESC LIMIT 1"
)
"""What a save looks at without log index; that the accounts are the same is taken for granted."""


def fill(store: SqlRecorder, count: int) -> None:
    """So many events of about 700 bytes in fifty logs, fifty to a save."""
    for first in range(0, count, 50):
        key, log = f"save-{first}", f"ML-4-{first // 50 % LOGS:02}"
        leaves = tuple(_new(number, key, log) for number in range(first, first + 50))
        at = datetime(2026, 1, 1, tzinfo=UTC)
        store.append(Append(leaves, key, sha256(key.encode()).digest(), recorded_at=at))


def _new(number: int, key: str, log: str) -> NewLeaf:
    state, own = leaf(number), f"0185958b-1c00-7{number & 4095:03x}-8{number >> 12 & 4095:03x}-{number:012x}"
    state = state.replace(f'"causation":"{own}"'.encode(), f'"causation":"{key}"'.encode())
    state = state.replace(b'"log":"ML-4-01-04"', f'"log":"{log}"'.encode())
    stream = f"framework-0185958b-1c00-7000-8000-{number // 50:012x}"
    hole = state.index(b'"recorded_at":"') + 15
    return NewLeaf(stream, number % 50 + 1, "monitoring-recorded", state, own, LogName(log), 1, hole)


def reading(kind: str, url: str, folder: Path, count: int, times: int) -> None:
    store = SqlRecorder(open_database(url))
    fill(store, count)

    def bare() -> None:
        digest = sha256
        for row in store._streamed(STORED, {"after": 0, "up_to": count}):
            digest(b"\x00" + row[8]).digest()

    def seal() -> None:
        rmtree(folder, ignore_errors=True)
        Sealer(store, Folder(folder), KEY, lambda: datetime.now(UTC)).seal()

    def verify() -> None:
        verify_live(store, Sealed(Folder(folder)))

    found = rounds({"bare": bare, "seal": seal, "verify": verify}, times)
    for name in ("seal", "verify"):
        line(kind, f"{name}: events/s", count / median(each[name] for each in found), "")
        line(kind, f"{name} / bare read + SHA-256", ratio(found, name, "bare"), "")
    sealer = Sealer(store, Folder(folder), KEY, lambda: datetime.now(UTC))
    sealer.seal()
    line(kind, "an idle seal that reads 20,000 again, seconds", seconds(sealer.seal), "")
    store.close()


@contextmanager
def plain(accounts: int) -> Iterator[None]:
    """The same store without log index and leaf hash: no column is filled, no index kept, nothing hashed."""
    with (
        patch.object(sqlite, "leaf_hash", lambda _: b""),
        patch.object(rows, "leaf_hash", lambda _: b""),
        patch.object(sqlite, "STANDING", PLAIN_STANDING.format(last=accounts - 1)),
    ):
        yield


def strip(store: SqlRecorder) -> None:
    """Take index and hash out of a new database's table, and on PostgreSQL out of its function."""
    is_sqlite = store.database.dialect.name == "sqlite"
    with store.database.begin() as connection:
        if is_sqlite:
            connection.execute(
                text(
                    "CREATE TABLE stripped (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INT NOT NULL,"
                    " type TEXT NOT NULL, schema SMALLINT NOT NULL, log TEXT NOT NULL, log_index BIGINT,"
                    " leaf_hash BLOB, leaf BLOB NOT NULL, UNIQUE (stream, version))"
                )
            )
            connection.execute(text("INSERT INTO stripped SELECT * FROM events"))
            connection.execute(text("DROP TABLE events"))
            connection.execute(text("ALTER TABLE stripped RENAME TO events"))
            return
        source: str = connection.execute(text("SELECT pg_get_functiondef('cycle_append'::regproc)")).scalar_one()
        changes = {
            "log, log_index, leaf_hash, leaf)": "log, leaf)",
            "new_index,\n                            sha256('\\x00'::bytea || written), written": "written",
            "SELECT 1 + coalesce(max(e.log_index), -1) INTO new_index FROM events e WHERE e.log = l.log;": (
                "new_index := 0;"
            ),
            "1 + coalesce((SELECT max(e.log_index) FROM events e WHERE e.log = c.log), -1)": "c.size",
        }
        for old, new in changes.items():
            if old not in source:
                raise RuntimeError(f"the function of the store says it otherwise now: {old}")
            source = source.replace(old, new)
        connection.exec_driver_sql(source.replace("%", "%%"))
        connection.execute(text("ALTER TABLE events DROP COLUMN log_index, DROP COLUMN leaf_hash"))


def appending(kind: str, whole: str, bare: str, times: int) -> None:
    """By the full command path, and by the store alone, one thread and sixteen."""
    engines = {"whole": Engine(whole), "plain": Engine(bare)}
    frameworks = {name: prepared(engine, 16) for name, engine in engines.items()}
    accounts = engines["plain"].store.log_size(PLATFORM)
    strip(cast("SqlRecorder", engines["plain"].store))
    numbered = numbers()

    def by_command(name: str, thread: int) -> None:
        engines[name].execute(said(PAPER, frameworks[name][thread]))

    def by_store(name: str, thread: int) -> None:
        engines[name].store.append(save(f"s-{next(numbered)}", log=f"ML-4-{thread:02}"))

    for what, one in (("command", by_command), ("save", by_store)):
        for threads, each in ((1, 300), (16, 40)):
            runs = {name: many(partial(one, name), threads, each) for name in engines}

            def without(run: Callable[[], None] = runs["plain"]) -> None:
                with plain(accounts):
                    run()

            found = rounds({"whole": runs["whole"], "plain": without}, times)
            cost = 100 * (ratio(found, "whole", "plain") - 1)
            limit = "at most 20" if what == "command" else ""
            line(kind, f"index and leaf hash add to a {what}, %, {threads} thread(s)", cost, limit)
    for engine in engines.values():
        engine.close()


def main(count: int = 100_000, times: int = 5) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            is_sqlite = database.kind == "sqlite"
            urls = [
                f"sqlite:///{folder}/{name}.db" if is_sqlite else new_database(database.url)
                for name in ("read", "whole", "plain")
            ]
            reading(database.kind, urls[0], Path(folder) / f"{database.kind}.seals", count, times)
            appending(database.kind, urls[1], urls[2], 2 * times + 1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
