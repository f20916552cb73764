"""The recorder: the library's interface and the store's, the same on both databases."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import chain
from typing import Any, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, bindparam, select
from sqlalchemy.exc import DBAPIError

from cycle.aggregates.base import LogName, StreamId
from cycle.leaf import leaf_hash
from cycle.store import (
    Append,
    Conflict,
    Head,
    Loading,
    LogRecorder,
    Moment,
    NewLeaf,
    Receipt,
    Row,
    StoredLeaf,
    StreamRow,
    Waker,
)
from cycle_adapters.sql import postgres, sqlite
from cycle_adapters.sql.auditing import SqlAuditing
from cycle_adapters.sql.bulk import (
    HEAD,
    NOTHING,
    STREAMED_ROWS,
    SqlLoading,
    SqlMoment,
    add_rows,
    at_once,
    head_of,
    streamed,
)
from cycle_adapters.sql.feeding import SqlFeeding
from cycle_adapters.sql.grouping import GroupCommit, Outcome
from cycle_adapters.sql.identity import SqlIdentities
from cycle_adapters.sql.leases import SqlLeases
from cycle_adapters.sql.opening import APPLICATION_ID, READ_ONLY, cannot_use, place_of
from cycle_adapters.sql.queues import SqlQueue
from cycle_adapters.sql.rows import first_versions, receipt_of
from cycle_adapters.sql.schema import events, receipts
from cycle_adapters.sql.turns import SqlTurns
from cycle_adapters.sql.vaulting import SqlVault
from cycle_adapters.sql.waking import CHANNEL, Bell, PacedWaker, PostgresWaker, SqliteWaker
from cycle_adapters.sql.webhooks import SqlWebhooks

Question = tuple[Select[Any], Mapping[str, object]]
PAGE = 200
ALONE_SECONDS = 3_600
"""How long somebody waits for another one's rebuild to end."""


