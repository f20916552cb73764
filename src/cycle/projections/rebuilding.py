"""Builds projections anew beside the live tables, and takes their place in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cycle.projections.base import Projection
from cycle.projections.source import Source
from cycle.projections.tables import (
    REBUILDING,
    Kept,
    checkpoints,
    create,
    create_index,
    drop,
    lock,
    read_checkpoints,
    rename,
)

KEPT_ROWS = 200_000
"""Rows kept in memory until they are written, each once; with more than that, some are written several times."""
SPAN = 10_000
"""Positions that are read at once: nobody waits for it."""
WRITTEN_AT_ONCE = 5_000
"""Rows in one transaction: on SQLite, commands wait for it."""

Progress = Callable[[int, int], None]
"""How many events are done, of how many."""


class Rebuild:
    """One rebuild. What died on the way is begun from nothing by the next."""

    def __init__(self, source: Source, projections: Sequence[Projection[Any]], batch: int) -> None:
        self._source = source
        self._database = source.log.database.execution_options(cycle_derived=True)
        self._projections = projections
        self._batch = batch
        self._group = [Kept(p, p.name + REBUILDING, source.log, whole=True) for p in projections]

    def run(self, progress: Progress | None) -> None:
        with self._database.begin() as connection:
            for projection in self._projections:
                drop(connection, projection.name + REBUILDING)
                create(connection, projection, projection.name + REBUILDING)
        position = self._follow(0, progress)
        with self._database.begin() as connection:
            for projection in self._projections:
                create_index(connection, projection, projection.name + REBUILDING)
        self._take_over(self._follow(position, progress))

    def _follow(self, position: int, progress: Progress | None) -> int:
        """Fold all that there is, and write it."""
        head = self._source.log.head().position
        while position < head:
            position = self._advance(position, head)
            self._write([each for each in self._group if each.projection.appends])
            if sum(len(each.rows) for each in self._group) > KEPT_ROWS:
                self._write(self._group)
                for each in self._group:
                    each.forget()
            if progress is not None:
                progress(position, head)
            if position == head:
                head = self._source.log.head().position
        self._write(self._group)
        return position

    def _advance(self, position: int, up_to: int) -> int:
        reached = min(position + self._batch, up_to)
        self._source.advance(self._group, position, reached)
        return reached

    def _write(self, group: Sequence[Kept]) -> None:
        for each in group:
            while each.changed:
                with self._database.begin() as connection:
                    each.save(connection, WRITTEN_AT_ONCE)

    def _take_over(self, position: int) -> None:
        with self._database.begin() as connection:
            lock(connection)
            live = read_checkpoints(connection)
            # Readers have seen the live tables there: they must not see less now.
            seen = max(live[p.name].position for p in self._projections)
            while position < seen:
                position = self._advance(position, seen)
            for each in self._group:
                each.save(connection)
                name = each.projection.name
                drop(connection, name)
                rename(connection, name + REBUILDING, name)
                connection.execute(
                    checkpoints.update()
                    .where(checkpoints.c.name == name)
                    .values(position=position, digest=each.projection.digest, problem=None)
                )
