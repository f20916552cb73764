"""The tables of queues: how far each stretch of the log came for a subscription, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from cycle.aggregates.subscription import Lane
from cycle.aggregates.terms import SubscriptionId
from cycle.subscriptions.schedule import ATTEMPTS
from cycle.subscriptions.shapes import Answer, Counts, Delivery, DeliveryStage, Found, Progress, QueueStore
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.opening import DERIVED
from cycle_adapters.sql.schema import deliveries, lanes, leases, queues

decode_answers = msgspec.json.Decoder(tuple[Answer, ...]).decode
WAITS, PARKED = DeliveryStage.WAITING.value, DeliveryStage.PARKED.value
_before = deliveries.alias("before")
COLUMNS = (
    deliveries.c.subscription, deliveries.c.position, deliveries.c.event, deliveries.c.stream, deliveries.c.stage,
    deliveries.c.attempts, deliveries.c.due, deliveries.c.answers,
)  # fmt: skip
ROW = (*COLUMNS, deliveries.c.lease, deliveries.c.until)
"""A delivery, and who has it."""


def _deliverable() -> Select[Any]:
    mine, whose, at = deliveries.c, bindparam("whose", type_=Text), bindparam("at", type_=BigInteger)
    is_taken = mine.until > at
    stays = or_(mine.stage == PARKED, mine.due > at, mine.attempts >= ATTEMPTS, is_taken)
    wall = func.min(case((and_(mine.stage == WAITS, is_taken), 0), else_=mine.position)).label("wall")
    open_ = mine.subscription == whose, mine.stage.in_((WAITS, PARKED))
    # What stands in the way is looked for once for each stream, and not for each event.
    walls = select(mine.stream, wall).where(*open_, stays).group_by(mine.stream).subquery()
    before_it = or_(walls.c.wall.is_(None), mine.position < walls.c.wall)
    ready = mine.stage == WAITS, mine.due <= at, mine.until <= at, mine.attempts < ATTEMPTS
    query = select(*ROW).select_from(deliveries.outerjoin(walls, walls.c.stream == mine.stream))
    return query.where(mine.subscription == whose, *ready, before_it)


FREE = _deliverable()
"""What is due and with nobody; of a stream nothing behind what is parked, not due yet or worn out, and nothing at all
while some of it is with somebody. ``whose``: the subscription; ``at``: milliseconds since 1970.

