"""Keeps projections up to date: exactly once, in batches, rebuilt beside the live table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from threading import Event as Flag
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from cycle.aggregates.base import EVENTS, Event, Recorded, StreamId
from cycle.aggregates.framework.anytime import FactCorrected
from cycle.history import believed
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Fact, Fold, Keys, Projection, Row, local, placed
from cycle.projections.tables import (
    REBUILDING,
    Overtaken,
    Writer,
    checkpoints,
    create,
    drop,
    load,
    move,
    prepare,
    read_checkpoints,
    rename,
)

BATCH = 2_000
KEPT_ROWS = 200_000
"""Rows kept in memory between batches; beyond that they are read again when needed."""
WAIT_SECONDS = 2.0

Progress = Callable[[int, int], None]
"""How many events are done, of how many."""


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


Decode = Callable[[str, int, bytes], Recorded[Event]]


def _types(group: Sequence[_Live]) -> tuple[str, ...]:
    """The types of events that a group cares about; none named: all."""
    types = {event.type for each in group for event in each.projection.steps}
    return () if len(types) >= len(EVENTS) else tuple(sorted(types | {FactCorrected.type}))


class NotThereYet(TimeoutError):  # noqa: N818
    """A projection has not reached a position in time, or has stopped; the message says which."""


class Poisoned(Exception):  # noqa: N818
    """A fold failed on a fact: a mistake of ours, to be mended and rebuilt."""

    def __init__(self, name: str, position: int, error: Exception) -> None:
        super().__init__(f"{name} stopped at position {position}: {type(error).__name__}: {error}")
        self.name = name


class _Live:
    """One projection at work: its table, its checkpoint, the rows that are in memory."""

    def __init__(self, projection: Projection[Any], name: str, position: int, dialect: str, whole: bool) -> None:
        self.projection = projection
        self.writer = Writer(projection, name, dialect)
        self.position = position
        self.rows: dict[str, Row | None] = {}
        self.whole = whole
        """All rows there are have gone through ``rows``: what is not in it does not exist."""
        self.touched: dict[str, Row | None] = {}
        self.work: list[tuple[str, Fold[Any] | None, Fact]] = []


class Runner:
    """Follows the log.

    Args:
        log: the store.
        decode: topic, schema and leaf to fact.
        projections: by name; default all.
    """

    def __init__(self, log: Log, decode: Decode, projections: Mapping[str, Projection[Any]] = PROJECTIONS) -> None:
        self._log = log
        self._decode = decode
        self._projections = projections
        self._dialect = log.database.dialect.name
        self._live: dict[str, _Live] = {}
        self._prepare()

    def _prepare(self) -> None:
        """Tables for new projections; changed ones begin again from nothing."""
        with self._log.database.connect() as connection:
            try:
                known = read_checkpoints(connection)
            except DBAPIError:
                known = {}
        current = {name for name, checkpoint in known.items() if name in self._projections}
        stale = [p for name, p in self._projections.items() if name not in current or known[name].digest != p.digest]
        if not stale:
            return
        with self._log.database.begin() as connection:
            if self._dialect != "sqlite":
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
        with self._log.database.connect() as connection:
            return {n: c.position for n, c in read_checkpoints(connection).items() if n in self._projections}

    def problems(self) -> dict[str, str]:
        """Why a projection has stopped, by name; empty when all is well."""
        with self._log.database.connect() as connection:
            return {n: c.problem for n, c in read_checkpoints(connection).items() if c.problem}

    def catch_up(self, up_to: int | None = None, progress: Progress | None = None, batch: int = BATCH) -> int:
        """Fold what is new into every projection, up to a position or the head.

        Returns:
            The position that has been reached.
        """
        goal = self._log.head().position if up_to is None else up_to
        while True:
            live = self._at_work()
            behind = [each for each in live if each.position < goal]
            if not behind:
                return goal
            begin = min(each.position for each in behind)
            group = [each for each in behind if each.position == begin]
            end = min((each.position for each in behind if each.position > begin), default=goal)
            try:
                self._one_batch(group, begin, min(end, goal), batch)
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

    def _at_work(self) -> list[_Live]:
        if not self._live:
            with self._log.database.connect() as connection:
                found = read_checkpoints(connection)
            for name, projection in self._projections.items():
                if found[name].problem is None:
                    position = found[name].position
                    self._live[name] = _Live(projection, name, position, self._dialect, position == 0)
        return list(self._live.values())

    def _one_batch(self, group: Sequence[_Live], begin: int, end: int, batch: int) -> None:
        rows = self._log.read(begin, batch, up_to=end, types=_types(group))
        facts = [Fact(row.position, self._decode(row.topic, row.schema, row.state)) for row in rows]
        reached = facts[-1].position if len(facts) == batch else end
        with self._log.database.begin() as connection:
            self._fold(connection, group, facts)
            for each in group:
                move(connection, each.projection.name, begin, reached)
                each.writer.write(connection, list(each.touched.items()))
        for each in group:
            each.position = reached
            if len(each.rows) > KEPT_ROWS:
                each.rows.clear()
                each.whole = False

    def _stop(self, poisoned: Poisoned, position: int) -> None:
        """A fold that fails stops its own projection and no other."""
        self._live.clear()
        with self._log.database.begin() as connection:
            connection.execute(
                checkpoints.update()
                .where(checkpoints.c.name == poisoned.name, checkpoints.c.position == position)
                .values(problem=str(poisoned))
            )

    def _fold(self, connection: Connection, group: Sequence[_Live], facts: Sequence[Fact]) -> None:
        """Fold facts into the rows of a group; what was touched stands in each one's ``touched``."""
        wanted: dict[type[Event], list[tuple[_Live, Keys, Fold[Any]]]] = {}
        for each in group:
            each.touched, each.work = {}, []
            for event, (keys, fold) in each.projection.steps.items():
                wanted.setdefault(event, []).append((each, keys, fold))
        nobody: list[tuple[_Live, Keys, Fold[Any]]] = []
        for fact in facts:
            kind = type(fact.recorded.data)
            for each, keys, fold in wanted.get(kind, nobody):
                for key in keys(fact):
                    each.work.append((key, fold, fact))
            if kind is FactCorrected:
                for each in group:
                    if not each.projection.appends:
                        each.work += [(key, None, fact) for key in self._corrected(each.projection, fact)]
        for each in group:
            self._fold_one(connection, each)

    def _fold_one(self, connection: Connection, each: _Live) -> None:
        rows, touched, appends = each.rows, each.touched, each.projection.appends
        if not each.whole and not appends:
            missing = [key for key in dict.fromkeys(key for key, _, _ in each.work) if key not in rows]
            found = load(connection, each.projection, each.writer.table, missing) if missing else {}
            for key in missing:
                rows[key] = found.get(key)
        for key, fold, fact in each.work:
            try:
                before = None if appends else rows.get(key)
                row = self._again(each.projection, key, fact) if fold is None else fold(before, fact, local(key))
            except Exception as error:
                raise Poisoned(each.projection.name, fact.position, error) from error
            if row is not None and not row.commune:
                row = placed(row, fact)
            touched[key] = row
            if not appends:
                rows[key] = row
        each.work = []

    def _stream(self, fact: Fact) -> list[Recorded[Event]]:
        stored = self._log.read_stream(fact.recorded.stream, up_to_position=fact.position)
        return [self._decode(s.topic, s.schema, s.state) for s in stored]

    def _corrected(self, projection: Projection[Any], fact: Fact) -> Iterable[str]:
        """The rows that the corrected fact touches, as it was and as it is believed now."""
        assert isinstance(fact.recorded.data, FactCorrected)
        history, index = self._stream(fact), fact.recorded.data.fact_version - 1
        step = projection.steps.get(type(history[index].data))
        if step is None:
            return ()
        versions = (history[index], believed(history[:-1])[index], believed(history)[index])
        return dict.fromkeys(key for each in versions for key in step[0](Fact(0, each)))

    def _again(self, projection: Projection[Any], key: str, fact: Fact) -> Row | None:
        """One row from its stream's history up to a fact, corrections applied."""
        row: Row | None = None
        for recorded in believed(self._stream(fact)):
            step = projection.steps.get(type(recorded.data))
            earlier = Fact(0, recorded)
            if step is not None and key in step[0](earlier):
                row = step[1](row, earlier, local(key))
                if row is not None:
                    row = placed(row, earlier)
        return row

    def rebuild(self, names: Iterable[str] = (), progress: Progress | None = None, batch: int = BATCH) -> None:
        """Projections from nothing, beside the live tables; readers see the old one, then the new one.

        Raises:
            KeyError: there is no such projection.
        """
        chosen = {name: self._projections[name] for name in names} or dict(self._projections)
        with self._log.database.begin() as connection:
            for name, projection in chosen.items():
                drop(connection, name + REBUILDING)
                create(connection, projection, name + REBUILDING)
        group = [_Live(p, name + REBUILDING, 0, self._dialect, True) for name, p in chosen.items()]
        goal, position = self._log.head().position, 0
        while True:
            top = self._log.head().position
            rows = self._log.read(position, batch, up_to=top, types=_types(group))
            facts = [Fact(row.position, self._decode(row.topic, row.schema, row.state)) for row in rows]
            last = len(facts) < batch
            with self._log.database.begin() as connection:
                self._fold(connection, group, facts)
                for each in group:
                    each.writer.write(connection, list(each.touched.items()))
                    if len(each.rows) > KEPT_ROWS:
                        each.rows.clear()
                        each.whole = False
                position = max(position, top) if last else facts[-1].position
                if last:
                    for name, projection in chosen.items():
                        drop(connection, name)
                        rename(connection, name + REBUILDING, name)
                        connection.execute(
                            checkpoints.update()
                            .where(checkpoints.c.name == name)
                            .values(position=position, digest=projection.digest, problem=None)
                        )
            if progress is not None:
                progress(position, max(goal, position))
            if last:
                break
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

    def run(self, stop: Flag) -> None:
        """Follow the log until told to stop: arm the waker, pull, wait, pull again."""
        with closing(self._log.waker()) as waker:
            while not stop.is_set():
                self.catch_up()
                waker.wait(WAIT_SECONDS)
