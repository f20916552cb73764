"""What an audit asks of the log: whole rows, receipts, and the sizes of all logs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func, select

from cycle.aggregates.base import LogName, StreamId
from cycle.proofs.rows import Save, Stored
from cycle.store import LogRecorder
from cycle_adapters.sql.schema import events, receipts

_NONE: Mapping[str, object] = {}


class SqlAuditing(LogRecorder):
    """The part of the recorder that the sealer and ``cycle verify`` read by; SELECT is all it needs."""

    @abstractmethod
    def _streamed(self, query: Select[Any], values: Mapping[str, object]) -> Iterator[Any]: ...

    @abstractmethod
    def _rows(self, query: Select[Any], values: Mapping[str, object] = _NONE) -> AbstractContextManager[Any]: ...

    def log_sizes(self) -> dict[str, int]:
        with self._rows(LOG_SIZES) as found:
            return dict(found.fetchall())

    def stored(self, after: int, up_to: int) -> Generator[Stored]:
        yield from map(Stored._make, self._streamed(STORED, {"after": after, "up_to": up_to}))

    def saves(self, after: int) -> Generator[Save]:
        yield from map(Save._make, self._streamed(SAVES, {"after": after}))

    def version_at(self, stream: StreamId, position: int) -> int:
        with self._rows(VERSION_AT, {"stream": stream, "position": position}) as found:
            return int(found.fetchone()[0] or 0)

    def log_leaves(self, log: LogName, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
        return self._streamed(LOG_LEAVES, {"log": log, "start": start, "end": end})


def _log_sizes() -> Select[Any]:
    """From one log to the next along their index: a look for each log, whatever their sizes."""
    logs = select(func.min(events.c.log).label("log")).cte("logs", recursive=True)
    following = select(func.min(events.c.log)).where(events.c.log > logs.c.log).scalar_subquery()
    logs = logs.union_all(select(following).where(logs.c.log.is_not(None)))
    size = select(func.max(events.c.log_index) + 1).where(events.c.log == logs.c.log).scalar_subquery()
    return select(logs.c.log, size).where(logs.c.log.is_not(None))


LOG_SIZES = _log_sizes()
_AFTER: BindParameter[int] = bindparam("after", None)
_UP_TO: BindParameter[int] = bindparam("up_to", None)
STORED = (
    select(
        events.c.position, events.c.stream, events.c.version, events.c.type, events.c.schema, events.c.log,
        events.c.log_index, events.c.leaf_hash, events.c.leaf,
    ).where(events.c.position > _AFTER, events.c.position <= _UP_TO).order_by(events.c.position)
)  # fmt: skip
SAVES = (
    select(receipts.c.key, receipts.c.first_position, receipts.c.last_position)
    .where(receipts.c.first_position > _AFTER)
    .order_by(receipts.c.first_position)
)
VERSION_AT = select(func.max(events.c.version)).where(
    events.c.stream == bindparam("stream", None), events.c.position <= bindparam("position", None)
)
LOG_LEAVES = (
    select(events.c.leaf, events.c.leaf_hash)
    .where(
        events.c.log == bindparam("log", None),
        events.c.log_index >= bindparam("start", None),
        events.c.log_index < bindparam("end", None),
    )
    .order_by(events.c.log_index)
)
