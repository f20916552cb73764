"""One metric in two cohorts, or in two periods: the difference of medians, and how sure it is.

A period takes the intervals that began in it, its first day included and its last day not. Of a later period less is
over: how many still run stands beside it, and the estimators reckon with them. The confidence of a difference is that
of a thousand samples of whole communes, the same samples on either side: a commune that is on both sides stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from math import inf, isnan

import numpy as np
from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, plain
from cycle.timings.durations import Duration, Ended, Kind
from cycle.timings.estimators import Ending, Recurrence, medians_together
from cycle.timings.limits import ENDS, Floats
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, DEFINITION, WAYS, By, Timed, cohorts_of


class Period(Struct, frozen=True):
    """Intervals that began on ``since`` or later, and before ``before``."""

    since: date
    before: date

    def __str__(self) -> str:
        return f"{self.since}..{self.before}"


class Cohort(Struct, frozen=True):
    """Intervals of a region, circle, sector or policy."""

    by: By
    name: str

    def __str__(self) -> str:
        return f"{self.by}={self.name}"


Side = Period | Cohort


def side(written: str) -> Side:
    """``2024-01-01..2025-01-01``, or ``region=Ségou``.

    Raises:
        ValueError: it is neither.
    """
    begin, dots, end = written.partition("..")
    if dots:
        period = Period(date.fromisoformat(begin), date.fromisoformat(end))
        if period.since >= period.before:
            raise ValueError(written)
        return period
    by, sign, name = written.partition("=")
    if not sign or not name:
        raise ValueError(written)
    return Cohort(By(by), name)


class Compared(Struct, frozen=True):
    """One side. ``median`` None: fewer than five frameworks, or it is not reached. ``doubtful``: left out."""

    side: str
    frameworks: int
    intervals: int
    running: int
    doubtful: int
    median: int | None


class Difference(Struct, frozen=True):
    """By how many days the median of ``side`` is longer than that of the first one; negative: shorter.

    None: one of them is not known. ``lower`` and ``upper`` hold 95 in 100 samples; None: there is no end to it.
    """

    side: str
    days: int | None
    lower: int | None
    upper: int | None


class Comparison(Struct, frozen=True):
    """One metric side by side. ``about``: the stage, where stages are counted apart."""

    about: str | None
    sides: Sequence[Compared]
    differences: Sequence[Difference]


class Comparisons(Struct, frozen=True):
    """``compared``: how many differences were looked at; of twenty, one is out of the ordinary by chance alone.

    ``later_is_shorter``: periods are compared, of which the later one has been observed for less time.
    """

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    comparisons: Sequence[Comparison]
    compared: int
    later_is_shorter: bool


def comparisons(
    reader: Reader, metric: Timed, sides: Sequence[Side], filters: Filters, cutoffs: Cutoffs
) -> Comparisons:
    """A metric on several sides, each against the first; without a day, as of today.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    on = cutoffs.as_of or reader.engine.today()
    belongs = [_belonging(reader, each, filters, cutoffs) for each in sides]
    found: dict[str | None, list[_Gathering]] = {}
    for each in metric.durations(reader.together(filters, cutoffs), on):
        about = each.about if metric.apart else None
        own = found.setdefault(about, [_Gathering(metric, str(one)) for one in sides])
        for gathering, belonging in zip(own, belongs, strict=True):
            if belonging(each):
                gathering.take(each)
    told = [_comparison(about, own) for about, own in found.items()]
    periods = sum(isinstance(each, Period) for each in sides)
    compared = sum(len(each.differences) for each in told)
    return Comparisons(
        metric.id, DEFINITION, on, cutoffs.known_at, cutoffs.at, told, compared, later_is_shorter=periods > 1
    )


def _belonging(reader: Reader, one: Side, filters: Filters, cutoffs: Cutoffs) -> Callable[[Duration], bool]:
    if isinstance(one, Period):
        since, before = one.since, one.before
        return lambda each: since <= (each.since or each.start.on) < before
    cohorts = cohorts_of(reader, one.by, filters, cutoffs)
    wanted, same = (plain(one.name), plain) if one.by in (By.REGION, By.CIRCLE) else (one.name, str)
    return lambda each: any(name is not None and same(name) == wanted for name in cohorts(each))


class _Gathering:
    """One side while its durations come, framework by framework."""

    def __init__(self, metric: Timed, name: str) -> None:
        self._metric, self.name = metric, name
        self._frameworks: dict[str, list[Duration]] = {}
        self._intervals = self._running = self._doubtful = 0

    def take(self, duration: Duration) -> None:
        self._intervals += 1
        self._running += duration.ended is Ended.RUNNING
        own = self._frameworks.setdefault(duration.framework, [])
        if duration.days < 0 and not self._metric.signed:
            self._doubtful += 1
        else:
            own.append(duration)

    @property
    def enough(self) -> bool:
        return len(self._frameworks) >= AT_LEAST_FRAMEWORKS

    @property
    def intervals(self) -> Sequence[Recurrence] | Sequence[Ending]:
        """As the estimator of this metric takes them."""
        each = self._frameworks.values()
        if self._metric.kind is not Kind.RECURRENT:
            return [Ending(one.commune, one.days, WAYS[one.ended]) for own in each for one in own]
        return [_recurrence(own) for own in each if own]

    def told(self, median: float) -> Compared:
        days = None if median == inf or not self.enough else int(median)
        return Compared(self.name, len(self._frameworks), self._intervals, self._running, self._doubtful, days)


def _recurrence(own: Sequence[Duration]) -> Recurrence:
    closed = tuple(each.days for each in own if each.ended is Ended.CLOSED)
    running = [each.days for each in own if each.ended is not Ended.CLOSED]
    return Recurrence(own[0].commune, closed, running[-1] if running else None)


def _comparison(about: str | None, own: Sequence[_Gathering]) -> Comparison:
    medians, drawn = medians_together([each.intervals for each in own])
    differences = [
        _difference(one.name, medians[at] - medians[0], drawn[:, at], drawn[:, 0])
        if one.enough and own[0].enough
        else Difference(one.name, None, None, None)
        for at, one in enumerate(own)
        if at
    ]
    return Comparison(about, [each.told(median) for each, median in zip(own, medians, strict=True)], differences)


def _difference(name: str, days: float, medians: Floats, first: Floats) -> Difference:
    """Where neither median is reached in a sample, that sample may lie anywhere."""
    if isnan(days) or abs(days) == inf:
        return Difference(name, None, None, None)
    with np.errstate(invalid="ignore"):
        drawn = medians - first
    low, high = ENDS
    lower = np.quantile(np.where(np.isnan(drawn), -inf, drawn), low, method="inverted_cdf")
    upper = np.quantile(np.where(np.isnan(drawn), inf, drawn), high, method="inverted_cdf")
    return Difference(name, int(days), *(None if abs(each) == inf else int(each) for each in (lower, upper)))
