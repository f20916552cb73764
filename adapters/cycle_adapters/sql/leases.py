"""The table of leases, and which of what waits in a queue is with whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from cycle.aggregates.terms import SubscriptionId
from cycle.groups.shapes import ALL, Chosen, Given, Held, Lease, LeaseLost, LeaseStore
from cycle.subscriptions.schedule import ATTEMPTS
from cycle.subscriptions.shapes import Answer, Delivery, DeliveryStage
from cycle_adapters.sql.queues import (
    FREE,
    NEXT,
    PARKED,
    ROW,
    WAITS,
    SqlNoting,
    asking,
    decode_answers,
    locked,
    made_of,
    milliseconds,
    of,
)
from cycle_adapters.sql.schema import deliveries, leases, queues

DONE, WITHHELD = DeliveryStage.DELIVERED.value, DeliveryStage.WITHHELD.value
_COUNTED = select(func.count()).select_from(FREE.subquery())
_NOTED = update(deliveries).where(
    deliveries.c.subscription == bindparam("of"), deliveries.c.position == bindparam("at")
)


class SqlLeases(SqlNoting, LeaseStore):
    """All leases, on either database. Whoever changes those of a queue has its row in ``queues`` first."""

    def free(self, subscription: SubscriptionId, now: float) -> int:
        with self._reading() as connection:
            return connection.execute(_COUNTED, asking(subscription, now)).scalar_one()

    def give(self, subscription: SubscriptionId, member: str, now: float, until: float, limit: int) -> Given | None:
        at, end = milliseconds(now), milliseconds(until)
        with self._noting() as connection:
            # Never the number of a lease that there was, even where the tables with the last one were lost.
            number = max(locked(connection, subscription).lease + 1, at)
            rows = connection.execute(NEXT, asking(subscription, now, limit)).all()
            if not rows:
                return None
            lapsed = [row for row in rows if row.until]
            _lose(connection, subscription, lapsed)
            given = {"lease": number, "until": end, "attempts": deliveries.c.attempts + 1}
            _note(connection, [row for row in rows if not row.until], given)
            _tell(connection, lapsed, given, _has_lapsed)
            connection.execute(update(queues).where(queues.c.subscription == subscription).values(lease=number))
            begun = {"subscription": subscription, "number": number, "member": member, "until": end}
            connection.execute(insert(leases).values(begun))
        made = [each._replace(attempts=each.attempts + 1) for each in made_of(rows)]
        return Given(Lease(number, member, end / 1000), made)

    def ack(self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float) -> int:
        with self._noting() as connection:
            member, rows, own = _chosen(connection, subscription, number, chosen, DONE)
            _settle(connection, rows, DONE, now, f"ack: {member}")
            return len(own) - len(rows)

    def give_back(
        self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, what: str,
        due: Callable[[int], float],
    ) -> int:  # fmt: skip
        with self._noting() as connection:
            member, rows, own = _chosen(connection, subscription, number, chosen, WAITS)
            said = Answer(now, f"nack: {member}" + (f": {what}" if what else ""))
            by_due: dict[float, list[Any]] = defaultdict(list)
            for row in rows:
                by_due[due(row.attempts)].append(row)
            for when, some in by_due.items():
                _tell(connection, some, {"until": 0, "due": milliseconds(when)}, lambda row: said)
            return len(own) - len(rows) - _with_them(connection, rows, own)

    def keep(
        self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, until: float
    ) -> Sequence[Delivery]:
        with self._noting() as connection:
            _, rows, _ = _chosen(connection, subscription, number, chosen, PARKED)
            _demand_alone(connection, subscription, number, rows, now)
            end = milliseconds(until)
            _note(connection, [row for row in rows if row.until < end], {"until": end})
            return made_of(rows)

    def park(self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, what: str) -> int:
        with self._noting() as connection:
            member, rows, own = _chosen(connection, subscription, number, chosen, PARKED)
            _settle(connection, rows, PARKED, now, f"parked: {member}: {what}")
            return len(own) - len(rows) - _with_them(connection, rows, own)

    def withhold(self, subscription: SubscriptionId, number: int, positions: Sequence[int], now: float) -> None:
        with self._noting() as connection:
            locked(connection, subscription)
            mine = deliveries.c.lease == number, deliveries.c.stage == WAITS, deliveries.c.position.in_(positions)
            rows = connection.execute(select(*ROW).where(of(subscription), *mine)).all()
            _settle(connection, rows, WITHHELD, now, "withheld")

    def extend(self, subscription: SubscriptionId, number: int, now: float, until: float) -> int:
        with self._noting() as connection:
            _, rows, _ = _chosen(connection, subscription, number, ALL, "")
            _demand_alone(connection, subscription, number, rows, now)
            _note(connection, rows, {"until": milliseconds(until)})
            this = and_(leases.c.subscription == subscription, leases.c.number == number)
            connection.execute(update(leases).where(this).values(until=milliseconds(until)))
            return len(rows)

    def worn(self, subscription: SubscriptionId, now: float) -> Sequence[Delivery]:
        tried = deliveries.c.stage == WAITS, deliveries.c.attempts >= ATTEMPTS, deliveries.c.until <= milliseconds(now)
        query = select(*ROW).where(of(subscription), *tried).order_by(deliveries.c.position)
        with self._reading() as connection:
            if not connection.execute(query.limit(1)).all():
                return ()
        with self._noting() as connection:
            locked(connection, subscription)
            lapsed = [row for row in connection.execute(query).all() if row.until]
            _lose(connection, subscription, lapsed)
            _tell(connection, lapsed, {"until": 0}, _has_lapsed)
            return made_of(connection.execute(query).all())

    def held(self, subscription: SubscriptionId, now: float) -> Sequence[Held]:
        taken = and_(
            deliveries.c.subscription == leases.c.subscription,
            deliveries.c.lease == leases.c.number,
            deliveries.c.stage == WAITS,
            deliveries.c.until > milliseconds(now),
        )
        each = leases.c.number, leases.c.member, leases.c.until
        query = select(*each, func.count()).join(deliveries, taken).where(leases.c.subscription == subscription)
        with self._reading() as connection:
            found = connection.execute(query.group_by(*each).order_by(leases.c.number)).all()
        return [Held(Lease(number, member, until / 1000), count) for number, member, until, count in found]

    def forget_old(self, before: float) -> None:
        with self._noting() as connection:
            connection.execute(delete(leases).where(leases.c.until < milliseconds(before)))


def _chosen(
    connection: Connection, subscription: SubscriptionId, number: int, chosen: Chosen, otherwise: str
) -> tuple[str, list[Any], list[Any]]:
    """The member, what is chosen and all else that the lease still holds; none of what is ``otherwise`` already.

    Raises:
        LeaseLost: something that is chosen is not the lease's.
    """
    locked(connection, subscription)
    this = leases.c.subscription == subscription, leases.c.number == number
    lease = connection.execute(select(leases.c.member, leases.c.lost).where(*this)).one_or_none()
    if lease is None:
        raise LeaseLost("unknown", lease=str(number))
    query = select(*ROW).where(of(subscription), deliveries.c.lease == number).order_by(deliveries.c.position)
    rows = connection.execute(query).all()
    own = [row for row in rows if row.stage == WAITS and row.until]
    named, end = chosen.events or frozenset(), chosen.up_to
    known = {row.event for row in own} | {row.event for row in rows if row.stage == otherwise}
    _demand_none(number, named - known)
    all_of_it = chosen == ALL
    if lease.lost is not None and (all_of_it or (end is not None and lease.lost <= end)):
        raise LeaseLost("given-on", lease=str(number), events=())
    up_to = -1 if end is None else end
    return lease.member, [row for row in own if all_of_it or row.event in named or row.position <= up_to], own


def _demand_none(number: int, lost: Collection[str]) -> None:
    if lost:
        raise LeaseLost("given-on", lease=str(number), events=tuple(sorted(lost)))


def _demand_alone(
    connection: Connection, subscription: SubscriptionId, number: int, own: Sequence[Any], now: float
) -> None:
    """Raises:
    LeaseLost: another lease has something of the same streams meanwhile.
    """
    taken = deliveries.c.stage == WAITS, deliveries.c.until > milliseconds(now), deliveries.c.lease != number
    query = select(deliveries.c.stream).where(of(subscription), *taken).distinct()
    others = set(connection.execute(query).scalars())
    _demand_none(number, [row.event for row in own if row.stream in others])


def _lose(connection: Connection, subscription: SubscriptionId, lapsed: Sequence[Any]) -> None:
    """Note of leases that ran out that something of theirs is given on."""
    for number in {row.lease for row in lapsed}:
        first = min(row.position for row in lapsed if row.lease == number)
        this = and_(leases.c.subscription == subscription, leases.c.number == number)
        not_before = func.coalesce(leases.c.lost, first) >= first
        connection.execute(update(leases).where(this, not_before).values(lost=first))


def _settle(connection: Connection, rows: Sequence[Any], stage: str, now: float, what: str) -> None:
    values = {"stage": stage, "until": 0, "settled": milliseconds(now), "was": None}
    _tell(connection, rows, values, lambda row: Answer(now, what))


def _with_them(connection: Connection, rows: Sequence[Any], own: Sequence[Any]) -> int:
    """Give back what a lease holds behind some events in their streams, as if it had not been given."""
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.stream, row.position)
    gone = {row.position for row in rows}
    behind = [row for row in own if row.position not in gone and row.position > first.get(row.stream, row.position)]
    _note(connection, behind, {"until": 0, "attempts": deliveries.c.attempts - 1})
    return len(behind)


def _note(connection: Connection, rows: Sequence[Any], values: dict[str, Any]) -> None:
    """Change rows alike."""
    if rows:
        positions = [row.position for row in rows]
        these = update(deliveries).where(of(rows[0].subscription), deliveries.c.position.in_(positions))
        connection.execute(these.values(values))


def _tell(connection: Connection, rows: Sequence[Any], values: dict[str, Any], said: Callable[[Any], Answer]) -> None:
    """Change rows alike, and say of each what came of it."""
    told = [
        {"of": row.subscription, "at": row.position, "said": _encode((*decode_answers(row.answers), said(row)))}
        for row in rows
    ]
    if told:
        connection.execute(_NOTED.values({**values, "answers": bindparam("said")}), told)


def _has_lapsed(row: Any) -> Answer:
    return Answer(row.until / 1000, "lapsed")


def _encode(answers: tuple[Answer, ...]) -> str:
    return msgspec.json.encode(answers).decode()
