"""The tables of webhooks: sealed secrets, how far each stretch of the log came, and what waits to be sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, cast

import msgspec
import psycopg
from sqlalchemy import Connection, Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cycle.aggregates.base import PLATFORM
from cycle.aggregates.terms import WebhookId
from cycle.aggregates.webhook import Lane
from cycle.vault.shapes import WrappedKey
from cycle.webhooks.shapes import (
    Answer,
    Counts,
    Delivery,
    DeliveryStage,
    Found,
    KeptSecret,
    Lease,
    Progress,
    WebhookStore,
    place,
)
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.opening import APPLICATION_ID, DERIVED, place_of
from cycle_adapters.sql.schema import deliveries, lanes, webhook_secrets

ROWS = 200
"""So many rows are put into one statement: SQLite takes no more than some thousand values."""
_decode = msgspec.json.Decoder(tuple[Answer, ...]).decode
_waits, _parked = DeliveryStage.WAITING.value, DeliveryStage.PARKED.value
_before = deliveries.alias("before")
_COLUMNS = (
    deliveries.c.webhook, deliveries.c.position, deliveries.c.event, deliveries.c.stream, deliveries.c.stage,
    deliveries.c.attempts, deliveries.c.due, deliveries.c.answers,
)  # fmt: skip


class SqlWebhooks(SqlBeside, WebhookStore):
    """What is kept of webhooks, on either database."""

    @contextmanager
    def _noting(self) -> Iterator[Connection]:
        """Write what can be lost: the log is sent again."""
        with self._explained(), self._database.execution_options(**{DERIVED: True}).begin() as connection:
            yield connection

    @contextmanager
    def lease(self) -> Iterator[Lease | None]:
        with self._explained():
            held = self._lease_on_sqlite() if self._is_sqlite else self._lease_on_postgres()
        if held is None:
            yield None
            return
        with closing(held):
            yield held

    def _lease_on_sqlite(self) -> _SqliteLease | None:
        # A file of its own, so that nobody who works with the log waits.
        connection = sqlite3.connect(
            f"{place_of(self._database.url)}-delivering", timeout=0, check_same_thread=False, isolation_level=None
        )
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return _SqliteLease(connection)

    def _lease_on_postgres(self) -> _PostgresLease | None:
        pooled = self._database.raw_connection()
        connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
        pooled.detach()
        connection.autocommit = True
        lease = _PostgresLease(connection)
        if lease.taken():
            return lease
        lease.close()
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
        earlier = or_(webhook_secrets.c.until.is_(None), webhook_secrets.c.until > _milliseconds(old_until))
        with self._writing() as connection:
            made = _insert(connection, webhook_secrets).values(values)
            kept = connection.execute(made.on_conflict_do_nothing()).rowcount
            if kept:
                ends = update(webhook_secrets).where(before, earlier).values(until=_milliseconds(old_until))
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
            for table in (webhook_secrets, lanes, deliveries):
                connection.execute(delete(table).where(table.c.webhook == webhook))

    def progress(self, webhook: WebhookId) -> Sequence[Progress]:
        with self._reading() as connection:
            return _progress(connection, webhook)

    def follow(self, webhook: WebhookId, wanted: Sequence[Lane]) -> None:
        asked = {lane.version: lane for lane in wanted}
        if {each.lane.version for each in self.progress(webhook)} == asked.keys():
            return
        with self._noting() as connection:
            there = {each.lane.version for each in _progress(connection, webhook)}
            if wanted and wanted[0].version not in there:
                connection.execute(delete(deliveries).where(_of(webhook), deliveries.c.stage.in_((_waits, _parked))))
            for version in there - asked.keys():
                connection.execute(delete(lanes).where(lanes.c.webhook == webhook, lanes.c.version == version))
                stopped = and_(_of(webhook), deliveries.c.lane == version, deliveries.c.stage == _waits)
                as_before = {"stage": deliveries.c.was, "was": None}
                connection.execute(update(deliveries).where(stopped, deliveries.c.was.isnot(None)).values(as_before))
            for version in asked.keys() - there:
                lane = asked[version]
                begun = {"version": version, "after": lane.after, "up_to": lane.up_to, "position": lane.after}
                connection.execute(insert(lanes).values(webhook=webhook, held=0, **begun))

    def enqueue(self, webhook: WebhookId, lane: Lane, found: Sequence[Found], position: int) -> None:
        with self._noting() as connection:
            for start in range(0, len(found), ROWS):
                rows = [_row(webhook, lane, each) for each in found[start : start + ROWS]]
                made = _insert(connection, deliveries).values(rows)
                again = {
                    "stage": _waits,
                    "attempts": 0,
                    "due": 0,
                    "lane": lane.version,
                    # What a replay is stopped before goes back to what it was.
                    "was": None if lane.up_to is None else deliveries.c.stage,
                }
                made = made.on_conflict_do_update(
                    index_elements=["webhook", "position"], set_=again, where=deliveries.c.stage != _waits
                )
                connection.execute(made)
            this = (lanes.c.webhook == webhook) & (lanes.c.version == lane.version)
            connection.execute(update(lanes).where(this).values(position=position))

    def due(self, webhook: WebhookId, now: float, limit: int) -> Sequence[Delivery]:
        query = select(*_COLUMNS).where(
            _of(webhook), deliveries.c.stage == _waits, deliveries.c.due <= _milliseconds(now), _is_free(now)
        )
        with self._reading() as connection:
            return _made(connection.execute(query.order_by(deliveries.c.position).limit(limit)).all())

    def settle(self, delivery: Delivery) -> None:
        this = _of(delivery.webhook) & (deliveries.c.position == delivery.position)
        values: dict[str, object] = {
            "stage": delivery.stage.value,
            "attempts": delivery.attempts,
            "due": _milliseconds(delivery.due),
            "answers": msgspec.json.encode(delivery.answers).decode(),
            "settled": _milliseconds(delivery.answers[-1].at),
        }
        if delivery.stage is not DeliveryStage.WAITING:
            values["was"] = None
        with self._noting() as connection:
            # What was rewound or removed meanwhile is no longer there, and waits no longer.
            connection.execute(update(deliveries).where(this, deliveries.c.stage == _waits).values(values))

    def hold(self, webhook: WebhookId, until: float) -> None:
        with self._noting() as connection:
            connection.execute(update(lanes).where(lanes.c.webhook == webhook).values(held=_milliseconds(until)))

    def held_until(self, webhook: WebhookId) -> float:
        with self._reading() as connection:
            found = connection.execute(select(func.max(lanes.c.held)).where(lanes.c.webhook == webhook)).scalar_one()
        return (found or 0) / 1000

    def counts(self, webhook: WebhookId) -> Counts:
        query = select(deliveries.c.stage, func.count()).where(_of(webhook)).group_by(deliveries.c.stage)
        with self._reading() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return Counts(**{stage.value: found.get(stage.value, 0) for stage in DeliveryStage})

    def waiting(self, webhook: WebhookId) -> int:
        parked = select(_before.c.stream).where(_before.c.webhook == webhook, _before.c.stage == _parked)
        query = select(func.count()).where(
            _of(webhook), deliveries.c.stage == _waits, deliveries.c.stream.not_in(parked)
        )
        with self._reading() as connection:
            return connection.execute(query).scalar_one()

    def deliveries(
        self, webhook: WebhookId, *, stage: DeliveryStage | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Delivery]:
        query = select(*_COLUMNS).where(_of(webhook), deliveries.c.stage != DeliveryStage.WITHHELD.value)
        if stage is not None:
            query = query.where(deliveries.c.stage == stage.value)
        if before is not None:
            query = query.where(deliveries.c.position < before)
        with self._reading() as connection:
            return _made(connection.execute(query.order_by(deliveries.c.position.desc()).limit(limit)).all())

    def position_of(self, webhook: WebhookId, event: str) -> int | None:
        query = select(deliveries.c.position).where(_of(webhook), deliveries.c.event == event)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def sweep(self, before: float) -> None:
        over = deliveries.c.stage.in_((DeliveryStage.DELIVERED.value, DeliveryStage.WITHHELD.value))
        with self._writing() as connection:
            connection.execute(delete(webhook_secrets).where(webhook_secrets.c.until < _milliseconds(before)))
            connection.execute(delete(deliveries).where(over, deliveries.c.settled < _milliseconds(before)))


class _SqliteLease:
    """A write lock on a file: the system lets go of it when the process ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def held(self) -> bool:
        return True

    def close(self) -> None:
        self._connection.close()


