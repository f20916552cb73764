"""The durations M1 to M6 of the evaluator, each with the two facts between which it lies.

A duration is calendar days between two dates, whole numbers. What has no end yet is told as it is on a day and
never left out; what is negative where it cannot be is a doubt about the data: told apart, and never clamped.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import accumulate, groupby
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.state import Stage
from cycle.projections.base import Row
from cycle.projections.spells import (
    CycleIntervalRow,
    Mark,
    ObstacleSpellRow,
    PolicyRunRow,
    Spell,
    StageVisitRow,
    cycle_interval,
    obstacle_spell,
    policy_run,
    stage_visit,
)


class Ended(StrEnum):
    CLOSED = "closed"
    RUNNING = "running"
    DISSOLVED = "dissolved"
    """Cut off by the end of its framework."""
    OTHERWISE = "otherwise"
    """It came to another end: withdrawn, abandoned, carried over."""


class Duration(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Days from one fact to another one; to the day of the look while it is running.

    ``cycle`` numbers the plan in force, 0 before the first. ``about``: the stage or the obstacle that it is of.
    ``since`` is the day from which it counts where that is not the day of its first fact: the last day of a plan.
    ``active_days`` leaves out what was suspended.
    """

    commune: str
    framework: str
    cycle: int
    policy: str
    start: Mark
    end: Mark | None
    days: int
    ended: Ended
    about: str | None = None
    since: date | None = None
    active_days: int | None = None


class Stay(NamedTuple):
    """A visit to a stage, and what ended it."""

    visit: StageVisitRow
    end: Mark | None
    days: int


class One:
    """The rows of one framework, in the order of their keys, and the day on which it is looked at.

    ``dissolved``: the fact that dissolved it. ``last_day``: the day up to which something of it could come.
    """

    def __init__(
        self,
        on: date,
        intervals: Sequence[CycleIntervalRow],
        visits: Sequence[StageVisitRow],
        policies: Sequence[PolicyRunRow],
        obstacles: Sequence[ObstacleSpellRow],
    ) -> None:
        self.on, self.intervals, self.visits, self.obstacles = on, intervals, visits, obstacles
        last = visits[-1]
        self.dissolved = last.entered if last.stage is Stage.DISSOLVED else None
        self.last_day = self.dissolved.on if self.dissolved else on
        self._commune, self._framework = intervals[0].commune, intervals[0].framework
        begun = sorted((each.began.version, each.cycle) for each in intervals)
        self._begun = [version for version, _ in begun]
        self._cycles = list(accumulate((cycle for _, cycle in begun), max))
        self._since = [each.since.version for each in policies]
        self._policies = [each.policy for each in policies]

    def stays(self) -> Iterator[Stay]:
        """Each visit to a stage, one after the other."""
        for visit, following in zip(self.visits, (*self.visits[1:], None), strict=True):
            if visit.stage is not Stage.DISSOLVED:
                end = following.entered if following else None
                yield Stay(visit, end, ((end.on if end else self.on) - visit.entered.on).days)

    def suspended(self) -> list[Stay]:
        """The visits to suspension."""
        return [stay for stay in self.stays() if stay.visit.stage is Stage.SUSPENDED]

    def plans(self) -> Iterator[CycleIntervalRow]:
        return (row for row in self.intervals if row.cycle)

    def set_up(self) -> Iterator[CycleIntervalRow]:
        return (row for row in self.intervals if not row.cycle)

    def duration(
        self,
        start: Mark,
        end: Mark | None,
        *,
        since: date | None = None,
        about: str | None = None,
    ) -> Duration:
        """The time between two facts; where there is no second one, the end of the framework cuts it off."""
        cut = self.dissolved if end is None else None
        last, begun = end or cut, bisect(self._begun, start.version)
        return Duration(
            commune=self._commune,
            framework=self._framework,
            cycle=self._cycles[begun - 1] if begun else 0,
            policy=self._policies[bisect(self._since, start.version) - 1],
            start=start,
            end=last,
            days=((last.on if last else self.on) - (since or start.on)).days,
            ended=Ended.CLOSED if end else Ended.DISSOLVED if cut else Ended.RUNNING,
            about=about,
            since=since,
        )


Rows = Callable[[str], Iterable[Row]]
"""The rows of a projection in the order of their keys, by its name."""
Found = Callable[[One], Iterable[Duration]]


def between_cycles(one: One) -> Iterator[Duration]:
    """From plan k agreed to plan k + 1 agreed."""
    suspended = one.suspended()
    for row in one.plans():
        found = one.duration(row.began, row.ended)
        first, last = row.began.version, row.ended.version if row.ended else None
        away = sum(
            each.days
            for each in suspended
            if first <= each.visit.entered.version and (last is None or each.visit.entered.version < last)
        )
        yield replace(found, active_days=found.days - away)


