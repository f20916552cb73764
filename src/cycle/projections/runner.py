"""Keeps projections up to date: exactly once, in batches, rebuilt beside the live table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy.exc import DBAPIError

from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Projection
from cycle.projections.folding import Poisoned
from cycle.projections.rebuilding import SPAN, Progress, Rebuild
from cycle.projections.source import Leaves, Source
from cycle.projections.tables import (
    Kept,
    Overtaken,
    checkpoints,
    create,
    create_index,
    drop,
    indexed,
    move,
    prepare,
    read_checkpoints,
)
from cycle.store import LogRecorder, Waker
from cycle.turns import Stop

BATCH = 2_000
"""Positions in one transaction."""
FROM_NOTHING = 10_000
"""Positions that a new projection lies behind, from which on it is built beside its table."""
KEPT_ROWS = 200_000
"""Rows kept in memory between batches; beyond that they are read again when needed."""
WAIT_SECONDS = 2.0
PAUSE_SECONDS = 0.05
"""Between the beginnings of two batches, at least: whoever reads folds what is still missing himself."""
STOP_SECONDS = 0.2
"""Whoever follows the log looks so often whether he is to stop."""


class NotThereYet(TimeoutError):  # noqa: N818
    """A projection has not reached a position in time, or has stopped; the message says which."""


class _Live(Kept):
    """One projection at work, how far it has got, and whether its table has its index."""

    def __init__(self, projection: Projection[Any], position: int, log: LogRecorder, *, indexed: bool) -> None:
        super().__init__(projection, projection.name, log, whole=position == 0)
        self.position = position
        self.indexed = indexed


class Runner:
    """Follows the log.

    Args:
        log: the store.
        leaves: decoders by type and schema.
        projections: by name; default all.
    """

    def __init__(
        self, log: LogRecorder, leaves: Leaves, projections: Mapping[str, Projection[Any]] = PROJECTIONS
    ) -> None:
        self._log = log
        self._source = Source(log, leaves)
        self._projections = projections
        self._read = log.database.execution_options(cycle_read_only=True)
        """The same connections, without the writer's lock: who only looks waits for nobody."""
        self._write = log.database.execution_options(cycle_derived=True)
        """The same connections, without waiting for the disk: what is lost is folded again."""
        self._live: dict[str, _Live] = {}
        self._folding = Lock()
        """One thread folds at a time: the rows that it keeps in memory are not for two."""
        self._prepare()

    def _prepare(self) -> None:
        """Tables for new projections; changed ones begin again from nothing."""
        with self._read.connect() as connection:
            try:
                known = read_checkpoints(connection)
            except DBAPIError:
                known = {}
        current = {name for name, checkpoint in known.items() if name in self._projections}
        stale = [p for name, p in self._projections.items() if name not in current or known[name].digest != p.digest]
        if not stale:
            return
        with self._write.begin() as connection:
            if self._log.database.dialect.name != "sqlite":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711)")
            prepare(connection)
            known = read_checkpoints(connection)
            for projection in stale:
                before = known.get(projection.name)
                if before is not None and before.digest == projection.digest:
                    continue
                drop(connection, projection.name)
                create(connection, projection, projection.name)
                connection.execute(checkpoints.delete().where(checkpoints.c.name == projection.name))
                connection.execute(
                    checkpoints.insert().values(name=projection.name, position=0, digest=projection.digest)
                )

    def positions(self) -> dict[str, int]:
        """How far each projection has got."""
        with self._read.connect() as connection:
            return {n: c.position for n, c in read_checkpoints(connection).items() if n in self._projections}

    def problems(self) -> dict[str, str]:
        """Why a projection has stopped, by name; empty when all is well."""
        with self._read.connect() as connection:
            return {n: c.problem for n, c in read_checkpoints(connection).items() if c.problem}

    def catch_up(
        self,
        up_to: int | None = None,
        progress: Progress | None = None,
        batch: int = BATCH,
        stop: Stop | None = None,
    ) -> int:
        """Fold what is new into every projection, up to a position or the head, or the batch in which it is stopped.

        Returns:
            The position that has been reached.
        """
        goal = self._log.head().position if up_to is None else up_to
        with self._folding:
            return self._folded(goal, progress, batch, stop)

    def _folded(self, goal: int, progress: Progress | None, batch: int, stop: Stop | None) -> int:
        while True:
            live = self._at_work()
            behind = [each for each in live if each.position < goal]
            if not behind:
                return goal
            begin = min(each.position for each in behind)
            if stop is not None and stop.is_set():
                return begin
            group = [each for each in behind if each.position == begin]
            end = min((each.position for each in behind if each.position > begin), default=goal)
            try:
                if begin == 0 and goal >= FROM_NOTHING:
                    self._build([each.projection for each in group], progress)
                    continue
                self._one_batch(group, begin, min(begin + batch, end, goal), goal)
            except Overtaken:
                self._live.clear()
            except Poisoned as poisoned:
                self._stop(poisoned, begin)
            except BaseException:
                # Rows in memory may be ahead of what was committed.
                self._live.clear()
                raise
            if progress is not None:
                progress(min(each.position for each in group), goal)

    def _build(self, projections: Sequence[Projection[Any]], progress: Progress | None) -> None:
        """New projections of a long log: beside the live tables, so that nobody sees half of them, each row once."""
        with self._log.alone():
            # Somebody else may have done it while we waited.
            positions = self.positions()
            if still := [each for each in projections if positions[each.name] == 0]:
                Rebuild(self._source, still, SPAN).run(progress)
        self._live.clear()

    def _at_work(self) -> list[_Live]:
        """Every projection that has not stopped. Where another process has folded, its rows are read again."""
        with self._read.connect() as connection:
            found = read_checkpoints(connection)
            moved = {
                name
                for name in self._projections
                if name not in self._live or self._live[name].position != found[name].position
            }
            have = indexed(connection, list(moved)) if moved else set()
        for name in moved:
            position = found[name].position
            self._live[name] = _Live(self._projections[name], position, self._log, indexed=name in have)
        return [self._live[name] for name in self._projections if found[name].problem is None]

    def _one_batch(self, group: Sequence[_Live], begin: int, end: int, goal: int) -> None:
        # Outside the transaction, so that others wait less: who changes these rows moves the checkpoint too.
        self._source.advance(group, begin, end)
        with self._write.begin() as connection:
            move(connection, [each.projection.name for each in group], begin, end)
            for each in group:
                each.save(connection)
                if end == goal and not each.indexed:
                    # Made once the table is filled, it costs a third of keeping it on the way.
                    create_index(connection, each.projection, each.projection.name)
                    each.indexed = True
        for each in group:
            each.position = end
            if len(each.rows) > KEPT_ROWS:
                each.forget()

    def _stop(self, poisoned: Poisoned, position: int) -> None:
        """A fold that fails stops its own projection and no other."""
        self._live.clear()
        with self._write.begin() as connection:
            connection.execute(
                checkpoints.update()
                .where(checkpoints.c.name == poisoned.name, checkpoints.c.position == position)
                .values(problem=str(poisoned))
            )

    def rebuild(self, names: Iterable[str] = (), progress: Progress | None = None, batch: int = SPAN) -> None:
        """Projections from nothing, beside the live tables; readers see the old one, then the new one.

        Raises:
            KeyError: there is no such projection.
        """
        chosen = [self._projections[name] for name in names] or list(self._projections.values())
        with self._log.alone():
            Rebuild(self._source, chosen, batch).run(progress)
        with self._folding:
            self._live.clear()

    def wait_for(self, position: int, timeout_seconds: float = 5.0) -> None:
        """Return once every projection has folded this position: read your own writes.

        Raises:
            NotThereYet: it has not in that time, or a projection has stopped.
        """
        deadline = monotonic() + timeout_seconds
        with closing(self._log.waker()) as waker:
            while True:
                late = [name for name, reached in self.positions().items() if reached < position]
                if not late:
                    return
                left = deadline - monotonic()
                if left <= 0 or set(late) & set(self.problems()):
                    raise NotThereYet(
                        f"{', '.join(late)} have not reached position {position}: start `cycle worker`,"
                        " or heal a stopped projection with `cycle rebuild`"
                    )
                waker.wait(min(left, 0.1))

    def follow_to(self, position: int, timeout_seconds: float) -> None:
        """Fold what comes until this position is reached.

        Raises:
            NotThereYet: it has not come in that time.
        """
        deadline = monotonic() + timeout_seconds
        with closing(self._log.waker()) as waker:
            while self.catch_up() < position:
                left = deadline - monotonic()
                if left <= 0:
                    raise NotThereYet(f"the log has not reached position {position}")
                waker.wait(min(left, WAIT_SECONDS))

    def run(self, stop: Stop) -> None:
        """Follow the log until told to stop: arm the waker, pull, wait, pull again. It stops between two batches."""
        with closing(self._log.waker(PAUSE_SECONDS)) as waker:
            while not stop.is_set():
                self.catch_up(stop=stop)
                _wait(waker, stop)


def _wait(waker: Waker, stop: Stop) -> None:
    """Until there may be something new, or it is time to look anyhow, or to stop."""
    again = monotonic() + WAIT_SECONDS
    while not stop.is_set() and (left := again - monotonic()) > 0:
        if waker.wait(min(left, STOP_SECONDS)):
            return