class _PostgresLease:
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


def _insert(connection: Connection, table: Table) -> Any:
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


def _of(webhook: WebhookId) -> Any:
    return deliveries.c.webhook == webhook


def _is_free(now: float) -> Any:
    """Nothing stands before it in the same stream that is parked, or is not due yet."""
    holds_up = or_(_before.c.stage == _parked, and_(_before.c.stage == _waits, _before.c.due > _milliseconds(now)))
    of_the_same = and_(
        _before.c.webhook == deliveries.c.webhook,
        _before.c.stream == deliveries.c.stream,
        _before.c.position < deliveries.c.position,
    )
    return ~select(_before.c.position).where(of_the_same, holds_up).exists()


def _progress(connection: Connection, webhook: WebhookId) -> list[Progress]:
    query = select(lanes.c.version, lanes.c.after, lanes.c.up_to, lanes.c.position).where(lanes.c.webhook == webhook)
    found = connection.execute(query.order_by(lanes.c.version)).all()
    return [Progress(Lane(version, after, up_to), position) for version, after, up_to, position in found]


def _row(webhook: WebhookId, lane: Lane, found: Found) -> dict[str, object]:
    return {
        **found._asdict(),
        "webhook": webhook,
        "stage": _waits,
        "attempts": 0,
        "due": 0,
        "answers": "[]",
        "settled": 0,
        "lane": lane.version,
        "was": None,
    }


def _made(rows: Sequence[Any]) -> list[Delivery]:
    return [
        Delivery(
            row.webhook, row.position, row.event, row.stream, DeliveryStage(row.stage), row.attempts,
            row.due / 1000, _decode(row.answers),
        )
        for row in rows
    ]  # fmt: skip


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