class SqlRecorder(SqlAuditing, SqlFeeding, LogRecorder):
    """Events in SQL. Reads go through a pool, writes through one connection of their own."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self._is_sqlite = database.dialect.name == "sqlite"
        self._bell = Bell()
        self.vault = SqlVault(database)
        self.identities = SqlIdentities(database)
        self.queue = SqlQueue(database)
        self.leases = SqlLeases(database)
        self.webhooks = SqlWebhooks(database)
        self.turns = SqlTurns(database)
        # Somebody may have been killed between an erasure and its cleaning.
        self.vault.clean()
        self._writer: sqlite.SqliteWriter | postgres.PostgresWriter
        if self._is_sqlite:
            self._writer = sqlite.SqliteWriter(self._raw_sqlite(), place_of(database.url))
        else:
            self._writer = postgres.PostgresWriter(self._raw_postgres, place_of(database.url))
        self._group = GroupCommit(self._commit)

    def _raw_sqlite(self) -> sqlite3.Connection:
        return cast("sqlite3.Connection", self._own_connection())

    def _raw_postgres(self) -> postgres.Connection:
        connection = cast("postgres.Connection", self._own_connection())
        connection.autocommit = True
        return connection

    def _own_connection(self) -> object:
        pooled = self.database.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    def close(self) -> None:
        """Close every connection."""
        self._writer.close()
        self.database.dispose()

    # Writing

    def append(self, save: Append) -> Receipt:
        if not save.leaves:
            raise ValueError("a save needs at least one leaf")
        first_versions(save)
        receipt = self._group.append(save)
        self._bell.ring()
        if save.vault is not None and save.vault.forgotten:
            self.vault.clean()
        return receipt

    def _commit(self, group: Sequence[Append]) -> Sequence[Outcome]:
        outcomes = self._writer.commit(group)
        if self.grouped is not None:
            self.grouped(len(group), sum(map(_new_events, group, outcomes)))
        return outcomes

    def demand_writable(self) -> None:
        with self._explained():
            if self._is_sqlite:
                sqlite.demand_writable(place_of(self.database.url))
            else:
                with self._reading() as connection:
                    postgres.demand_writable(connection.exec_driver_sql(postgres.CLOSED).scalar_one())

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """The library's door to ``append``: the first leaf's id is the key."""
        leaves = cast("Sequence[NewLeaf]", stored_events)
        if not leaves:
            return []
        try:
            receipt = self.append(Append(tuple(leaves), leaves[0].id, leaf_hash(leaves[0].state)))
        except Conflict as error:
            raise IntegrityError(str(error)) from error
        return [line.position for line in receipt.events]

    @contextmanager
    def loading(self) -> Iterator[Loading]:
        with self._explained(), self.database.begin() as connection:
            if not self._is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({APPLICATION_ID})")
            with closing(SqlLoading(connection)) as loading:
                yield loading
            if not self._is_sqlite:
                connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
        self.vault.clean()
        self._bell.ring()

    def add_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        with self._explained():
            add_rows(connection, table, rows)

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._explained():
            # Both locks are let go when their connection is lost.
            alone = self._alone_on_sqlite() if self._is_sqlite else self._alone_on_postgres()
        with closing(alone):
            yield

    def _alone_on_sqlite(self) -> sqlite3.Connection:
        # A file of its own, so that nobody who works with the log waits.
        beside = sqlite3.connect(f"{place_of(self.database.url)}-rebuilding", timeout=ALONE_SECONDS)
        beside.execute("BEGIN EXCLUSIVE")
        return beside

    def _alone_on_postgres(self) -> postgres.Connection:
        connection = self._raw_postgres()
        connection.execute("SELECT pg_advisory_lock(%s, 1)", (APPLICATION_ID,))
        return connection

    # Reading

    def receipt(self, key: str) -> tuple[bytes, Receipt] | None:
        with self._rows(RECEIPT.where(receipts.c.key == key)) as found:
            line = found.fetchone()
        if line is None:
            return None
        digest, first, last = line
        with self._rows(RECEIPT_LINES.where(events.c.position.between(first, last))) as lines:
            return digest, receipt_of(key, lines.fetchall())

    def read_stream(
        self, stream: StreamId, *, after_version: int = 0, up_to_position: int | None = None
    ) -> Sequence[StoredLeaf]:
        given = _given(stream=stream, gt=after_version or None, up_to=up_to_position)
        with self._rows(_stream_query(True, frozenset(given)), given) as found:
            return list(map(StoredLeaf._make, found.fetchall()))

    def read_streams(
        self, streams: Sequence[str], *, up_to: int | None = None, types: Sequence[str] = ()
    ) -> Iterator[StreamRow]:
        given = _given(up_to=up_to)
        named = {f"stream_{at}": stream for at, stream in enumerate(streams)}
        return self._streamed(_streams_query(len(named), frozenset(given), tuple(types)), {**given, **named})

    def leaves(
        self,
        stream: StreamId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Iterator[tuple[str, int, bytes]]:
        def asked(rows: Sequence[Any], most: int | None) -> Question:
            return _of_stream(False, stream, gt, lte, desc, most, len(rows))

        # From its end on, a stream that grows meanwhile would be counted from another place.
        return self._streamed(*asked((), limit)) if desc else self._few_or_many(limit, asked)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        with self._rows(*_of_stream(True, str(originator_id), gt, lte, desc, limit)) as found:
            return cast("Sequence[StoredEvent]", list(map(StoredLeaf._make, found.fetchall())))

    def read_log(self, log: LogName, index: int) -> Iterator[Row]:
        def asked(rows: Sequence[Row], most: int | None) -> Question:
            given = _given(log=log, index=index, after=rows[-1][0] if rows else None, most=most)
            return _log_query(frozenset(given), ()), given

        return self._few_or_many(None, asked)

    def read(
        self,
        after: int,
        limit: int | None = None,
        *,
        up_to: int | None = None,
        log: LogName | None = None,
        types: Sequence[str] = (),
    ) -> Iterator[Row]:
        def asked(rows: Sequence[Row], most: int | None) -> Question:
            given = _given(after=rows[-1][0] if rows else after, up_to=up_to, log=log, most=most)
            return _log_query(frozenset(given), tuple(types)), given

        # A few of one log are not asked for: that might be looked for in all of them.
        return self._few_or_many(limit, asked) if log is None else self._streamed(*asked((), limit))

    def rows(self, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
        return self._streamed(query, NOTHING)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - inclusive_of_start
        query = NOTIFICATIONS.where(events.c.position > after)
        if stop is not None:
            query = query.where(events.c.position <= stop)
        if topics:
            query = query.where(events.c.type.in_(topics))
        with self._rows(query.order_by(events.c.position).limit(limit)) as found:
            return [Notification(*row) for row in found.fetchall()]

    def max_notification_id(self) -> int | None:
        return self.head().position or None

    def head(self) -> Head:
        with self._rows(HEAD) as found:
            return head_of(found.fetchone())

    def log_size(self, log: LogName, at: int | None = None) -> int:
        query = select(events.c.log_index).where(events.c.log == log).order_by(events.c.log_index.desc()).limit(1)
        with self._rows(query if at is None else query.where(events.c.position <= at)) as found:
            last = found.fetchone()
        return 0 if last is None else cast("int", last[0]) + 1

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        return LogSubscription(self, gt, topics)

    def waker(self, pause_seconds: float = 0.0) -> Waker:
        with self._explained():
            waker: Waker = (
                SqliteWaker(self._bell, self._raw_sqlite()) if self._is_sqlite else PostgresWaker(self._raw_postgres)
            )
        return PacedWaker(waker, pause_seconds) if pause_seconds else waker

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        level = None if self._is_sqlite else "REPEATABLE READ"
        with self._reading(level) as connection, closing(SqlMoment(connection)) as moment:
            yield moment

    def _streamed(self, query: Select[Any], values: Mapping[str, object]) -> Iterator[Any]:
        """Rows as they arrive."""
        if self._is_sqlite:
            return chain.from_iterable(self._from_file(query, values))
        return self._from_server(query, values)

    def _few_or_many(self, limit: int | None, asked: Callable[[Sequence[Any], int | None], Question]) -> Iterator[Any]:
        """What is mostly little: from PostgreSQL a first page, by a statement that it knows; the others as they arrive.

        Args:
            asked: the question behind some rows, for so many at most.
        """
        if self._is_sqlite:
            return self._streamed(*asked((), limit))
        return self._pages(limit, asked)

    def _pages(self, limit: int | None, asked: Callable[[Sequence[Any], int | None], Question]) -> Iterator[Any]:
        most = PAGE if limit is None else min(limit, PAGE)
        with self._reading() as connection:
            rows = at_once(connection, *asked((), most))
        yield from rows
        if len(rows) == most and most != limit:
            yield from self._from_server(*asked(rows, limit and limit - most))

    def _from_file(self, query: Select[Any], values: Mapping[str, object]) -> Iterator[list[Any]]:
        with self._rows(query, values) as found:
            while rows := found.fetchmany(STREAMED_ROWS):
                yield rows

    def _from_server(self, query: Select[Any], values: Mapping[str, object]) -> Iterator[Any]:
        with self._reading() as connection:
            yield from streamed(connection, query, values)

    @contextmanager
    def _rows(self, query: Select[Any], values: Mapping[str, object] = NOTHING) -> Iterator[Any]:
        """The driver's own cursor: rows as plain tuples, without a layer per row."""
        with self._reading() as connection:
            yield connection.execute(query, values).cursor

    @contextmanager
    def _reading(self, isolation_level: str | None = None) -> Iterator[Connection]:
        options: dict[str, Any] = {READ_ONLY: True}
        if isolation_level is not None:
            options["isolation_level"] = isolation_level
        with self._explained(), self.database.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
            raise Conflict(str(error).splitlines()[0]) from error
        except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
            raise cannot_use(error, self.database.url) from error


