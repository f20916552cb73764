"""Estimators of durations of which many still run: whole days in, shares and days out.

Definitions: TIMINGS.md of the design, and docs/timings.md for those who read the figures. Sources: Wang and Chang
(1999), *Nonparametric estimation of a recurrent survival function*, JASA 94; Kaplan and Meier (1958); Aalen and
Johansen (1978). Whatever is drawn by chance is drawn from a stream that NumPy has frozen (``RandomState``) and from
one seed: the same durations give the same figures for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, inf, log
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEVEL = 0.95
"""Of every interval of confidence."""
REPLICATES = 1_000
SEED = 19_990_301
AT_LEAST_POINTS = 6
"""Of a chart that tells the usual from the unusual."""
WIDTH = 2.66
"""Of its limits, in mean moving ranges: three standard deviations of what varies by chance alone."""
_TOLERANCE = 1e-9
"""Sums of thirds are not exact: a share is reached when it is reached up to this."""


class Recurrence(NamedTuple):
    """The intervals of one framework, in days.

    ``cluster`` is what is drawn as a whole: the framework, or its commune where one has several. ``running`` has no
    end yet, or was cut off by another one (dissolved); None: nothing runs.
    """

    cluster: str
    closed: tuple[int, ...]
    running: int | None = None


class Ending(NamedTuple):
    """One interval, and how it ended: 0 it has not, else one of several ways, from 1."""

    cluster: str
    days: int
    way: int = 0


class Point(Struct, frozen=True, gc=False):
    """A share on a day since the beginning, with its interval of confidence."""

    days: int
    share: float
    lower: float
    upper: float
    at_risk: float


class Quantile(Struct, frozen=True, gc=False):
    """The day by which a share is reached; None: it is not reached within what was observed."""

    days: int | None
    lower: int | None
    upper: int | None


class Curve(Struct, frozen=True, gc=False):
    """The share for which it has happened (rising), at each day on which it did for somebody.

    ``longest`` is the longest time over which anybody was observed, in days.
    """

    points: tuple[Point, ...]
    median: Quantile
    quartiles: tuple[Quantile, Quantile]
    longest: int
    clusters: int
    intervals: int
    running: int


class _Table(NamedTuple):
    """Weighted rows; ``at`` is where the days of a row stand in ``grid``, and a cluster is a number."""

    grid: Whole
    at: Whole
    closed: NDArray[np.bool_]
    weight: Floats
    cluster: Whole
    clusters: int


def wang_chang(frameworks: Sequence[Recurrence], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """How long an interval of a framework lasts, each framework counting once however many it has.

    One interval alone counts as it is; of several, the running one is left out and each closed one counts for its
    part. Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    table = _table((each.cluster, days, closed, weight) for each in frameworks for days, closed, weight in _rows(each))
    if table is None:
        return None
    running = sum(each.running is not None for each in frameworks)
    intervals = sum(len(each.closed) for each in frameworks) + running
    return _drawn(table, replicates, seed, intervals, running)


def kaplan_meier(first: Sequence[Ending]) -> Curve | None:
    """The same of intervals of which each framework has one: its first.

    Confidence: Greenwood's variance on the scale of log(-log). Whatever ended in another way than 1 counts as cut
    off on its day.

    Returns:
        None: there is nothing to look at.
    """
    table = _table((each.cluster, each.days, each.way == 1, 1.0) for each in first)
    if table is None:
        return None
    ended, at_risk = _counted(table, table.weight)
    share = _falling(ended, at_risk)
    bands = _greenwood(share, ended, at_risk)
    return _curve(table, share, bands, bands[::-1], len(first), sum(each.way == 0 for each in first))