def stays(one: One) -> Iterator[Duration]:
    """Each visit to a stage; a suspension is a visit of its own."""
    for visit, end, _ in one.stays():
        yield one.duration(visit.entered, end, about=visit.stage.value)


def set_up(one: One) -> Iterator[Duration]:
    """From the proposal to the first plan."""
    return (one.duration(row.began, row.ended) for row in one.set_up())


def set_up_once_adopted(one: One) -> Iterator[Duration]:
    """From the adopted deliberation to the first plan."""
    return (one.duration(row.adopted, row.ended) for row in one.set_up() if row.adopted)


def plan_gap(one: One) -> Iterator[Duration]:
    """From the last day of a plan to the next one agreed; negative: early."""
    return _behind_plans(one, lambda row: row.ended)


def plan_overrun(one: One) -> Iterator[Duration]:
    """From the last day of a plan to its review; negative: early."""
    return _behind_plans(one, lambda row: row.review)


def _behind_plans(one: One, end: Callable[[CycleIntervalRow], Mark | None]) -> Iterator[Duration]:
    for row in one.plans():
        if row.due_on is not None and (end(row) or one.last_day > row.due_on):
            yield one.duration(row.began, end(row), since=row.due_on)


def obstacles_to(step: Callable[[Spell], Mark | None]) -> Found:
    """From when an obstacle was identified to a step on its path; identified anew, it is another one."""

    def found(one: One) -> Iterator[Duration]:
        for row in one.obstacles:
            for spell in row.spells:
                yield one.duration(spell.identified, step(spell), about=row.obstacle)

    return found


class Kind(StrEnum):
    """How durations come about in a framework, and so how they are estimated."""

    RECURRENT = "recurrent"
    """One after the other."""
    ONCE = "once"
    SIDE_BY_SIDE = "side-by-side"


class Metric(Struct, frozen=True):
    """What is measured. ``signed``: negative days mean early, and are right. ``apart``: never counted together.

    ``of_obstacles``: it takes their rows. ``compared``: each is told against the framework's own first. ``active``:
    beside it stands the time without suspension.
    """

    id: str
    kind: Kind
    of: Found
    signed: bool = False
    apart: bool = False
    of_obstacles: bool = False
    compared: bool = False
    active: bool = False

    def durations(self, rows: Rows, on: date) -> Iterator[Duration]:
        """All of them as they are on a day, framework by framework, in the order in which they begin."""
        obstacles = rows(obstacle_spell.name) if self.of_obstacles else ()
        intervals, visits, policies = map(rows, (cycle_interval.name, stage_visit.name, policy_run.name))
        for one in _together(on, intervals, visits, policies, obstacles):
            yield from sorted(self.of(one), key=_in_order)


METRICS: Mapping[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric("M1", Kind.RECURRENT, between_cycles, compared=True, active=True),
        Metric("M2", Kind.RECURRENT, stays, apart=True),
        Metric("M3", Kind.ONCE, set_up),
        Metric("M3-adopted", Kind.ONCE, set_up_once_adopted),
        Metric("M4", Kind.RECURRENT, plan_gap, signed=True),
        Metric("M5", Kind.RECURRENT, plan_overrun, signed=True),
        Metric("M6-communicated", Kind.SIDE_BY_SIDE, obstacles_to(lambda each: each.communicated), of_obstacles=True),
        Metric("M6-solution", Kind.SIDE_BY_SIDE, obstacles_to(lambda each: each.solution), of_obstacles=True),
        Metric("M6-resolved", Kind.SIDE_BY_SIDE, obstacles_to(lambda each: each.ended), of_obstacles=True),
    )
}
"""By id, in the order of the definitions."""


def _together(
    on: date, intervals: Iterable[Row], visits: Iterable[Row], policies: Iterable[Row], obstacles: Iterable[Row]
) -> Iterator[One]:
    """One framework after the other, as soon as all tables have come to it.

    Each table may be as new as it likes: a framework that one of them does not know yet is left for the next look.
    """
    beside = _Beside(visits), _Beside(policies), _Beside(obstacles)
    for framework, own in groupby(intervals, _framework):
        stayed, ran, met = (each.of(framework) for each in beside)
        if stayed and ran:
            yield One(on, list(own), stayed, ran, met)  # type: ignore[arg-type]


class _Beside:
    """Rows that stand in the order of their frameworks, asked for in that order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, _framework)
        self._next = self._read()

    def of(self, framework: str) -> list[Row]:
        while self._next is not None and self._next[0] < framework:
            self._next = self._read()
        if self._next is None or self._next[0] != framework:
            return []
        rows, self._next = self._next[1], self._read()
        return rows

    def _read(self) -> tuple[str, list[Row]] | None:
        found = next(self._groups, None)
        return (found[0], list(found[1])) if found else None


def _in_order(duration: Duration) -> tuple[int, str]:
    return duration.start.version, duration.about or ""


_framework: Callable[[Row], str] = attrgetter("framework")
