"""What is kept for webhooks alone: sealed secrets, and whose turn it is to deliver."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, cast

import psycopg
from sqlalchemy import delete, or_, select, update

from cycle.aggregates.base import PLATFORM
from cycle.aggregates.terms import WebhookId
from cycle.vault.shapes import WrappedKey
from cycle.webhooks.shapes import KeptSecret, Turn, WebhookStore, place
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.opening import APPLICATION_ID, place_of
from cycle_adapters.sql.queues import inserted, milliseconds
from cycle_adapters.sql.schema import webhook_secrets


class SqlWebhooks(SqlBeside, WebhookStore):
    """What is kept of webhooks, on either database."""

    @contextmanager
    def turn(self) -> Iterator[Turn | None]:
        with self._explained():
            held = self._turn_on_sqlite() if self._is_sqlite else self._turn_on_postgres()
        if held is None:
            yield None
            return
        with closing(held):
            yield held

    def _turn_on_sqlite(self) -> _SqliteTurn | None:
        # A file of its own, so that nobody who works with the log waits.
        connection = sqlite3.connect(
            f"{place_of(self._database.url)}-delivering", timeout=0, check_same_thread=False, isolation_level=None
        )
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return _SqliteTurn(connection)

    def _turn_on_postgres(self) -> _PostgresTurn | None:
        pooled = self._database.raw_connection()
        connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
        pooled.detach()
        connection.autocommit = True
        turn = _PostgresTurn(connection)
        if turn.taken():
            return turn
        turn.close()
        return None

    def keep_secret(self, webhook: WebhookId, secret: KeptSecret, old_until: float) -> None:
        values = {
            "webhook": webhook,
            "number": secret.number,
            "key_id": secret.sealed.key_id,
            "wrapped": secret.sealed.wrapped,
            "until": None,
        }
        before = (webhook_secrets.c.webhook == webhook) & (webhook_secrets.c.number < secret.number)
        earlier = or_(webhook_secrets.c.until.is_(None), webhook_secrets.c.until > milliseconds(old_until))
        with self._writing() as connection:
            made = inserted(connection, webhook_secrets).values(values)
            kept = connection.execute(made.on_conflict_do_nothing()).rowcount
            if kept:
                ends = update(webhook_secrets).where(before, earlier).values(until=milliseconds(old_until))
                connection.execute(ends)

    def secrets(self, webhook: WebhookId) -> Sequence[KeptSecret]:
        query = select(*webhook_secrets.c).where(webhook_secrets.c.webhook == webhook)
        with self._reading() as connection:
            found = connection.execute(query.order_by(webhook_secrets.c.number.desc())).all()
        return [
            KeptSecret(
                row.number,
                WrappedKey(place(webhook, row.number), PLATFORM, row.key_id, bytes(row.wrapped)),
                None if row.until is None else row.until / 1000,
            )
            for row in found
        ]

    def forget(self, webhook: WebhookId) -> None:
        with self._writing() as connection:
            connection.execute(delete(webhook_secrets).where(webhook_secrets.c.webhook == webhook))

    def sweep(self, before: float) -> None:
        with self._writing() as connection:
            connection.execute(delete(webhook_secrets).where(webhook_secrets.c.until < milliseconds(before)))


class _SqliteTurn:
    """A write lock on a file: the system lets go of it when the process ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def held(self) -> bool:
        return True

    def close(self) -> None:
        self._connection.close()


class _PostgresTurn:
    """An advisory lock of a session: the server lets go of it when the connection ends."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def taken(self) -> bool:
        found = self._connection.execute("SELECT pg_try_advisory_lock(%s, 2)", (APPLICATION_ID,)).fetchone()
        return bool(found and found[0])

    def held(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()