def _new_events(save: Append, outcome: Outcome) -> int:
    """How many events a save has added: a key that is known adds none."""
    return len(save.leaves) if isinstance(outcome, Receipt) and outcome.events[0].id == save.leaves[0].id else 0


BOUNDS: Mapping[str, ColumnElement[bool]] = {
    "after": events.c.position > bindparam("after", None),
    "up_to": events.c.position <= bindparam("up_to", None),
    "log": events.c.log == bindparam("log", None),
    "index": events.c.log_index >= bindparam("index", None),
    "stream": events.c.stream == bindparam("stream", None),
    "gt": events.c.version > bindparam("gt", None),
    "lte": events.c.version <= bindparam("lte", None),
}
"""What a reader may ask for, by the name of its value."""


def _given(**bounds: object) -> dict[str, object]:
    """What is asked for; what is None is not."""
    return {name: value for name, value in bounds.items() if value is not None}


@lru_cache(maxsize=200)
def _log_query(given: frozenset[str], types: tuple[str, ...]) -> Select[Any]:
    """Made once for each form of question: to put it together takes longer than to answer it."""
    query = ROWS.where(*(BOUNDS[name] for name in sorted(given & BOUNDS.keys())))
    query = query.order_by(events.c.log_index if "index" in given else events.c.position)
    if types:
        query = query.where(events.c.type.in_(types))
    return query.limit(bindparam("most", None)) if "most" in given else query


