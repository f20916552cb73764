"""The vault's tables: written inside the append, read and destroyed here. They hold ciphertext only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import starmap
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from cycle.aggregates.base import PLATFORM, LogName, StreamId
from cycle.identity.shapes import place
from cycle.store import Unavailable
from cycle.vault.shapes import SealedOpening, StoredOpening, VaultChange, VaultStore, WrappedKey
from cycle.webhooks.shapes import place as secret_place
from cycle_adapters.sql.beside import SqlBeside, overwrite
from cycle_adapters.sql.opening import BUSY_MILLISECONDS
from cycle_adapters.sql.rows import Run, write_vault
from cycle_adapters.sql.schema import events, factors, vault_cleaning, vault_keys, vault_openings, webhook_secrets

CLEANING_MILLISECONDS = 2_000
"""How long a reader that is in the way of cleaning is waited for; it is cleaned later then."""


class SqlVault(SqlBeside, VaultStore):
    """The vault on either database."""

    def key(self, stream: StreamId) -> WrappedKey | None:
        with self._reading() as connection:
            found = connection.execute(KEYS.where(vault_keys.c.stream == stream)).first()
        return _key(*found) if found else None

    def openings(
        self, *, stream: StreamId | None = None, log: LogName | None = None, size: int | None = None
    ) -> list[StoredOpening]:
        query = OPENINGS
        if stream is not None:
            query = query.where(vault_openings.c.stream == stream)
        if log is not None:
            query = query.where(vault_openings.c.log == log)
        if size is not None:
            query = query.where(events.c.log_index < size)
        with self._reading() as connection:
            found = connection.execute(query.order_by(events.c.log_index, vault_openings.c.field)).all()
        return list(starmap(_opening, found))

    def rewrap(self, turned: Callable[[WrappedKey], WrappedKey]) -> int:
        changed = 0
        with self._writing() as connection:
            query = KEYS.order_by(vault_keys.c.stream)
            for row in connection.execute(query if self._is_sqlite else query.with_for_update()).all():
                key = _key(*row)
                other = turned(key)
                if other != key:
                    values = {"key_id": other.key_id, "wrapped": other.wrapped}
                    connection.execute(update(vault_keys).where(vault_keys.c.stream == key.stream).values(values))
                    changed += 1
            _rewrap_factors(connection, turned)
            _rewrap_webhooks(connection, turned)
        return changed

    def streams(self) -> set[StreamId]:
        with self._reading() as connection:
            held = (select(table.c.stream).distinct() for table in (vault_keys, vault_openings))
            return {StreamId(stream) for query in held for (stream,) in connection.execute(query)}

    def forget(self, streams: Collection[StreamId]) -> None:
        with self._writing() as connection:
            forget(connection, streams)
        self.clean()

    def clean(self) -> bool:
        try:
            if not self.is_unclean():
                return True
            cleaned = self._checkpointed() if self._is_sqlite else self._vacuumed()
            if cleaned:
                with self._writing() as connection:
                    connection.execute(delete(vault_cleaning))
        except (DBAPIError, sqlite3.Error, psycopg.Error, Unavailable):
            # Not now, or not with the rights of this account: whoever opens next tries again.
            return False
        return cleaned

    def is_unclean(self) -> bool:
        """Whether what was destroyed may still stand in files of the database."""
        with self._reading() as connection:
            return connection.execute(select(vault_cleaning.c.stream).limit(1)).first() is not None

    def _checkpointed(self) -> bool:
        """Whether nothing is left in the WAL: pages are in the file, where what was deleted is zeros."""
        with self._own() as connection:
            run = cast("sqlite3.Connection", connection).execute
            run(f"PRAGMA busy_timeout = {CLEANING_MILLISECONDS}")
            busy = run("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            run(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        return not busy

    def _vacuumed(self) -> bool:
        """Whether the keys stand in a new file, without those that were deleted."""
        with self._own() as connection:
            driver = cast("psycopg.Connection[Any]", connection)
            driver.autocommit = True
            driver.execute(f"SET lock_timeout = {CLEANING_MILLISECONDS}")
            driver.execute("VACUUM (FULL) vault_keys")
        return True

    @contextmanager
    def _own(self) -> Iterator[object]:
        """A connection without a transaction, closed afterwards."""
        pooled = self._database.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        try:
            yield connection
        finally:
            with suppress(sqlite3.Error, psycopg.Error):
                cast("sqlite3.Connection", connection).close()


def _rewrap_factors(connection: Connection, turned: Callable[[WrappedKey], WrappedKey]) -> None:
    """Second factors are sealed by the same key."""
    query = select(factors.c.account, factors.c.key_id, factors.c.wrapped).order_by(factors.c.account)
    for account, key_id, wrapped in connection.execute(query.with_for_update()).all():
        other = turned(WrappedKey(place(account), PLATFORM, key_id, bytes(wrapped)))
        values = {"key_id": other.key_id, "wrapped": other.wrapped}
        connection.execute(update(factors).where(factors.c.account == account).values(values))


def _rewrap_webhooks(connection: Connection, turned: Callable[[WrappedKey], WrappedKey]) -> None:
    """And so are the secrets of webhooks."""
    secrets = webhook_secrets
    query = select(secrets.c.webhook, secrets.c.number, secrets.c.key_id, secrets.c.wrapped)
    for webhook, number, key_id, wrapped in connection.execute(query.with_for_update()).all():
        other = turned(WrappedKey(secret_place(webhook, number), PLATFORM, key_id, bytes(wrapped)))
        this = (secrets.c.webhook == webhook) & (secrets.c.number == number)
        connection.execute(update(secrets).where(this).values(key_id=other.key_id, wrapped=other.wrapped))


def forget(connection: Connection, streams: Collection[StreamId]) -> None:
    """Destroy what the vault holds of these people; the files are cleaned after the commit."""
    held = select(vault_keys.c.stream).union(select(vault_openings.c.stream))
    found = {StreamId(stream) for (stream,) in connection.execute(held)} if streams else set()
    if back := found & set(streams):
        overwrite(connection)
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        write_vault(_runs(connection), VaultChange(forgotten=sorted(back)), mark)


def _runs(connection: Connection) -> Run:
    return lambda statement, values: connection.exec_driver_sql(statement, tuple(values))


def _key(stream: str, log: str, key_id: str, wrapped: bytes) -> WrappedKey:
    return WrappedKey(StreamId(stream), LogName(log), key_id, bytes(wrapped))


def _opening(
    stream: str, field: str, version: int, log: str, event: str, sealed: bytes,
    key_log: str, key_id: str, wrapped: bytes, index: int, leaf: bytes,
) -> StoredOpening:  # fmt: skip
    opening = SealedOpening(StreamId(stream), field, version, LogName(log), event, bytes(sealed))
    return StoredOpening(opening, _key(stream, key_log, key_id, wrapped), index, bytes(leaf))


KEYS = select(vault_keys.c.stream, vault_keys.c.log, vault_keys.c.key_id, vault_keys.c.wrapped)
OPENINGS = (
    select(*vault_openings.c, vault_keys.c.log, vault_keys.c.key_id, vault_keys.c.wrapped)
    .add_columns(events.c.log_index, events.c.leaf)
    .join(vault_keys, vault_keys.c.stream == vault_openings.c.stream)
    .join(events, (events.c.stream == vault_openings.c.stream) & (events.c.version == vault_openings.c.version))
)
