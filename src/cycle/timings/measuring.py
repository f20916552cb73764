"""A metric measured: its durations in cohorts, estimated, with what a reader needs in order to doubt them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from math import ceil
from typing import Any, cast

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.projections.spells import cycle_interval, obstacle_spell, policy_run, stage_visit
from cycle.reading import Filters, Reader
from cycle.timings.durations import Duration, Ended, Frameworks, Kind, Metric, Tables
from cycle.timings.estimators import (
    Curve,
    Ending,
    Ratio,
    Recurrence,
    clustered,
    kaplan_meier,
    paired_ratios,
    wang_chang,
)

DEFINITION = 1
"""Raised when a metric changes its meaning."""
AT_LEAST_FRAMEWORKS = 5
"""A group of fewer has rows and no curve."""
LATE_DAYS = 30
"""A fact recorded later than this after it happened says little of when it happened."""
QUESTION = "timings"


class By(StrEnum):
    """What cohorts are made of."""

    REGION = "region"
    CIRCLE = "circle"
    SECTOR = "sector"
    POLICY = "policy"


class Lag(Struct, frozen=True):
    """How late the facts behind some durations were recorded, in days; ``late`` is the share over thirty."""

    facts: int
    median: int
    p90: int
    late: float


class Group(Struct, frozen=True, omit_defaults=True):
    """One cohort. ``about``: the stage, where stages are counted apart.

    ``curve`` None: it has fewer than five frameworks, or nothing but doubts. ``doubtful``: left out, because they are
    negative where they cannot be.
    """

    cohort: str | None
    about: str | None
    frameworks: int
    intervals: int
    running: int
    dissolved: int
    doubtful: int
    lag: Lag | None
    curve: Curve | None = None
    changes: Sequence[Ratio] = ()


class Measured(Struct, frozen=True):
    """What was asked, from what, and what came of it."""

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    by: By | None
    groups: Sequence[Group]
    durations: Sequence[Duration]


def measured(reader: Reader, metric: Metric, by: By | None, filters: Filters, cutoffs: Cutoffs) -> Measured:
    """A metric inside some cut-offs, by cohorts; without a day, as of today.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    on = cutoffs.as_of or reader.engine.today()
    found = list(metric.of(Frameworks(tables(reader, filters, cutoffs, on))))
    cohorts = _cohorts(reader, by, filters, cutoffs)
    groups = [_group(metric, name, about, some) for (name, about), some in _apart(metric, found, cohorts)]
    return Measured(metric.id, DEFINITION, on, cutoffs.known_at, cutoffs.at, by, groups, found)


def tables(reader: Reader, filters: Filters, cutoffs: Cutoffs, on: date) -> Tables:
    """The rows that durations are made of."""

    def rows(name: str) -> Any:
        return reader.rows(name, filters, cutoffs)

    names = (cycle_interval.name, stage_visit.name, policy_run.name, obstacle_spell.name)
    intervals, visits, policies, obstacles = map(rows, names)
    return Tables(intervals, visits, policies, obstacles, on)


def _cohorts(
    reader: Reader, by: By | None, filters: Filters, cutoffs: Cutoffs
) -> Callable[[Duration], Iterable[str | None]]:
    """The cohorts that a duration belongs to: one, or one for each sector of its framework."""
    if by is None:
        return lambda duration: (None,)
    if by is By.POLICY:
        return lambda duration: (duration.policy,)
    if by is By.SECTOR:
        sectors = {row.framework: row.sectors for row in cast("list[Any]", reader.rows("frameworks", filters, cutoffs))}
        return lambda duration: sectors[duration.framework]
    places = {row.code: getattr(row, by.value) for row in reader.communes(cutoffs)}
    return lambda duration: (places[duration.commune],)


def _apart(
    metric: Metric, durations: Iterable[Duration], cohorts: Callable[[Duration], Iterable[str | None]]
) -> list[tuple[tuple[str | None, str | None], list[Duration]]]:
    """Durations by cohort, and by what they are about where that is counted apart."""
    found: dict[tuple[str | None, str | None], list[Duration]] = defaultdict(list)
    for each in durations:
        for cohort in cohorts(each):
            found[cohort, each.about if metric.apart else None].append(each)
    return sorted(found.items(), key=lambda item: item[0][0] or "")


def _group(metric: Metric, cohort: str | None, about: str | None, durations: Sequence[Duration]) -> Group:
    sound = [each for each in durations if metric.signed or each.days >= 0]
    frameworks = {each.framework for each in durations}
    enough = len(frameworks) >= AT_LEAST_FRAMEWORKS
    series = list(_series(sound)) if metric.kind is Kind.RECURRENT else []
    return Group(
        cohort=cohort,
        about=about,
        frameworks=len(frameworks),
        intervals=len(durations),
        running=sum(each.ended is Ended.RUNNING for each in durations),
        dissolved=sum(each.ended is Ended.DISSOLVED for each in durations),
        doubtful=len(durations) - len(sound),
        lag=_lag(durations),
        curve=_curve(metric, sound, series) if enough else None,
        changes=paired_ratios(series) if enough and metric.id == "M1" else (),
    )


def _curve(metric: Metric, durations: Sequence[Duration], series: Sequence[Recurrence]) -> Curve | None:
    match metric.kind:
        case Kind.RECURRENT:
            return wang_chang(series)
        case Kind.ONCE:
            return kaplan_meier([_ending(each) for each in durations])
        case Kind.SIDE_BY_SIDE:
            return clustered([_ending(each) for each in durations])


def _ending(duration: Duration) -> Ending:
    way = {Ended.RUNNING: 0, Ended.CLOSED: 1, Ended.DISSOLVED: 2}[duration.ended]
    return Ending(duration.commune, duration.days, way)


def _series(durations: Iterable[Duration]) -> Iterator[Recurrence]:
    """The intervals of each framework; communes are drawn as a whole, as some have several frameworks."""
    found: dict[str, list[Duration]] = defaultdict(list)
    for each in durations:
        found[each.framework].append(each)
    for some in found.values():
        closed = tuple(each.days for each in some if each.ended is Ended.CLOSED)
        running = [each.days for each in some if each.ended is not Ended.CLOSED]
        yield Recurrence(some[0].commune, closed, running[-1] if running else None)


def _lag(durations: Iterable[Duration]) -> Lag | None:
    """How late the facts at both ends were recorded."""
    marks = {mark.event: mark for each in durations for mark in (each.start, each.end) if mark}
    days = sorted((mark.recorded_at.date() - mark.on).days for mark in marks.values())
    if not days:
        return None
    nearest = [days[ceil(share * len(days)) - 1] for share in (0.5, 0.9)]
    return Lag(len(days), nearest[0], nearest[1], sum(each > LATE_DAYS for each in days) / len(days))
