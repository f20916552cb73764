"""A metric measured: its durations in cohorts, estimated, with what a reader needs in order to doubt them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, cast

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.projections.frameworks import frameworks
from cycle.reading import Filters, Reader
from cycle.timings.durations import Duration, Ended, Kind, Rows
from cycle.timings.estimators import (
    Curve,
    Ending,
    Quantile,
    Ratio,
    Recurrence,
    clustered,
    kaplan_meier,
    paired_ratios,
    wang_chang,
)
from cycle.timings.incidence import Way, ways_to_end
from cycle.timings.paging import Some
from cycle.timings.usual import Usual, usual_of

DEFINITION = 1
"""Raised when a metric changes its meaning."""
AT_LEAST_FRAMEWORKS = 5
"""A group of fewer has rows and no curve."""
LATE_DAYS = 30
"""A fact recorded later than this after it happened says little of when it happened."""


class By(StrEnum):
    """What cohorts are made of."""

    REGION = "region"
    CIRCLE = "circle"
    SECTOR = "sector"
    POLICY = "policy"


class Timed(Protocol):
    """What is measured: a ``Metric`` of spells, or a ``Span``."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def signed(self) -> bool: ...
    @property
    def apart(self) -> bool: ...
    @property
    def compared(self) -> bool: ...
    @property
    def active(self) -> bool: ...
    def durations(self, rows: Rows, on: date) -> Iterator[Duration]: ...


class Lag(Struct, frozen=True):
    """How late the facts behind some durations were recorded, in days; ``late`` is the share over thirty."""

    facts: int
    median: int
    p90: int
    late: float


class Group(Struct, frozen=True):
    """One cohort. ``about``: the stage, where stages are counted apart.

    ``curve`` None: it has fewer than five frameworks, or nothing but doubts. ``doubtful``: left out, because they are
    negative where they cannot be. ``ways``: how first intervals end, where they may end in several ways. ``active``:
    the median of the time without suspension, where that is told.
    """

    cohort: str | None
    about: str | None
    frameworks: int
    intervals: int
    running: int
    dissolved: int
    otherwise: int
    doubtful: int
    lag: Lag
    curve: Curve | None = None
    ways: Sequence[Way] = ()
    changes: Sequence[Ratio] = ()
    active: Quantile | None = None


class Measured(Struct, frozen=True):
    """What was asked, from what, and what came of it.

    ``durations`` are those that the figures are made of; ``next`` is behind which to go on, where there are more.
    ``usual``: what is usual for the framework, where one is asked for by itself.
    """

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    by: By | None
    groups: Sequence[Group]
    durations: Sequence[Duration]
    next: str | None
    usual: Usual | None = None


