"""What a feed asks of the log: a stretch of it in global order, without what is left out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select

from cycle.aggregates.base import StreamId
from cycle.store import FeedRow, LogRecorder
from cycle_adapters.sql.schema import events


class SqlFeeding(LogRecorder):
    """The part of the recorder that feeds read by."""

    @abstractmethod
    def _rows(self, query: Select[Any], values: Mapping[str, object] = {}) -> AbstractContextManager[Any]: ...

    def feed(
        self,
        after: int,
        up_to: int,
        limit: int,
        *,
        logs: Collection[str] | None = None,
        types: Collection[str] = (),
        stream: StreamId | None = None,
    ) -> Sequence[FeedRow]:
        values: dict[str, object] = {"after": after, "up_to": up_to, "most": limit}
        among = {"log": logs, "type": types or None, "stream": None if stream is None else (stream,)}
        given = {name: sorted(found) for name, found in among.items() if found is not None}
        if not all(given.values()):
            return []
        with self._rows(_query(frozenset(given)), values | given) as found:
            return list(map(FeedRow._make, found.fetchall()))


@lru_cache(maxsize=16)
def _query(given: frozenset[str]) -> Select[Any]:
    query = STRETCH.where(*(_is_among(events.c[name], name) for name in sorted(given)))
    return query.order_by(events.c.position).limit(bindparam("most", None))


def _is_among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    # Never by an index of its own: it would read a whole log to find what stands in one stretch of it.
    return column.concat("").in_(bindparam(name, expanding=True))


_AFTER: BindParameter[int] = bindparam("after", None)
_UP_TO: BindParameter[int] = bindparam("up_to", None)
STRETCH = select(events.c.position, events.c.log, events.c.log_index, events.c.leaf).where(
    events.c.position > _AFTER, events.c.position <= _UP_TO
)
