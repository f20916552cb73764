"""Folds facts into the rows of several projections in one pass, and knows which rows changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.framework.anytime import FactCorrected
from cycle.history import believed
from cycle.projections.base import Fact, Fold, Keys, Projection, Row, local, placed

History = Callable[[Fact], Sequence[Recorded[Event]]]
"""The stream of a fact up to that fact, as it was recorded."""


class Poisoned(Exception):  # noqa: N818
    """A fold failed on a fact: a mistake of ours, to be mended and rebuilt."""

    def __init__(self, name: str, position: int, error: Exception) -> None:
        super().__init__(f"{name} stopped at position {position}: {type(error).__name__}: {error}")
        self.name = name


class Folding:
    """The rows of one projection in memory.

    ``changed`` holds what is not written yet, by key; None is a row to delete. While ``whole``, all
    rows there are have gone through ``rows``: what is not in it does not exist.
    """

    def __init__(self, projection: Projection[Any], *, whole: bool) -> None:
        self.projection = projection
        self.whole = whole
        self.rows: dict[str, Row | None] = {}
        self.changed: dict[str, Row | None] = {}

    def forget(self) -> None:
        """Let go of the rows in memory; they are read again when needed."""
        self.rows.clear()
        self.whole = False

    def missing(self, facts: Iterable[Fact]) -> list[str]:
        """Keys of the rows that these facts may change and that are not in memory."""
        if self.whole or self.projection.appends:
            return []
        keys: dict[str, None] = {}
        for fact in facts:
            step = self.projection.steps.get(type(fact.recorded.data))
            if step is not None:
                keys.update(dict.fromkeys(step[0](fact)))
        return [key for key in keys if key not in self.rows]

    def correct(self, fact: Fact, history: Sequence[Recorded[Event]]) -> None:
        """Fold the rows again that a corrected fact touches, as it was and as it is believed now."""
        assert isinstance(fact.recorded.data, FactCorrected)
        now, index = believed(history), fact.recorded.data.fact_version - 1
        step = self.projection.steps.get(type(now[index].data))
        if self.projection.appends or step is None:
            return
        versions = (history[index], believed(history[:-1])[index], now[index])
        for key in dict.fromkeys(key for each in versions for key in step[0](Fact(0, each))):
            self.rows[key] = self.changed[key] = self._again(key, now)

    def _again(self, key: str, history: Iterable[Recorded[Event]]) -> Row | None:
        row: Row | None = None
        for recorded in history:
            step = self.projection.steps.get(type(recorded.data))
            fact = Fact(0, recorded)
            if step is not None and key in step[0](fact):
                row = step[1](row, fact, local(key))
                if row is not None:
                    row = placed(row, fact)
        return row


def fold(group: Sequence[Folding], facts: Iterable[Fact], history: History) -> None:
    """Fold facts into the rows of a group, in one pass.

    Raises:
        Poisoned: a fold failed; the rows in memory are of no more use.
    """
    wanted: dict[type[Event], list[tuple[Folding, Keys, Fold[Any]]]] = {}
    for each in group:
        for event, (keys, step) in each.projection.steps.items():
            wanted.setdefault(event, []).append((each, keys, step))
    nobody: list[tuple[Folding, Keys, Fold[Any]]] = []
    for fact in facts:
        kind = type(fact.recorded.data)
        for each, keys, step in wanted.get(kind, nobody):
            rows, changed = each.rows, each.changed
            try:
                for key in keys(fact):
                    row = step(rows.get(key), fact, local(key))
                    if row is not None and not row.commune:
                        row = placed(row, fact)
                    changed[key] = row
                    if not each.projection.appends:
                        rows[key] = row
            except Exception as error:
                raise Poisoned(each.projection.name, fact.position, error) from error
        if kind is FactCorrected:
            stream = history(fact)
            for each in group:
                try:
                    each.correct(fact, stream)
                except Exception as error:
                    raise Poisoned(each.projection.name, fact.position, error) from error
