"""Opening a database: whose it is, how new it is, and the settings that durability rests on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from cycle.store import Unavailable

REVISION = "0001"
"""The newest migration of this release."""
REVISIONS = frozenset({REVISION})
APPLICATION_ID = 0x4379_636C  # "Cycl"
BUSY_MILLISECONDS = 60_000
READ_ONLY = "cycle_read_only"
"""Execution option of a connection that only reads: it takes no write lock on SQLite."""


def parse(database: str) -> URL:
    """Raises:
    Unavailable: not an address of SQLite or PostgreSQL.
    """
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise Unavailable(
            "the database address cannot be read: write sqlite:///cycle.db or postgresql+psycopg://user@host/name"
        ) from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Unavailable(
            f"databases of the kind {url.drivername!r} are not supported: write sqlite:///cycle.db or"
            " postgresql+psycopg://user@host/name"
        )
    return url


def open_database(database: str) -> Engine:
    """An engine on a database that is ours and up to date; a new one is set up.

    On SQLite ``engine.begin()`` takes the write lock at once (a deferred read-then-write fails),
    unless the connection has the execution option ``READ_ONLY``.

    Raises:
        Unavailable: wrong address, no server, not ours, newer than this release, not writable.
    """
    url = parse(database)
    engine = _sqlite(url) if url.drivername == "sqlite" else create_engine(url, pool_pre_ping=True, pool_size=20)
    try:
        _prepare(engine, url)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _prepare(engine: Engine, url: URL) -> None:
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            revision = _revision(connection, url)
        if revision != REVISION:
            _migrate(engine, url)
    except (DBAPIError, sqlite3.Error) as error:
        raise cannot_open(error, url) from error


def _revision(connection: Connection, url: URL) -> str | None:
    """The database's revision; None when it is empty.

    Raises:
        Unavailable: it is somebody else's, or newer than this release.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    ours = "alembic_version" in tables and "cycle_log" in tables
    if url.drivername == "sqlite":
        ours = ours and connection.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID
    if not ours:
        raise Unavailable(f"{_place(url)} holds something else than a log of cycle: name another with --database")
    revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    if revision not in REVISIONS:
        raise Unavailable(
            f"{_place(url)} was written by a newer release of cycle (its schema is {revision}, this release"
            f" knows up to {REVISION}): update cycle"
        )
    return revision


def _migrate(engine: Engine, url: URL) -> None:
    # Imported here: most starts find the database up to date, and Alembic takes a while to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if url.drivername != "sqlite":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
        # Somebody else may have done it while we waited for the lock.
        if _revision(connection, url) != REVISION:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _sqlite(url: URL) -> Engine:
    path = url.database or ""
    if path in ("", ":memory:"):
        raise Unavailable("a log in memory is lost when the program ends: name a file, such as sqlite:///cycle.db")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise Unavailable(f"the folder {folder} does not exist: make it, or name another file with --database")
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        configure_sqlite(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def configure_sqlite(connection: sqlite3.Connection) -> None:
    """Set what durability rests on, and read it back.

    Raises:
        Unavailable: a setting does not take.
    """
    connection.isolation_level = None
    run = connection.execute
    run(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    run("PRAGMA journal_mode = WAL")
    run("PRAGMA synchronous = FULL")
    run("PRAGMA foreign_keys = ON")
    # A commit touches six pages: at the default of 1,000 every 170th commit would pay for a checkpoint.
    run("PRAGMA wal_autocheckpoint = 8000")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for name, value in wanted.items():
        found = run(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise Unavailable(
                f"SQLite does not take {name} = {value} here (it says {found}): move the file to a local disk"
            )


def _place(url: URL) -> str:
    return f"the file {url.database}" if url.drivername == "sqlite" else f"the database {url.database}"


def cannot_open(error: DBAPIError | sqlite3.Error, url: URL) -> Unavailable:
    """One line that says what to do, without the password."""
    cause = getattr(error, "orig", error)
    if url.drivername == "sqlite":
        name = getattr(cause, "sqlite_errorname", "")
        if name == "SQLITE_NOTADB":
            return Unavailable(f"{_place(url)} is not a database: name another with --database")
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
            return Unavailable(f"{_place(url)} cannot be opened for writing: check the rights on it and its folder")
        if name.startswith("SQLITE_FULL"):
            return Unavailable("the disk is full: make room and try again")
        if name.startswith("SQLITE_BUSY"):
            return Unavailable(f"{_place(url)} is locked by another program: close it and try again")
        return Unavailable(f"{_place(url)} cannot be opened: {cause}")
    if getattr(cause, "sqlstate", None):
        return Unavailable(f"{_place(url)} on {url.host} refuses: {str(cause).splitlines()[0]}")
    return Unavailable(
        f"no PostgreSQL answers for {_place(url)} on {url.host or 'the local socket'}: check that it runs and"
        " that the address, user and password are right"
    )
