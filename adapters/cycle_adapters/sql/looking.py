"""What is known of a database by looking at it: nothing is set up, migrated or written. For ``cycle doctor``."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from os import geteuid
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cycle.health import Check, bad, fine, warning
from cycle.store import Unavailable
from cycle_adapters.sql.opening import REVISION, cannot_use, parse, place_of, revision_of

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of a server without which what was acknowledged can be lost."""


def looked(database: str) -> Sequence[Check]:
    """Everything that can be seen of the database; the first thing that cannot be ends it."""
    found: list[Check] = []
    try:
        url = parse(database)
        for check in _of_a_file(url) if url.drivername == "sqlite" else _of_a_server(url):
            found.append(check)  # noqa: PERF402 - what was seen before an error is kept
    except Unavailable as error:
        found.append(bad("database", "unavailable", why=error))
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        found.append(bad("database", "unavailable", why=cannot_use(error, url)))
    return found


def _of_a_file(url: URL) -> Iterator[Check]:
    path = Path(url.database or "")
    if not path.is_file():
        raise Unavailable("no-database", str(path))
    yield fine("kind", "sqlite", path=str(path.absolute()))
    yield _file(path)
    # An engine of our own would set what is looked for here.
    there = f"{path.absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(there, uri=True, timeout=10), poolclass=NullPool
    )
    with closing(sqlite3.connect(there, uri=True, timeout=10)) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        yield fine("journal", "wal") if mode == "wal" else bad("journal", "other", mode=mode)
        yield fine("synchronous", "full")
        yield from _migrations(engine, url)
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        yield fine("integrity", "whole") if said == "ok" else bad("integrity", "damaged", path=str(path))


def _file(path: Path) -> Check:
    found = path.stat()
    mode, who = stat.S_IMODE(found.st_mode), {"path": str(path), "mode": f"{stat.S_IMODE(found.st_mode):o}"}
    if mode & stat.S_IWOTH:
        return bad("file", "open", **who)
    if found.st_uid != geteuid():
        return warning("file", "another", **who)
    return warning("file", "readable", **who) if mode & stat.S_IROTH else fine("file", "own", **who)


def _of_a_server(url: URL) -> Iterator[Check]:
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    with engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        yield fine("kind", "postgresql", place=place_of(url), version=version)
        yield _durable(connection)
    yield from _migrations(engine, url)


def _durable(connection: Connection) -> Check:
    off = [name for name in DURABLE if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off"]
    return bad("synchronous", "off", names=tuple(off)) if off else fine("synchronous", "full")


def _migrations(engine: Engine, url: URL) -> Iterator[Check]:
    with engine.connect() as connection:
        revision = revision_of(connection, url)
    if revision == REVISION:
        yield fine("migrations", "current", revision=revision)
    else:
        yield warning("migrations", "older", revision=revision or "—", newest=REVISION)
