"""Frameworks one by one, each with its rows of several projections: what figures beside durations are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from cycle.aggregates.framework.state import Stage
from cycle.projections.base import Projection, Row
from cycle.projections.spells import Mark, cycle_interval, policy_run, stage_visit
from cycle.timings.durations import Rows

R = TypeVar("R", bound=Row)
ALWAYS: tuple[Projection[Any], ...] = (cycle_interval, stage_visit, policy_run)
"""What every sheet holds: when plans were agreed, whether it was dissolved, and the policy in force."""


class Sheet(NamedTuple):
    """The rows of one framework in the order of their keys, by the name of their projection; ``on``: seen that day."""

    framework: str
    on: date
    rows: Mapping[str, Sequence[Row]]

    def of(self, projection: Projection[R]) -> Sequence[R]:
        return self.rows[projection.name]  # type: ignore[return-value]

    @property
    def commune(self) -> str:
        return self.of(cycle_interval)[0].commune

    @property
    def dissolved(self) -> Mark | None:
        """The fact that dissolved it."""
        last = self.of(stage_visit)[-1]
        return last.entered if last.stage is Stage.DISSOLVED else None

    @property
    def last_day(self) -> date:
        """The day up to which something of it could come."""
        return self.dissolved.on if self.dissolved else self.on

    def policy(self, mark: Mark) -> str:
        """The policy in force when something happened."""
        return [each.policy for each in self.of(policy_run) if each.since.version <= mark.version][-1]

    def cycle(self, mark: Mark) -> int:
        """The plan in force when something happened; 0 before the first."""
        return max((each.cycle for each in self.of(cycle_interval) if each.began.version <= mark.version), default=0)


def sheets(rows: Rows, projections: Sequence[Projection[Any]], on: date) -> Iterator[Sheet]:
    """One framework after the other, as soon as all tables have come to it.

    Each table may be as new as it likes: a framework that one of those in ``ALWAYS`` does not know yet is left for
    the next look.
    """
    names = [each.name for each in (*ALWAYS, *projections)]
    # All are named before the first row of one is read: of a past moment they are found in one pass.
    named = [rows(name) for name in names]
    tables = [_Table(each) for each in named]
    for framework, first in tables[0].all():
        own = dict(zip(names, (first, *(each.of(framework) for each in tables[1:])), strict=True))
        if all(own[each.name] for each in ALWAYS):
            yield Sheet(framework, on, own)


class _Table:
    """Rows that stand in the order of their frameworks, asked for in that order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, attrgetter("framework"))
        self._next = self._read()

    def all(self) -> Iterator[tuple[str, list[Row]]]:
        while self._next is not None:
            yield self._next
            self._next = self._read()

    def of(self, framework: str) -> list[Row]:
        while self._next is not None and self._next[0] < framework:
            self._next = self._read()
        return self._next[1] if self._next is not None and self._next[0] == framework else []

    def _read(self) -> tuple[str, list[Row]] | None:
        found = next(self._groups, None)
        return (found[0], list(found[1])) if found else None
