"""The durations M1 to M6 of the evaluator, each with the two facts between which it lies.

A duration is calendar days between two dates, whole numbers. What has no end yet is told as it is on a day and
never left out; what is negative where it cannot be is a doubt about the data: told apart, and never clamped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.state import Stage
from cycle.projections.spells import CycleIntervalRow, Mark, ObstacleSpellRow, PolicyRunRow, Spell, StageVisitRow

R = TypeVar("R", CycleIntervalRow, StageVisitRow, PolicyRunRow)


class Ended(StrEnum):
    CLOSED = "closed"
    RUNNING = "running"
    DISSOLVED = "dissolved"
    """Cut off by the end of its framework."""


class Duration(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Tables(Struct, frozen=True):
    """The rows that durations are made of, inside some cut-offs, in the order of their keys.

    ``on`` is the day on which they are looked at.
    """

    intervals: Sequence[CycleIntervalRow]
    visits: Sequence[StageVisitRow]
    policies: Sequence[PolicyRunRow]
    obstacles: Sequence[ObstacleSpellRow]
    on: date


class Stay(NamedTuple):
    """A visit to a stage, and what ended it."""

    visit: StageVisitRow
    end: Mark | None
    days: int


class Frameworks:
    """Some tables, by framework."""

    def __init__(self, tables: Tables) -> None:
        self.on = tables.on
        self.intervals, self.visits = _grouped(tables.intervals), _grouped(tables.visits)
        self.obstacles = tables.obstacles
        self._policies = _grouped(tables.policies)

    def dissolved(self, framework: str) -> Mark | None:
        """The fact that dissolved it."""
        last = self.visits[framework][-1]
        return last.entered if last.stage is Stage.DISSOLVED else None

    def last_day(self, framework: str) -> date:
        """The day up to which something of a framework could come."""
        dissolved = self.dissolved(framework)
        return dissolved.on if dissolved else self.on

    def stays(self, framework: str) -> Iterator[Stay]:
        """Each visit of a framework to a stage, one after the other."""
        visits = self.visits[framework]
        for visit, following in zip(visits, (*visits[1:], None), strict=True):
            if visit.stage is not Stage.DISSOLVED:
                end = following.entered if following else None
                yield Stay(visit, end, ((end.on if end else self.on) - visit.entered.on).days)

    def suspended_days(self, framework: str, start: Mark, end: Mark | None) -> int:
        """The days of the visits to suspension between two facts."""
        return sum(
            stay.days
            for stay in self.stays(framework)
            if stay.visit.stage is Stage.SUSPENDED
            and start.version <= stay.visit.entered.version
            and (end is None or stay.visit.entered.version < end.version)
        )

    def duration(
        self,
        row: CycleIntervalRow | StageVisitRow | ObstacleSpellRow,
        start: Mark,
        end: Mark | None,
        *,
        since: date | None = None,
        about: str | None = None,
    ) -> Duration:
        """The time between two facts; where there is no second one, the end of the framework cuts it off."""
        cut = self.dissolved(row.framework) if end is None else None
        last = end or cut
        return Duration(
            commune=row.commune,
            framework=row.framework,
            cycle=max((each.cycle for each in self.intervals[row.framework] if _before(each.began, start)), default=0),
            policy=next(each.policy for each in reversed(self._policies[row.framework]) if _before(each.since, start)),
            start=start,
            end=last,
            days=((last.on if last else self.on) - (since or start.on)).days,
            ended=Ended.CLOSED if end else Ended.DISSOLVED if cut else Ended.RUNNING,
            about=about,
            since=since,
        )


Found = Callable[[Frameworks], Iterator[Duration]]


def between_cycles(these: Frameworks) -> Iterator[Duration]:
    """From plan k agreed to plan k + 1 agreed."""
    for row in _of_plans(these):
        found = these.duration(row, row.began, row.ended)
        suspended = these.suspended_days(row.framework, row.began, row.ended)
        yield replace(found, active_days=found.days - suspended)


def stays(these: Frameworks) -> Iterator[Duration]:
    """Each visit to a stage; a suspension is a visit of its own."""
    for framework in these.visits:
        for visit, end, _ in these.stays(framework):
            yield these.duration(visit, visit.entered, end, about=visit.stage.value)


def set_up(these: Frameworks) -> Iterator[Duration]:
    """From the proposal to the first plan."""
    for row in _of_set_up(these):
        yield these.duration(row, row.began, row.ended)


def set_up_once_adopted(these: Frameworks) -> Iterator[Duration]:
    """From the adopted deliberation to the first plan."""
    for row in _of_set_up(these):
        if row.adopted is not None:
            yield these.duration(row, row.adopted, row.ended)


def plan_gap(these: Frameworks) -> Iterator[Duration]:
    """From the last day of a plan to the next one agreed; negative: early."""
    return _behind_plans(these, lambda row: row.ended)


def plan_overrun(these: Frameworks) -> Iterator[Duration]:
    """From the last day of a plan to its review; negative: early."""
    return _behind_plans(these, lambda row: row.review)


def _behind_plans(these: Frameworks, end: Callable[[CycleIntervalRow], Mark | None]) -> Iterator[Duration]:
    for row in _of_plans(these):
        if row.due_on is not None and (end(row) or these.last_day(row.framework) > row.due_on):
            yield these.duration(row, row.began, end(row), since=row.due_on)


def _of_set_up(these: Frameworks) -> Iterator[CycleIntervalRow]:
    return (row for rows in these.intervals.values() for row in rows if not row.cycle)


def _of_plans(these: Frameworks) -> Iterator[CycleIntervalRow]:
    return (row for rows in these.intervals.values() for row in rows if row.cycle)


def obstacles_to(step: Callable[[Spell], Mark | None]) -> Found:
    """From when an obstacle was identified to a step on its path; identified anew, it is another one."""

    def found(these: Frameworks) -> Iterator[Duration]:
        for row in these.obstacles:
            for spell in row.spells:
                yield these.duration(row, spell.identified, step(spell), about=row.obstacle)

    return found


class Kind(StrEnum):
    """How durations come about in a framework, and so how they are estimated."""

    RECURRENT = "recurrent"
    """One after the other."""
    ONCE = "once"
    SIDE_BY_SIDE = "side-by-side"


class Metric(Struct, frozen=True):
    """What is measured. ``signed``: negative days mean early, and are right. ``apart``: never counted together."""

    id: str
    kind: Kind
    of: Found
    signed: bool = False
    apart: bool = False


METRICS: Mapping[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric("M1", Kind.RECURRENT, between_cycles),
        Metric("M2", Kind.RECURRENT, stays, apart=True),
        Metric("M3", Kind.ONCE, set_up),
        Metric("M3-adopted", Kind.ONCE, set_up_once_adopted),
        Metric("M4", Kind.RECURRENT, plan_gap, signed=True),
        Metric("M5", Kind.RECURRENT, plan_overrun, signed=True),
        Metric("M6-communicated", Kind.SIDE_BY_SIDE, obstacles_to(lambda spell: spell.communicated)),
        Metric("M6-solution", Kind.SIDE_BY_SIDE, obstacles_to(lambda spell: spell.solution)),
        Metric("M6-resolved", Kind.SIDE_BY_SIDE, obstacles_to(lambda spell: spell.ended)),
    )
}
"""By id, in the order of the definitions."""


def _before(one: Mark, other: Mark) -> bool:
    return one.version <= other.version


def _grouped(rows: Iterable[R]) -> Mapping[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.framework].append(row)
    return found