Made once: to put it together takes longer than to run it.
"""
NEXT = FREE.order_by(deliveries.c.position).limit(bindparam("most", type_=Integer))
"""The first of it, at ``most`` so many."""


# What was rewound or removed meanwhile is no longer there, and waits no longer.
_SETTLED = (
    update(deliveries)
    .where(
        deliveries.c.subscription == bindparam("of"),
        deliveries.c.position == bindparam("at"),
        deliveries.c.stage == WAITS,
    )
    .values(
        {name: bindparam(name) for name in ("stage", "attempts", "due", "answers", "settled")}
        | {"was": case((bindparam("stage") == WAITS, deliveries.c.was), else_=None)}
    )
)


class SqlNoting(SqlBeside):
    """What can be made again from the log."""

    @contextmanager
    def _noting(self) -> Iterator[Connection]:
        """Write what can be lost: the log is read again."""
        with self._explained(), self._database.execution_options(**{DERIVED: True}).begin() as connection:
            yield connection


class SqlQueue(SqlNoting, QueueStore):
    """All queues, on either database."""

    def forget(self, subscription: SubscriptionId) -> None:
        with self._writing() as connection:
            for table in (queues, lanes, leases, deliveries):
                connection.execute(delete(table).where(table.c.subscription == subscription))

    def progress(self, subscription: SubscriptionId) -> Sequence[Progress]:
        with self._reading() as connection:
            return _progress(connection, subscription)

    def follow(self, subscription: SubscriptionId, version: int, wanted: Sequence[Lane]) -> Sequence[Progress]:
        asked = {lane.version: lane for lane in wanted}
        known = self.progress(subscription)
        if {each.lane.version for each in known} == asked.keys():
            return known
        with self._noting() as connection:
            if locked(connection, subscription).version > version:
                return _progress(connection, subscription)
            this = queues.c.subscription == subscription
            connection.execute(update(queues).where(this).values(version=version))
            there = {each.lane.version for each in _progress(connection, subscription)}
            if wanted and wanted[0].version not in there:
                open_ = deliveries.c.stage.in_((WAITS, PARKED))
                connection.execute(delete(deliveries).where(of(subscription), open_))
                connection.execute(delete(leases).where(leases.c.subscription == subscription))
            for gone in there - asked.keys():
                _stop(connection, subscription, gone)
            for new in asked.keys() - there:
                lane = asked[new]
                begun = {"version": new, "after": lane.after, "up_to": lane.up_to, "position": lane.after}
                connection.execute(insert(lanes).values(subscription=subscription, **begun))
            return _progress(connection, subscription)

    def enqueue(self, subscription: SubscriptionId, progress: Progress, found: Sequence[Found], position: int) -> None:
        lane = progress.lane
        this = (lanes.c.subscription == subscription) & (lanes.c.version == lane.version)
        with self._noting() as connection:
            # First, so that whoever else has read the same stretch waits here, and finds that it has moved on.
            moved = update(lanes).where(this, lanes.c.position == progress.position).values(position=position)
            if not connection.execute(moved).rowcount:
                return
            if not found:
                return
            again = {
                "stage": WAITS,
                "attempts": 0,
                "due": 0,
                "lane": lane.version,
                "lease": 0,
                "until": 0,
                # What a replay is stopped before goes back to what it was.
                "was": None if lane.up_to is None else deliveries.c.stage,
            }
            made = inserted(connection, deliveries).on_conflict_do_update(
                index_elements=["subscription", "position"], set_=again, where=deliveries.c.stage != WAITS
            )
            # One statement, made once, however many rows: to put together another one takes longer than to run it.
            connection.execute(made, [_row(subscription, lane, each) for each in found])

    def due(self, subscription: SubscriptionId, now: float, limit: int) -> Sequence[Delivery]:
        with self._reading() as connection:
            return made_of(connection.execute(NEXT, asking(subscription, now, limit)).all())

    def settle(self, settled: Sequence[Delivery]) -> None:
        noted = [
            {
                "of": each.subscription,
                "at": each.position,
                "stage": each.stage.value,
                "attempts": each.attempts,
                "due": milliseconds(each.due),
                "answers": msgspec.json.encode(each.answers).decode(),
                "settled": milliseconds(each.answers[-1].at),
            }
            for each in settled
        ]
        with self._noting() as connection:
            connection.execute(_SETTLED, noted)

    def hold(self, subscription: SubscriptionId, until: float) -> None:
        with self._noting() as connection:
            this = queues.c.subscription == subscription
            connection.execute(update(queues).where(this).values(held=milliseconds(until)))

    def held_until(self, subscription: SubscriptionId) -> float:
        query = select(queues.c.held).where(queues.c.subscription == subscription)
        with self._reading() as connection:
            return (connection.execute(query).scalar() or 0) / 1000

    def counts(self, subscription: SubscriptionId) -> Counts:
        query = select(deliveries.c.stage, func.count()).where(of(subscription)).group_by(deliveries.c.stage)
        with self._reading() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return Counts(**{stage.value: found.get(stage.value, 0) for stage in DeliveryStage})

    def waiting(self, subscription: SubscriptionId) -> int:
        parked = select(_before.c.stream).where(_before.c.subscription == subscription, _before.c.stage == PARKED)
        query = select(func.count()).where(
            of(subscription), deliveries.c.stage == WAITS, deliveries.c.stream.not_in(parked)
        )
        with self._reading() as connection:
            return connection.execute(query).scalar_one()

    def unsettled(self, subscription: SubscriptionId, most: int) -> tuple[int, int | None]:
        waits = of(subscription), deliveries.c.stage == WAITS
        some = select(deliveries.c.position).where(*waits).order_by(deliveries.c.position).limit(most).subquery()
        with self._reading() as connection:
            count, first = connection.execute(select(func.count(), func.min(some.c.position))).one()
        return count, first

    def deliveries(
        self, subscription: SubscriptionId, *, stage: DeliveryStage | None = None, before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:  # fmt: skip
        query = select(*COLUMNS).where(of(subscription), deliveries.c.stage != DeliveryStage.WITHHELD.value)
        if stage is not None:
            query = query.where(deliveries.c.stage == stage.value)
        if before is not None:
            query = query.where(deliveries.c.position < before)
        with self._reading() as connection:
            return made_of(connection.execute(query.order_by(deliveries.c.position.desc()).limit(limit)).all())

    def position_of(self, subscription: SubscriptionId, event: str) -> int | None:
        query = select(deliveries.c.position).where(of(subscription), deliveries.c.event == event)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def is_tried_again(self, subscription: SubscriptionId, now: float) -> bool:
        with_nobody = deliveries.c.until <= milliseconds(now)
        tried = of(subscription), deliveries.c.stage == WAITS, deliveries.c.attempts > 0, with_nobody
        with self._reading() as connection:
            return connection.execute(select(deliveries.c.position).where(*tried).limit(1)).first() is not None

    def taken(self, subscription: SubscriptionId, after: int, up_to: int) -> frozenset[int]:
        here = deliveries.c.position > after, deliveries.c.position <= up_to
        query = select(deliveries.c.position, deliveries.c.answers).where(of(subscription), *here)
        with self._reading() as connection:
            found = connection.execute(query.where(deliveries.c.answers != "[]")).all()
        return frozenset(
            position for position, answers in found if any(each.is_taken for each in decode_answers(answers))
        )

    def pending(self, subscription: SubscriptionId, up_to: int, limit: int) -> frozenset[int]:
        open_ = deliveries.c.stage.in_((WAITS, PARKED))
        query = select(deliveries.c.position).where(of(subscription), open_, deliveries.c.position <= up_to)
        with self._reading() as connection:
            return frozenset(connection.scalars(query.limit(limit)))

    def sweep(self, before: float) -> None:
        over = deliveries.c.stage.in_((DeliveryStage.DELIVERED.value, DeliveryStage.WITHHELD.value))
        with self._writing() as connection:
            connection.execute(delete(deliveries).where(over, deliveries.c.settled < milliseconds(before)))


def inserted(connection: Connection, table: Table) -> Any:
    """An insert that may say what to do on a conflict."""
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


def asking(subscription: SubscriptionId, now: float, most: int | None = None) -> dict[str, object]:
    """What ``FREE`` is asked with, and ``NEXT``."""
    return {"whose": subscription, "at": milliseconds(now)} | ({} if most is None else {"most": most})


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def locked(connection: Connection, subscription: SubscriptionId) -> Any:
    """What is kept of the whole queue; nobody else changes its stretches or leases until the transaction ends."""
    begun = {"subscription": subscription, "version": 0, "held": 0, "lease": 0}
    connection.execute(inserted(connection, queues).values(begun).on_conflict_do_nothing())
    query = select(*queues.c).where(queues.c.subscription == subscription).with_for_update()
    return connection.execute(query).one()


def _stop(connection: Connection, subscription: SubscriptionId, lane: int) -> None:
    """A stretch is wanted no longer: what waits of it is again what it was."""
    connection.execute(delete(lanes).where(lanes.c.subscription == subscription, lanes.c.version == lane))
    stopped = and_(of(subscription), deliveries.c.lane == lane, deliveries.c.stage == WAITS)
    as_before = {"stage": deliveries.c.was, "was": None}
    connection.execute(update(deliveries).where(stopped, deliveries.c.was.isnot(None)).values(as_before))


def of(subscription: SubscriptionId) -> Any:
    return deliveries.c.subscription == subscription


def _progress(connection: Connection, subscription: SubscriptionId) -> list[Progress]:
    query = select(lanes.c.version, lanes.c.after, lanes.c.up_to, lanes.c.position)
    found = connection.execute(query.where(lanes.c.subscription == subscription).order_by(lanes.c.version)).all()
    return [Progress(Lane(version, after, up_to), position) for version, after, up_to, position in found]


def _row(subscription: SubscriptionId, lane: Lane, found: Found) -> dict[str, object]:
    return {
        **found._asdict(),
        "subscription": subscription,
        "stage": WAITS,
        "attempts": 0,
        "due": 0,
        "answers": "[]",
        "settled": 0,
        "lane": lane.version,
        "was": None,
        "lease": 0,
        "until": 0,
    }


def made_of(rows: Sequence[Any]) -> list[Delivery]:
    return [
        Delivery(
            row.subscription, row.position, row.event, row.stream, DeliveryStage(row.stage), row.attempts,
            row.due / 1000, decode_answers(row.answers),
        )
        for row in rows
    ]  # fmt: skip
