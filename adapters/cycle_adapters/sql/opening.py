"""Opening a database: whose it is, how new it is, and the settings that durability rests on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, PoolResetState

from cycle.store import Unavailable
from cycle_adapters.sql import postgres, sqlite

REVISION = "0005"
"""The newest migration of this release."""
REVISIONS = frozenset({"0001", "0002", "0003", "0004", REVISION})
APPLICATION_ID = 0x4379_636C  # "Cycl"
BUSY_MILLISECONDS = 60_000
NOTICING = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A server whose machine has vanished says nothing: it is given up after ten seconds, not after a quarter of an hour.
What the address of the database says goes before it."""
READ_ONLY = "cycle_read_only"
"""Execution option of a connection that only reads: it takes no write lock on SQLite, and each statement is a
transaction of its own on PostgreSQL, as it sees a moment of its own there: two round trips less."""
DERIVED = "cycle_derived"
"""Execution option of a connection that writes what can be made again from the log: its commits are whole
and in order, and wait for no disk. Who loses power loses the last of them, and folds the events again."""


def parse(database: str) -> URL:
    """Raises:
    Unavailable: not an address of SQLite or PostgreSQL.
    """
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise Unavailable("address") from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Unavailable("kind", url.drivername)
    return url


def open_database(database: str) -> Engine:
    """An engine on a database that is ours and up to date; a new one is set up.

    On SQLite ``engine.begin()`` takes the write lock at once (a deferred read-then-write fails),
    unless the connection has the execution option ``READ_ONLY``. ``DERIVED`` waits for no disk.

    Raises:
        Unavailable: wrong address, no server, not ours, newer than this release, not writable.
    """
    url = parse(database)
    engine = _sqlite(url) if url.drivername == "sqlite" else _postgres(url)

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> None:
        cause = context.original_exception
        if isinstance(cause, sqlite3.Error | psycopg.Error):
            found = cannot_use(cause, url)
            if found.cause != "other":
                raise found from cause

    try:
        _prepare(engine, url)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _prepare(engine: Engine, url: URL) -> None:
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            revision = revision_of(connection, url)
        if revision != REVISION:
            _migrate(engine, url)
    except (DBAPIError, sqlite3.Error) as error:
        raise cannot_use(error, url) from error


def revision_of(connection: Connection, url: URL) -> str | None:
    """The database's revision; None when it is empty.

    Raises:
        Unavailable: it is somebody else's, or newer than this release.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    ours = "alembic_version" in tables and "receipts" in tables
    if url.drivername == "sqlite":
        ours = ours and connection.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID
    if not ours:
        raise Unavailable("not-ours", place_of(url))
    revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    if revision not in REVISIONS:
        raise Unavailable("newer", place_of(url))
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
        if revision_of(connection, url) != REVISION:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _sqlite(url: URL) -> Engine:
    path = url.database or ""
    if path in ("", ":memory:"):
        raise Unavailable("in-memory")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise Unavailable("no-folder", str(folder))
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        configure_sqlite(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(READ_ONLY):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if options.get(DERIVED) else 'FULL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres(url: URL) -> Engine:
    url = url.update_query_dict({**NOTICING, **url.query})
    engine = create_engine(url, pool_size=20, pool_reset_on_return=None)

    @event.listens_for(engine, "set_engine_execution_options")
    @event.listens_for(engine, "set_connection_execution_options")
    def read_only(_: Engine | Connection, options: dict[str, Any]) -> None:
        # What is read row by row is read from a cursor of the server, which lasts as long as a transaction.
        if options.get(READ_ONLY) and "yield_per" not in options:
            options.setdefault("isolation_level", "AUTOCOMMIT")

    @event.listens_for(engine, "checkout")
    def look(connection: psycopg.Connection[Any], _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        if not postgres.is_alive(connection):
            # Those that were made before it went with it.
            raise InvalidatePoolError

    @event.listens_for(engine, "connect")
    def configure(connection: psycopg.Connection[Any], _: Any) -> None:
        postgres.configure(connection)

    @event.listens_for(engine, "reset")
    def reset(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, state: PoolResetState) -> None:
        # Whoever left off reading in an error that holds itself is found by the collector of garbage, and the
        # connection before its reader. That one still has the driver's lock: a rollback would wait for ever.
        if connection.closed or connection.lock.locked():
            record.invalidate()
        elif not state.transaction_was_reset:
            try:
                connection.rollback()
            except psycopg.OperationalError:
                # The server went away meanwhile, as whoever was at work has heard.
                record.invalidate()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(DERIVED):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

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
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for name, value in wanted.items():
        found = run(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise Unavailable("setting", f"{name} = {value}")


def place_of(url: URL) -> str:
    """The file, or database and host: never the user or the password."""
    return str(url.database) if url.drivername == "sqlite" else f"{url.database} ({url.host or 'local'})"


def cannot_use(error: DBAPIError | sqlite3.Error | psycopg.Error, url: URL) -> Unavailable:
    """Why a database cannot be opened, read or written."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return sqlite.unavailable(cause, place_of(url))
    return postgres.unavailable(cast("psycopg.Error", cause), place_of(url))