def measured(
    reader: Reader,
    metric: Timed,
    by: By | None,
    filters: Filters,
    cutoffs: Cutoffs,
    limit: int | None = None,
    after: str = "",
    also: Callable[[str | None, Duration], None] = lambda cohort, duration: None,
) -> Measured:
    """A metric inside some cut-offs, by cohorts; without a day, as of today.

    Args:
        limit: how many durations to tell at most, of those behind ``after``.
        also: what takes each of them beside its cohort, in the same reading.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    on = cutoffs.as_of or reader.engine.today()
    cohorts = cohorts_of(reader, by, filters, cutoffs)
    found: dict[tuple[str, str], _Gathering] = {}
    told = Some[Duration](limit, after)
    alone: list[Duration] = []
    for each in metric.durations(reader.together(filters, cutoffs), on):
        if filters.framework is not None and metric.compared:
            alone.append(each)
        for cohort in cohorts(each):
            about = each.about if metric.apart else None
            key = cohort or "", about or ""
            gathering = found.get(key)
            if gathering is None:
                gathering = found[key] = _Gathering(metric, cohort, about)
            gathering.take(each)
            also(cohort, each)
        if not told.is_full:
            told.take(place_of(each), each)
    groups = [found[key].group() for key in (sorted(found) if by else found)]
    usual = usual_of(alone[0].framework, alone) if alone else None
    return Measured(metric.id, DEFINITION, on, cutoffs.known_at, cutoffs.at, by, groups, told.found, told.next, usual)


def place_of(duration: Duration) -> str:
    """Where a duration stands among all of a metric."""
    return f"{duration.framework}/{duration.start.version:08}/{duration.about or ''}"


def cohorts_of(
    reader: Reader, by: By | None, filters: Filters, cutoffs: Cutoffs
) -> Callable[[Duration], Iterable[str | None]]:
    """The cohorts that a duration belongs to: one, or one for each sector of its framework."""
    if by is None:
        return lambda duration: (None,)
    if by is By.POLICY:
        return lambda duration: (duration.policy,)
    if by is By.SECTOR:
        rows = cast("Iterator[Any]", reader.each(frameworks.name, filters, cutoffs))
        sectors = {row.framework: row.sectors for row in rows}
        return lambda duration: sectors.get(duration.framework, ())
    places = {row.code: getattr(row, by.value) for row in reader.communes(cutoffs)}
    return lambda duration: (places[duration.commune],)


class _Gathering:
    """One cohort while its durations come, framework by framework."""

    def __init__(self, metric: Timed, cohort: str | None, about: str | None) -> None:
        self._metric, self._cohort, self._about = metric, cohort, about
        self._framework, self._met = "", set[int]()
        self._frameworks = self._doubtful = 0
        self._ended: Counter[Ended] = Counter()
        self._lags: Counter[int] = Counter()
        self._series: list[_Series] = []
        self._active: list[_Series] = []
        self._endings: list[Ending] = []

    def take(self, duration: Duration) -> None:
        if duration.framework != self._framework:
            self._framework = duration.framework
            self._frameworks += 1
            self._met.clear()
            self._series.append(_Series(duration.commune))
            self._active.append(_Series(duration.commune))
        self._ended[duration.ended] += 1
        for mark in (duration.start, duration.end):
            if mark is not None and mark.version not in self._met:
                self._met.add(mark.version)
                self._lags[mark.recorded_at.toordinal() - mark.on.toordinal()] += 1
        if duration.days < 0 and not self._metric.signed:
            self._doubtful += 1
        elif self._metric.kind is Kind.RECURRENT:
            self._series[-1].take(duration, duration.days)
            if duration.active_days is not None:
                self._active[-1].take(duration, duration.active_days)
        else:
            self._endings.append(Ending(duration.commune, duration.days, WAYS[duration.ended]))
        if self._metric.compared and duration.cycle == 1 and duration.days >= 0:
            # How they end is told of first intervals: of these each framework has one.
            self._endings.append(Ending(duration.commune, duration.days, WAYS[duration.ended]))

    @property
    def _ends_in_ways(self) -> bool:
        return self._metric.compared or self._metric.kind is Kind.ONCE

    def group(self) -> Group:
        """What they come to."""
        enough = self._frameworks >= AT_LEAST_FRAMEWORKS
        return Group(
            cohort=self._cohort,
            about=self._about,
            frameworks=self._frameworks,
            intervals=self._ended.total(),
            running=self._ended[Ended.RUNNING],
            dissolved=self._ended[Ended.DISSOLVED],
            otherwise=self._ended[Ended.OTHERWISE],
            doubtful=self._doubtful,
            lag=lag_of(self._lags),
            curve=self._curve() if enough else None,
            ways=ways_to_end(self._endings) if enough and self._ends_in_ways and self._endings else (),
            changes=paired_ratios(_recurrences(self._series)) if enough and self._metric.compared else (),
            active=self._active_median() if enough and self._metric.active else None,
        )

    def _active_median(self) -> Quantile | None:
        curve = wang_chang(_recurrences(self._active))
        return None if curve is None else curve.median

    def _curve(self) -> Curve | None:
        match self._metric.kind:
            case Kind.RECURRENT:
                return wang_chang(_recurrences(self._series))
            case Kind.ONCE:
                return kaplan_meier(self._endings)
            case Kind.SIDE_BY_SIDE:
                return clustered(self._endings)


WAYS = {Ended.RUNNING: 0, Ended.CLOSED: 1, Ended.DISSOLVED: 2, Ended.OTHERWISE: 3}


class _Series:
    """The intervals of one framework while they come."""

    def __init__(self, commune: str) -> None:
        self.commune, self.closed = commune, list[int]()
        self.running: int | None = None

    def take(self, duration: Duration, days: int) -> None:
        if duration.ended is Ended.CLOSED:
            self.closed.append(days)
        else:
            self.running = days


def _recurrences(series: Iterable[_Series]) -> list[Recurrence]:
    return [Recurrence(each.commune, tuple(each.closed), each.running) for each in series]


def lag_of(days: Counter[int]) -> Lag:
    """How late the facts at both ends were recorded."""
    late = sum(count for day, count in days.items() if day > LATE_DAYS)
    return Lag(days.total(), nearest(days, 0.5), nearest(days, 0.9), late / days.total())


def nearest(days: Counter[int], share: float) -> int:
    """The smallest number of days within which at least this share lies."""
    seen = 0
    for day in sorted(days):
        seen += days[day]
        if seen >= share * days.total():
            return day
    raise AssertionError("no days")
