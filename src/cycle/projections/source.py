"""Where the facts come from that projections fold: batch by batch from the log, decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import Engine

from cycle.aggregates.base import EVENTS, Event, Recorded, StreamId
from cycle.aggregates.framework.anytime import FactCorrected
from cycle.projections.base import Fact
from cycle.projections.folding import fold
from cycle.projections.tables import Kept

Decode = Callable[[str, int, bytes], Recorded[Event]]


class StoredRow(Protocol):
    @property
    def position(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def schema(self) -> int: ...
    @property
    def state(self) -> bytes: ...


class Waker(Protocol):
    def wait(self, timeout_seconds: float) -> bool: ...
    def close(self) -> None: ...


class Log(Protocol):
    """What projections need of the store."""

    @property
    def database(self) -> Engine: ...
    def read(
        self, after: int, limit: int, *, up_to: int | None = None, types: Sequence[str] = ()
    ) -> Sequence[StoredRow]: ...
    def read_stream(self, stream: StreamId, *, up_to_position: int | None = None) -> Sequence[Any]: ...
    def head(self) -> Any: ...
    def waker(self) -> Waker: ...


class Source:
    """Reads the facts that a group of projections cares about, and folds them into its rows."""

    def __init__(self, log: Log, decode: Decode) -> None:
        self.log = log
        self._decode = decode

    def advance(self, group: Sequence[Kept], after: int, up_to: int, limit: int) -> int:
        """Read and fold the next facts.

        Returns:
            The position up to which all facts are folded: ``up_to`` when fewer than ``limit`` were left.

        Raises:
            Poisoned: a fold failed.
        """
        rows = self.log.read(after, limit, up_to=up_to, types=_types(group))
        facts = [Fact(row.position, self._decode(row.topic, row.schema, row.state)) for row in rows]
        for each in group:
            if missing := each.missing(facts):
                with self.log.database.connect() as connection:
                    each.load(connection, missing)
        fold(group, facts, self._history)
        return facts[-1].position if len(facts) == limit else up_to

    def _history(self, fact: Fact) -> list[Recorded[Event]]:
        stored = self.log.read_stream(fact.recorded.stream, up_to_position=fact.position)
        return [self._decode(s.topic, s.schema, s.state) for s in stored]


def _types(group: Sequence[Kept]) -> tuple[str, ...]:
    """The types of events that a group cares about; none named: all."""
    types = {event.type for each in group for event in each.projection.steps}
    return () if len(types) >= len(EVENTS) else tuple(sorted(types | {FactCorrected.type}))
