"""Folds facts into the rows of several projections in one pass, and knows which rows changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.corrections import FactCorrected
from cycle.history import Fact, believed
from cycle.projections.base import Projection, R, Row

History = Callable[[Fact], Sequence[Recorded[Event]]]
"""The stream of a fact up to that fact, as it was recorded."""


class Poisoned(Exception):  # noqa: N818
    """A fold failed on a fact: a mistake of ours, to be mended and rebuilt."""

    def __init__(self, name: str, position: int, error: Exception) -> None:
        super().__init__(f"{name} stopped at position {position}: {type(error).__name__}: {error}")
        self.name, self.position = name, position


class Folding:
    """The rows of one projection in memory.

    ``changed`` holds what is not written yet, by key; None is a row to delete. While ``whole``, all
    rows there are have gone through ``rows``: what is not in it does not exist. ``kept`` are the keys
    of rows that are, or may be, where rows are kept; what is in memory under another key is new.
    """

    def __init__(self, projection: Projection[Any], *, whole: bool) -> None:
        self.projection = projection
        self.whole = whole
        self.rows: dict[str, Row | None] = {}
        self.changed: dict[str, Row | None] = {}
        self.kept: set[str] = set()

    def forget(self) -> None:
        """Let go of the rows in memory; they are read again when needed."""
        self.rows.clear()
        self.kept.clear()
        self.whole = False

    @property
    def complete(self) -> bool:
        """No row needs to be read before a fact is folded."""
        return self.whole or self.projection.appends

    def missing(self, facts: Iterable[Fact]) -> list[str]:
        """Keys of the rows that these facts may change and that are not in memory."""
        return [key for key in dict.fromkeys(key for fact in facts for key in self._keys(fact)) if key not in self.rows]

    def _keys(self, fact: Fact) -> Iterable[str]:
        step = self.projection.steps.get(type(fact.recorded.data))
        return () if step is None else [key for key, _ in step[0](fact)]

    def taker(self, event: type[Event]) -> Callable[[Fact], None]:
        """What folds a fact of this type, which the projection cares about.

        Raises (when it is called):
            Poisoned: the fold failed; the rows in memory are of no more use.
        """
        projection, rows, changed = self.projection, self.rows, self.changed
        touches, fold = projection.steps[event]

        def take(fact: Fact) -> None:
            try:
                for key, part in touches(fact):
                    changed[key] = rows[key] = fold(rows.get(key), fact, part)
            except Exception as error:
                raise Poisoned(projection.name, fact.position, error) from error

        def add(fact: Fact) -> None:
            try:
                for key, part in touches(fact):
                    changed[key] = fold(None, fact, part)
            except Exception as error:
                raise Poisoned(projection.name, fact.position, error) from error

        return add if projection.appends else take

    def correct(self, fact: Fact, versions: Iterable[Recorded[Event]], history: Iterable[Recorded[Event]]) -> None:
        """Fold again the rows that a corrected fact touches.

        ``versions`` are the fact as it was recorded, was believed and is believed; ``history`` is
        its stream as it is believed.

        Raises:
            Poisoned: the fold failed.
        """
        keys = dict.fromkeys(key for version in versions for key in self._keys(Fact(fact.position, version)))
        if keys and not self.projection.appends:
            right = folded(self.projection, (Fact(fact.position, recorded) for recorded in history))
            if not self.whole:
                # A correction changes rows that nobody has looked for.
                self.kept.update(key for key in keys if key not in self.rows)
            for key in keys:
                self.rows[key] = self.changed[key] = right.get(key)


def folded(projection: Projection[R], history: Iterable[Fact]) -> dict[str, R]:
    """Every row that a (believed) history leads to, by key.

    Raises:
        Poisoned: a fold failed.
    """
    folding = Folding(projection, whole=True)
    takers = {event: folding.taker(event) for event in projection.steps}
    for fact in history:
        if take := takers.get(type(fact.recorded.data)):
            take(fact)
    return {key: row for key, row in folding.changed.items() if row is not None}  # type: ignore[misc]


def fold(group: Sequence[Folding], facts: Iterable[Fact], history: History) -> None:
    """Fold facts into the rows of a group, in one pass.

    Raises:
        Poisoned: a fold failed; the rows in memory are of no more use.
    """
    # Made when the first fact of a type comes: a small batch has few of them.
    wanted: dict[type[Event], list[Callable[[Fact], None]]] = {}
    for fact in facts:
        event = fact.recorded.data
        kind = type(event)
        if kind not in wanted:
            wanted[kind] = [each.taker(kind) for each in group if kind in each.projection.steps]
        for take in wanted[kind]:
            take(fact)
        if isinstance(event, FactCorrected):
            recorded = history(fact)
            before, now = believed(recorded[:-1]), believed(recorded)
            index = event.fact_version - 1
            for each in group:
                each.correct(fact, (recorded[index], before[index], now[index]), now)
