"""Everything as of one position, however long it is read and whoever writes meanwhile; of what may be carried away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select

from cycle.access import ACTING, Action
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Row
from cycle.projections.runner import NotThereYet
from cycle.projections.tables import read_checkpoints
from cycle.reading import Filters, Reader

ROWS_AT_ONCE = 1_000
ATTEMPTS = 20
"""How often it is looked whether all tables have come equally far: a worker folds them in one go."""


class Still(Reader):
    """Reads at one moment, and no more than an act may carry away: that one may be read elsewhere does not count.

    ``position`` is the last one that is in it; ``on`` the day on which what is running is looked at.
    """

    def __init__(self, reader: Reader, act: str, filters: Filters, cutoffs: Cutoffs) -> None:
        super().__init__(reader.engine, reader.actor, reader.runner)
        self.filters, self.cutoffs = filters, cutoffs
        self.on: date = cutoffs.as_of or reader.engine.today()
        self.position = 0
        self._act = ACTING[act]
        self._connection: Connection | None = None

    def each_of(self, name: str) -> Iterator[Row]:
        """The rows of a projection in the order of their keys."""
        return self.each(name, self.filters, self.cutoffs)

    @property
    def logs(self) -> frozenset[str] | None:
        """The communes whose logs are in it; None: all."""
        own = self.readable("", self.filters.commune)
        chosen = self.codes(self.filters, self.cutoffs)
        if chosen is None:
            return own
        return frozenset(chosen) if own is None else own.intersection(chosen)

    def _asked(self, question: str) -> Action:
        return self._act

    def _selected(self, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
        if self._connection is None:
            yield from super()._selected(query)
        else:
            streamed = self._connection.execution_options(yield_per=ROWS_AT_ONCE)
            yield from map(tuple, streamed.execute(query))


@contextmanager
def still(reader: Reader, act: str, filters: Filters, cutoffs: Cutoffs) -> Iterator[Still]:
    """What an act (``cycle.access.ACTING``) may carry away, inside some cut-offs, as of one position.

    Raises:
        Forbidden: the account may carry nothing away, or not of the commune that is named.
        NotThereYet: a projection has stopped.
    """
    found = Still(reader, act, filters, cutoffs)
    if cutoffs != EVERYTHING:
        # What is folded from the log for the occasion stands still by itself, once it is said up to where.
        head = reader.engine.store.head().position
        found.position = head if cutoffs.at is None else min(cutoffs.at, head)
        found.cutoffs = replace(cutoffs, at=found.position)
        yield found
        return
    database = reader.engine.store.database
    options = {"cycle_read_only": True}
    if database.dialect.name != "sqlite":
        options["isolation_level"] = "REPEATABLE READ"  # type: ignore[assignment]
    for _ in range(ATTEMPTS):
        reader.catch_up()
        with database.connect().execution_options(**options) as connection:
            reached = {each.position for name, each in read_checkpoints(connection).items() if name in PROJECTIONS}
            if len(reached) == 1:
                found.position, found._connection = reached.pop(), connection
                yield found
                return
    raise NotThereYet("the projections stand at different positions: heal those that have stopped with `cycle rebuild`")
