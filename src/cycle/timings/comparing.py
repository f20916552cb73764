"""One metric in two cohorts, or in two periods: the difference of medians, and how sure it is.

A period takes the intervals that began in it, its first day included and its last day not. Of a later period less is
over: how many still run stands beside it, and the estimators reckon with them. The confidence of a difference is that
of a thousand samples of whole communes, the same samples on either side: a commune that is on both sides stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from math import inf, isnan

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, plain
from cycle.timings.durations import Duration, Ended, Kind
from cycle.timings.estimators import LEVEL, REPLICATES, SEED
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, DEFINITION, By, Timed, cohorts_of


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
    def communes(self) -> Iterator[str]:
        return (own[0].commune for own in self._frameworks.values() if own)

    def rows(self, communes: Mapping[str, int]) -> _Rows:
        """Its intervals, weighed as the estimator of this metric weighs them."""
        weighed = [each for own in self._frameworks.values() for each in self._weighed(own)]
        return _Rows.of([(communes[each.commune], each, weight) for each, weight in weighed])

    def _weighed(self, own: Sequence[Duration]) -> Iterator[tuple[Duration, float]]:
        if self._metric.kind is not Kind.RECURRENT:
            yield from ((each, 1.0) for each in own)
            return
        closed = [each for each in own if each.ended is Ended.CLOSED]
        counting = closed or own[-1:]
        yield from ((each, 1 / len(counting)) for each in counting)

    def told(self, median: float) -> Compared:
        days = None if median == inf or not self.enough else int(median)
        return Compared(self.name, len(self._frameworks), self._intervals, self._running, self._doubtful, days)


class _Rows(Struct, frozen=True):
    """Weighted rows of one side; ``at`` is where the days of a row stand in ``grid``."""

    grid: NDArray[np.int64]
    at: NDArray[np.int64]
    closed: NDArray[np.bool_]
    weight: NDArray[np.float64]
    commune: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[tuple[int, Duration, float]]) -> _Rows:
        days = np.array([each.days for _, each, _ in rows], np.int64)
        grid, at = np.unique(days, return_inverse=True)
        return cls(
            grid,
            at,
            np.array([each.ended is Ended.CLOSED for _, each, _ in rows], np.bool_),
            np.array([weight for _, _, weight in rows], np.float64),
            np.array([commune for commune, _, _ in rows], np.int64),
        )

    def median(self, drawn: NDArray[np.int64]) -> float:
        """The day by which half have ended, where each commune counts as often as it was drawn; infinity: never."""
        weight = self.weight * drawn[self.commune]
        many = len(self.grid)
        ended = np.bincount(self.at, weight * self.closed, many)
        lasted = np.bincount(self.at, weight, many)[::-1].cumsum()[::-1]
        left = np.cumprod(1 - ended / np.where(lasted > _TOLERANCE, lasted, 1.0))
        there = np.flatnonzero(left <= 0.5 + _TOLERANCE)
        return float(self.grid[there[0]]) if len(there) else inf


_TOLERANCE = 1e-9
"""Sums of thirds are not exact."""


def _comparison(about: str | None, own: Sequence[_Gathering]) -> Comparison:
    names = sorted({commune for each in own for commune in each.communes})
    numbers = {name: at for at, name in enumerate(names)}
    rows = [each.rows(numbers) for each in own]
    once = np.ones(len(names), np.int64)
    medians = [each.median(once) for each in rows]
    drawn = _sampled(rows, len(names)) if own[0].enough else np.empty((0, len(rows)))
    differences = [
        _difference(one.name, medians[at] - medians[0], drawn[:, at], drawn[:, 0])
        if one.enough and own[0].enough
        else Difference(one.name, None, None, None)
        for at, one in enumerate(own)
        if at
    ]
    return Comparison(about, [each.told(median) for each, median in zip(own, medians, strict=True)], differences)


def _sampled(rows: Sequence[_Rows], communes: int) -> NDArray[np.float64]:
    """The median of each side in each of a thousand samples of communes."""
    random = np.random.RandomState(SEED)
    samples = (np.bincount(random.randint(0, communes, communes), minlength=communes) for _ in range(REPLICATES))
    return np.array([[each.median(sample) for each in rows] for sample in samples])


def _difference(name: str, days: float, medians: NDArray[np.float64], first: NDArray[np.float64]) -> Difference:
    """Where neither median is reached in a sample, that sample may lie anywhere."""
    if isnan(days) or abs(days) == inf:
        return Difference(name, None, None, None)
    with np.errstate(invalid="ignore"):
        drawn = medians - first
    low, high = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    lower = np.quantile(np.where(np.isnan(drawn), -inf, drawn), low, method="inverted_cdf")
    upper = np.quantile(np.where(np.isnan(drawn), inf, drawn), high, method="inverted_cdf")
    return Difference(name, int(days), *(None if abs(each) == inf else int(each) for each in (lower, upper)))
