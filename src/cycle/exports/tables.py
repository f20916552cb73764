"""The tables that are handed on: facts, what timings are made of, and what people read of frameworks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from msgspec import Struct

from cycle.aggregates.base import Role
from cycle.aggregates.framework.root import framework
from cycle.exports.columns import Cell, Column, cells_of, columns_of
from cycle.exports.facts import Facts
from cycle.exports.objects import subject_of
from cycle.exports.people import without_people
from cycle.exports.spells import CycleInterval, ObstacleSpell, StageVisit, intervals, obstacles, visits
from cycle.exports.still import Still
from cycle.exports.trail import Trails
from cycle.projections.all import PROJECTIONS
from cycle.projections.spells import Mark
from cycle.timings.durations import METRICS, Duration, Ended

Rows = Callable[[Still, Facts], Iterable[Struct]]


class EventRow(Struct, frozen=True, kw_only=True):
    """One fact. ``cycle`` 0: before the first."""

    position: int
    event: str
    commune: str
    framework: str | None
    cycle: int | None
    subject_type: str
    subject: str
    stream: str
    version: int
    type: str
    schema: int
    occurred_on: date
    recorded_at: datetime
    role: Role
    command: str
    corrected: bool
    data: str


class DurationRow(Struct, frozen=True, kw_only=True):
    """One interval of one metric, between two facts, or up to the day of the look."""

    metric: str
    commune: str
    framework: str
    cycle: int
    policy: str
    about: str | None
    since: date | None
    start: Mark
    end: Mark | None
    days: int
    active_days: int | None
    ended: Ended


class Table(NamedTuple):
    """A table by its name, with its columns and what reads its rows at a moment."""

    name: str
    columns: tuple[Column, ...]
    read: Rows

    def rows(self, at: Still, facts: Facts) -> Iterator[tuple[Cell, ...]]:
        """Its rows one by one, as cells in the order of the columns.

        Raises:
            Forbidden: the account may carry nothing away.
        """
        return (cells_of(row) for row in self.read(at, facts))


def events(at: Still, facts: Facts) -> Iterator[EventRow]:
    """Every fact, in the order of the log."""
    trails = Trails()
    for position, recorded, corrected in facts.each():
        kind, _, identity = recorded.stream.partition("-")
        of_framework = kind == framework.name
        cycle = trails.of(recorded.stream).follow(recorded) if of_framework else None
        subject = subject_of(recorded, cycle or 0)
        yield EventRow(
            position=position,
            event=recorded.id,
            commune=recorded.log,
            framework=identity if of_framework else None,
            cycle=cycle,
            subject_type=subject.type,
            subject=subject.id,
            stream=recorded.stream,
            version=recorded.version,
            type=recorded.type,
            schema=recorded.schema,
            occurred_on=recorded.occurred_on,
            recorded_at=recorded.recorded_at,
            role=recorded.by.role,
            command=recorded.command,
            corrected=corrected,
            data=without_people(recorded.data),
        )


def durations(at: Still, facts: Facts) -> Iterator[DurationRow]:
    """Every interval of every metric that is made of durations."""
    for metric in METRICS.values():
        for each in metric.durations(at.each_of, at.on):
            yield duration_row(metric.id, each)


def duration_row(metric: str, each: Duration) -> DurationRow:
    """A duration of a metric as a row."""
    return DurationRow(
        metric=metric,
        commune=each.commune,
        framework=each.framework,
        cycle=each.cycle,
        policy=each.policy,
        about=each.about,
        since=each.since,
        start=each.start,
        end=each.end,
        days=each.days,
        active_days=each.active_days,
        ended=each.ended,
    )


def _kept(name: str) -> Table:
    """A projection as it is."""
    columns = columns_of(PROJECTIONS[name].row, name, f"projection {name}")
    return Table(name, columns, lambda at, facts: at.each_of(name))


TABLES: tuple[Table, ...] = (
    Table(
        "events",
        columns_of(
            EventRow, "events", "log",
            event="log.id", commune="log.log", role="log.by.role",
            framework="log.stream", cycle="log.data.cycle, carried on",
            subject_type="log.type, log.data", subject="log.type, log.data", corrected="log: fact-corrected",
        ),
        events,
    ),
    Table(
        "cycle_interval",
        columns_of(
            CycleInterval, "cycle_interval", "projection cycle_interval",
            policy="projection policy_run.policy",
            days="timings M1, M3", active_days="timings M1", state="timings M1, M3",
        ),
        intervals,
    ),
    Table(
        "stage_visit",
        columns_of(
            StageVisit, "stage_visit", "projection stage_visit",
            cycle="projection cycle_interval.cycle", policy="projection policy_run.policy",
            days="timings M2", state="timings M2",
        ),
        visits,
    ),
    Table(
        "obstacle_spell",
        columns_of(
            ObstacleSpell, "obstacle_spell", "projection obstacle_spell",
            spell="projection obstacle_spell.again", accepted="projection obstacle_spell.kept",
            days_to_communication="timings M6-communicated", days_to_solution="timings M6-solution",
            days_to_end="timings M6-resolved",
        ),
        obstacles,
    ),
    Table("durations", columns_of(DurationRow, "durations", "timings"), durations),
    *(
        _kept(name)
        for name in (
            "communes", "organisations", "frameworks", "members", "needs", "meetings", "attendance",
            "plans", "actions", "commitments", "obstacles",
        )
    ),
)  # fmt: skip
"""All of them, the facts first."""