@lru_cache(maxsize=200)
def _stream_query(whole: bool, given: frozenset[str], desc: bool = False) -> Select[Any]:
    columns = STREAM if whole else LEAVES
    query = columns.where(*(BOUNDS[name] for name in sorted(given & BOUNDS.keys())))
    query = query.order_by(events.c.version.desc() if desc else events.c.version)
    query = query.offset(bindparam("skipped", None)) if "skipped" in given else query
    return query.limit(bindparam("most", None)) if "most" in given else query


@lru_cache(maxsize=200)
def _streams_query(many: int, given: frozenset[str], types: tuple[str, ...]) -> Select[Any]:
    query = STREAMS.where(events.c.stream.in_([bindparam(f"stream_{at}", None) for at in range(many)]))
    query = query.where(*(BOUNDS[name] for name in given)).order_by(events.c.stream, events.c.version)
    return query.where(events.c.type.in_(types)) if types else query


def _of_stream(
    whole: bool, stream: str, gt: int | None, lte: int | None, desc: bool, limit: int | None, skipped: int = 0
) -> tuple[Select[Any], dict[str, object]]:
    """The question for a stream's leaves, ``whole`` rows or what a replay needs, and its values."""
    given = _given(stream=stream, gt=gt, lte=lte, most=limit, skipped=skipped or None)
    return _stream_query(whole, frozenset(given), desc), given


class LogSubscription(Subscription[ApplicationRecorder]):
    """Yields what is recorded, in order, and waits for more: arm, pull, wait, pull again."""

    PULL = 500
    WAIT_SECONDS = 2.0

    def __init__(self, recorder: SqlRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._waker = recorder.waker()
        self._position = gt or 0
        self._pulled: deque[Notification] = deque()
        self._stopped = False

    def __next__(self) -> Notification:
        while not self._pulled:
            if self._stopped:
                raise StopIteration
            top = cast("SqlRecorder", self._recorder).head().position
            self._pulled.extend(
                self._recorder.select_notifications(
                    self._position, self.PULL, stop=top, topics=self._topics, inclusive_of_start=False
                )
            )
            if self._pulled:
                continue
            self._position = max(self._position, top)
            self._waker.wait(self.WAIT_SECONDS)
        found = self._pulled.popleft()
        self._position = found.id
        return found

    def stop(self) -> None:
        super().stop()
        self._stopped = True
        self._waker.wake()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        self.stop()
        super().__exit__(*args, **kwargs)
        self._waker.close()


STREAM = select(events.c.stream, events.c.version, events.c.type, events.c.leaf, events.c.schema)
STREAMS = select(events.c.stream, events.c.version, events.c.position, events.c.type, events.c.schema, events.c.leaf)
LEAVES = select(events.c.type, events.c.schema, events.c.leaf)
ROWS = select(events.c.position, events.c.type, events.c.schema, events.c.leaf)
NOTIFICATIONS = select(events.c.stream, events.c.version, events.c.type, events.c.leaf, events.c.position)
RECEIPT = select(receipts.c.digest, receipts.c.first_position, receipts.c.last_position)
RECEIPT_LINES = select(
    events.c.position, events.c.stream, events.c.version, events.c.type, events.c.log, events.c.log_index,
    events.c.leaf_hash, events.c.leaf,
).order_by(events.c.position)  # fmt: skip
