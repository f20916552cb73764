"""What a feed asks of the log: a stretch of it in global order, without what is left out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select

from cycle.aggregates.base import StreamId
from cycle.store import FeedRow, LogRecorder
from cycle_adapters.sql.bulk import NOTHING, at_once
from cycle_adapters.sql.schema import events


class SqlFeeding(LogRecorder):
    """The part of the recorder that feeds read by."""

    @abstractmethod
    def _reading(self, isolation_level: str | None = None) -> AbstractContextManager[Connection]: ...

    def feed(
        self,
        after: int,
        up_to: int,
        limit: int,
        *,
        logs: Collection[str] | None = None,
        types: Collection[str] = (),
        stream: StreamId | None = None,
    ) -> tuple[int, Sequence[FeedRow]]:
        query = _query(None if logs is None else tuple(sorted(logs)), tuple(types), stream)
        with self._reading() as connection:
            # Before the rows: of all that stands below it, none is still to appear.
            head = _head(connection)
            if after >= head:
                return head, []
            values = {"after": after, "up_to": min(up_to, head), "most": limit}
            return head, at_once(connection, query, values)

    def events_at(self, positions: Sequence[int]) -> Sequence[FeedRow]:
        query = ROWS.where(events.c.position.in_(positions)).order_by(events.c.position)
        with self._reading() as connection:
            return [(position, log, index, bytes(leaf)) for position, log, index, leaf in connection.execute(query)]

    def count(
        self, after: int, up_to: int, most: int, *, logs: Collection[str] | None = None, types: Collection[str] = ()
    ) -> int:
        found = _query(None if logs is None else tuple(sorted(logs)), tuple(types), None).subquery()
        query = select(func.count()).select_from(found)
        with self._reading() as connection:
            return connection.execute(query, {"after": after, "up_to": up_to, "most": most}).scalar_one()

    def tally(self, after: int, up_to: int) -> tuple[int, Mapping[tuple[str, str], int]]:
        with self._reading() as connection:
            head = _head(connection)
            rows = connection.execute(TALLY, {"after": after, "up_to": min(up_to, head)})
            return head, {(log, type): count for log, type, count in rows}


def _head(connection: Connection) -> int:
    ((head,),) = at_once(connection, TOP, NOTHING)
    return head or 0


@lru_cache(maxsize=200)
def _query(logs: tuple[str, ...] | None, types: tuple[str, ...], stream: str | None) -> Select[Any]:
    """Made once for each reader and wish: to put it together takes longer than to answer it."""
    among = ((events.c.log, logs), (events.c.type, types or None), (events.c.stream, stream and (stream,)))
    # Never by an index of their own: that would read a whole log to find what stands in one stretch of it.
    query = STRETCH.where(*(column.concat("").in_(given) for column, given in among if given is not None))
    return query.order_by(events.c.position).limit(bindparam("most", None))


_AFTER: BindParameter[int] = bindparam("after", None)
_UP_TO: BindParameter[int] = bindparam("up_to", None)
TALLY = (
    select(events.c.log, events.c.type, func.count())
    .where(events.c.position > _AFTER, events.c.position <= _UP_TO)
    .group_by(events.c.log, events.c.type)
)
TOP = select(func.max(events.c.position))
ROWS = select(events.c.position, events.c.log, events.c.log_index, events.c.leaf)
STRETCH = ROWS.where(events.c.position > _AFTER, events.c.position <= _UP_TO)