def clustered(intervals: Sequence[Ending], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """The same of things of which a framework has several side by side, such as obstacles, each counting once.

    Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    table = _table((each.cluster, each.days, each.way == 1, 1.0) for each in intervals)
    if table is None:
        return None
    return _drawn(table, replicates, seed, len(intervals), sum(each.way == 0 for each in intervals))


def cumulative_incidence(
    intervals: Sequence[Ending], ways: int, replicates: int = REPLICATES, seed: int = SEED
) -> list[list[Point]]:
    """For each way to end, the share that has ended so: they sum to one less the share that still runs.

    Args:
        ways: how many there are; of intervals of which each framework has one.
    """
    table = _table((each.cluster, each.days, each.way > 0, 1.0) for each in intervals)
    if table is None:
        return [[] for _ in range(ways)]
    way = np.array([each.way for each in intervals])
    known = [_incidence(table, table.weight, way == each) for each in range(1, ways + 1)]
    at_risk = _counted(table, table.weight)[1]
    drawn = np.empty((replicates, ways, len(table.grid)))
    for at, weight in enumerate(_weights(table, replicates, seed)):
        for each in range(ways):
            drawn[at, each] = _incidence(table, weight, way == each + 1)
    lower, upper = np.quantile(drawn, _ENDS, axis=0)
    return [
        [
            Point(int(day), float(share), float(low), float(high), float(risk))
            for day, share, low, high, risk in zip(
                table.grid, known[each], lower[each], upper[each], at_risk, strict=True
            )
        ]
        for each in range(ways)
    ]


class Ratio(Struct, frozen=True, gc=False):
    """How an interval compares with the first one of the same framework: 0.9 is a tenth shorter."""

    number: int
    ratio: float
    lower: float | None
    upper: float | None
    frameworks: int


def paired_ratios(frameworks: Sequence[Recurrence], replicates: int = REPLICATES, seed: int = SEED) -> list[Ratio]:
    """For the second interval and each later one, the geometric mean of its ratios to the framework's own first.

    An interval of no days has no ratio and is left out. Confidence: percentiles of a bootstrap over clusters, from
    two clusters on.
    """
    longest = max((len(each.closed) for each in frameworks), default=0)
    return [
        _ratio(number, pairs, replicates, seed)
        for number in range(2, longest + 1)
        if (pairs := list(_pairs(frameworks, number)))
    ]


class Chart(Struct, frozen=True, gc=False):
    """Few intervals of one framework: what is usual for it, in days."""

    mean: float
    lower: float
    upper: float
    unusual: tuple[int, ...]
    """Numbers (from 1) of the intervals outside."""


def xmr(days: Sequence[int]) -> Chart | None:
    """The chart of single values and moving ranges (Shewhart; Wheeler 1993).

    Returns:
        None: there are fewer than six.
    """
    if len(days) < AT_LEAST_POINTS:
        return None
    mean = fmean(days)
    spread = WIDTH * fmean(abs(one - other) for one, other in pairwise(days))
    lower, upper = max(0.0, mean - spread), mean + spread
    return Chart(mean, lower, upper, tuple(n for n, each in enumerate(days, 1) if not lower <= each <= upper))


_ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def _rows(framework: Recurrence) -> Iterable[tuple[int, bool, float]]:
    """Its weighted intervals: days, whether closed, weight."""
    if framework.closed:
        return [(days, True, 1 / len(framework.closed)) for days in framework.closed]
    return [] if framework.running is None else [(framework.running, False, 1.0)]


def _table(rows: Iterable[tuple[str, int, bool, float]]) -> _Table | None:
    found = list(rows)
    if not found:
        return None
    clusters, days, closed, weight = zip(*found, strict=True)
    numbers = {name: at for at, name in enumerate(dict.fromkeys(clusters))}
    grid, at = np.unique(np.array(days, np.int64), return_inverse=True)
    return _Table(
        grid,
        at,
        np.array(closed, np.bool_),
        np.array(weight, np.float64),
        np.array([numbers[name] for name in clusters], np.int64),
        len(numbers),
    )


def _counted(table: _Table, weight: Floats, ended: NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
    """For each day of the grid, the weight of what ended on it and of what had lasted until then."""
    many = len(table.grid)
    closed = np.bincount(table.at, weight * (table.closed if ended is None else ended), many)
    lasted = np.bincount(table.at, weight, many)[::-1].cumsum()[::-1]
    return closed.astype(np.float64, copy=False), lasted.astype(np.float64, copy=False)


def _falling(ended: Floats, at_risk: Floats) -> Floats:
    """The product limit: the share for which it has not happened."""
    steps = 1 - ended / np.where(at_risk > _TOLERANCE, at_risk, 1.0)
    steps[steps < _TOLERANCE] = 0.0
    return steps.cumprod()


def _weights(table: _Table, replicates: int, seed: int) -> Iterable[Floats]:
    """The weights of the rows in each of so many samples of clusters."""
    random = np.random.RandomState(seed)
    for _ in range(replicates):
        drawn = np.bincount(random.randint(0, table.clusters, table.clusters), minlength=table.clusters)
        yield table.weight * drawn[table.cluster]


def _drawn(table: _Table, replicates: int, seed: int, intervals: int, running: int) -> Curve:
    """A curve whose confidence is that of the same curve of many samples of clusters."""
    share = _falling(*_counted(table, table.weight))
    drawn = np.array([_falling(*_counted(table, weight)) for weight in _weights(table, replicates, seed)])
    return _curve(table, share, np.quantile(drawn, _ENDS, axis=0), drawn, intervals, running)


def _incidence(table: _Table, weight: Floats, ended: NDArray[np.bool_]) -> Floats:
    """The share that has ended in one way (Aalen and Johansen)."""
    before = np.concatenate(([1.0], _falling(*_counted(table, weight))[:-1]))
    so, at_risk = _counted(table, weight, ended)
    hazard: Floats = before * so / np.where(at_risk > _TOLERANCE, at_risk, 1.0)
    return hazard.cumsum()


def _greenwood(share: Floats, ended: Floats, at_risk: Floats) -> Floats:
    """Lower and upper ends of the falling curve."""
    normal = NormalDist().inv_cdf(_ENDS[1])
    left = at_risk * (at_risk - ended)
    variance = np.cumsum(np.divide(ended, left, out=np.zeros_like(ended), where=left > 0))
    inside = (share > 0) & (share < 1)
    logs = np.log(np.where(inside, share, 0.5))
    width = np.exp(normal * np.sqrt(variance) / np.abs(logs))
    lower, upper = (np.where(inside, np.exp(logs * each), share) for each in (width, 1 / width))
    return np.array([lower, upper])


def _curve(table: _Table, falling: Floats, bands: Floats, curves: Floats, intervals: int, running: int) -> Curve:
    """A rising curve out of a falling one; ``curves`` are what the ends of its quantiles are read from."""
    grid, at_risk = table.grid, _counted(table, table.weight)[1]
    happens = np.concatenate(([falling[0] < 1], falling[1:] < falling[:-1]))
    points = tuple(
        Point(
            int(grid[at]), 1 - falling[at].item(), 1 - bands[1][at].item(), 1 - bands[0][at].item(), at_risk[at].item()
        )
        for at in np.flatnonzero(happens)
    )
    first, median, third = (_quantile(grid, falling, curves, share) for share in (0.25, 0.5, 0.75))
    return Curve(points, median, (first, third), int(grid[-1]), table.clusters, intervals, running)


def _quantile(grid: Whole, falling: Floats, curves: Floats, share: float) -> Quantile:
    day = _reached(grid, falling[np.newaxis], share)[0]
    days = np.sort(_reached(grid, curves, share))
    lower, upper = np.quantile(days, _ENDS, method="inverted_cdf") if len(days) > 2 else days
    return Quantile(*(None if each == inf else int(each) for each in (day, lower, upper)))


def _reached(grid: Whole, curves: Floats, share: float) -> Floats:
    """The day on which each curve reaches a share; infinity: it does not."""
    there = curves <= 1 - share + _TOLERANCE
    return np.where(there[:, -1], grid[there.argmax(axis=1)], inf)


def _pairs(frameworks: Iterable[Recurrence], number: int) -> Iterable[tuple[str, float]]:
    for each in frameworks:
        if len(each.closed) >= number and each.closed[0] and each.closed[number - 1]:
            yield each.cluster, log(each.closed[number - 1] / each.closed[0])


def _ratio(number: int, pairs: Sequence[tuple[str, float]], replicates: int, seed: int) -> Ratio:
    logs = np.array([each for _, each in pairs])
    names = {name: at for at, name in enumerate(dict.fromkeys(name for name, _ in pairs))}
    mean = exp(fmean(logs))
    if len(names) < 2:
        return Ratio(number, mean, None, None, len(pairs))
    cluster = np.array([names[name] for name, _ in pairs])
    one = np.ones(len(pairs))
    table = _Table(cluster, cluster, one > 0, one, cluster, len(names))
    means = [weight @ logs / weight.sum() for weight in _weights(table, replicates, seed)]
    lower, upper = np.exp(np.quantile(means, _ENDS))
    return Ratio(number, mean, float(lower), float(upper), len(pairs))
