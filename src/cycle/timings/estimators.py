"""Estimators of durations of which many still run: whole days in, shares and days out.

Definitions: TIMINGS.md of the design, and docs/timings.md for those who read the figures. Sources: Wang and Chang
(1999), *Nonparametric estimation of a recurrent survival function*, JASA 94; Kaplan and Meier (1958); Aalen and
Johansen (1978). Whatever is drawn by chance is drawn from a stream that NumPy has frozen (``RandomState``) and from
one seed, and what is summed is exact: the same durations give the same figures for ever, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
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
GRAIN = 2.0**-36
"""Weights are whole numbers of these, so that sums of them are exact, in whatever order and on whatever processor."""
_TOLERANCE = 1e-9
"""A third is not a whole number of grains: a share is reached when it is reached up to this."""
_CLUSTERS_AT_ONCE = 256
"""Of which the rows of a table are laid out side by side; more take more memory and no less time."""
_SAMPLES_AT_ONCE = 50


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
    """Weighted rows: ``cell`` says how a row ended (way 0: it has not) and on which day of ``grid``.

    A cluster is a number.
    """

    grid: Whole
    cell: Whole
    weight: Floats
    cluster: Whole
    clusters: int
    ways: int

    @property
    def cells(self) -> int:
        return (self.ways + 1) * len(self.grid)


def wang_chang(frameworks: Sequence[Recurrence], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """How long an interval of a framework lasts, each framework counting once however many it has.

    One interval alone counts as it is; of several, the running one is left out and each closed one counts for its
    part. Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    seen = [(each.cluster, days, bool(each.closed)) for each in frameworks if (days := _counting(each))]
    if not seen:
        return None
    many = [len(days) for _, days, _ in seen]
    table = _table(
        np.repeat(_numbered(cluster for cluster, _, _ in seen), many),
        np.fromiter(chain.from_iterable(days for _, days, _ in seen), np.int64),
        np.repeat(np.array([closed for _, _, closed in seen], np.int64), many),
        np.repeat(_exact(1 / np.array(many)), many),
    )
    running = sum(each.running is not None for each in frameworks)
    intervals = sum(len(each.closed) for each in frameworks) + running
    return _bootstrapped(table, replicates, seed, intervals, running)


def kaplan_meier(first: Sequence[Ending]) -> Curve | None:
    """The same of intervals of which each framework has one: its first.

    Confidence: Greenwood's variance on the scale of log(-log). Whatever ended in another way than 1 counts as cut
    off on its day.

    Returns:
        None: there is nothing to look at.
    """
    if not first:
        return None
    table = _each_once(first)
    counts = _counted(table)
    bands = _greenwood(_falling(counts)[0], counts[0, 1], _at_risk(counts)[0])
    return _curve(table, bands, bands[::-1], len(first), sum(each.way == 0 for each in first))


def clustered(intervals: Sequence[Ending], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """The same of things of which a framework has several side by side, such as obstacles, each counting once.

    Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    if not intervals:
        return None
    table = _each_once(intervals)
    return _bootstrapped(table, replicates, seed, len(intervals), sum(each.way == 0 for each in intervals))


def cumulative_incidence(
    intervals: Sequence[Ending], ways: int, replicates: int = REPLICATES, seed: int = SEED
) -> list[list[Point]]:
    """For each way to end, the share that has ended so: they sum to one less the share that still runs.

    Args:
        ways: how many there are; of intervals of which each framework has one.
    """
    if not intervals:
        return [[] for _ in range(ways)]
    table = _each_once(intervals, ways)
    counts = _counted(table)
    known, at_risk = _incidence(counts)[0], _at_risk(counts)[0]
    lower, upper = np.quantile(_incidence(_sampled(table, replicates, seed)), _ENDS, axis=0)
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


def _counting(framework: Recurrence) -> tuple[int, ...]:
    """The days of those intervals that count."""
    return framework.closed or (() if framework.running is None else (framework.running,))


def _exact(values: Floats) -> Floats:
    """To whole grains."""
    return np.round(values / GRAIN) * GRAIN


def _numbered(clusters: Iterable[str]) -> Whole:
    """A number for each name, from 0, in the order in which they come."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in clusters], np.int64)


def _each_once(intervals: Sequence[Ending], ways: int = 1) -> _Table:
    """Each counts for one; whatever ended in a way beyond those that are asked for is cut off."""
    days, way = (np.array(each, np.int64) for each in zip(*((i.days, i.way) for i in intervals), strict=True))
    cluster = _numbered(each.cluster for each in intervals)
    return _table(cluster, days, np.where(way <= ways, way, 0), np.ones(len(days)), ways)


def _table(cluster: Whole, days: Whole, way: Whole, weight: Floats, ways: int = 1) -> _Table:
    grid, at = np.unique(days, return_inverse=True)
    return _Table(grid, way * len(grid) + at, weight, cluster, int(cluster.max()) + 1, ways)


def _counted(table: _Table) -> Floats:
    """The weight of what ended, by way and day; the first axis is for samples, and here is one."""
    counts = np.bincount(table.cell, table.weight, table.cells)
    return counts.astype(np.float64, copy=False).reshape(1, table.ways + 1, -1)


def _sampled(table: _Table, replicates: int, seed: int) -> Floats:
    """The same of so many samples of clusters."""
    drawn = np.concatenate([some.astype(np.uint16) for some in _drawn(table.clusters, replicates, seed)])
    filled, column = np.unique(table.cell, return_inverse=True)
    order = np.argsort(table.cluster, kind="stable")
    counts = np.zeros((replicates, len(filled)))
    for first in range(0, table.clusters, _CLUSTERS_AT_ONCE):
        last = min(first + _CLUSTERS_AT_ONCE, table.clusters)
        rows = order[slice(*np.searchsorted(table.cluster, (first, last), sorter=order))]
        there = (table.cluster[rows] - first) * len(filled) + column[rows]
        side_by_side = np.bincount(there, table.weight[rows], (last - first) * len(filled))
        counts += drawn[:, first:last].astype(np.float64) @ side_by_side.reshape(last - first, -1)
    found = np.zeros((replicates, table.cells))
    found[:, filled] = counts
    return found.reshape(replicates, table.ways + 1, -1)


def _drawn(clusters: int, replicates: int, seed: int) -> Iterator[Whole]:
    """How often each cluster is in each of so many samples of as many as there are, some samples at once."""
    random = np.random.RandomState(seed)
    for first in range(0, replicates, _SAMPLES_AT_ONCE):
        chosen = random.randint(0, clusters, (min(_SAMPLES_AT_ONCE, replicates - first), clusters))
        chosen += np.arange(0, chosen.size, clusters)[:, np.newaxis]
        yield np.bincount(chosen.ravel(), minlength=chosen.size).reshape(chosen.shape)


def _at_risk(counts: Floats) -> Floats:
    """The weight of what had lasted until each day of the grid, sample by sample."""
    lasted: Floats = counts.sum(axis=1)[:, ::-1].cumsum(axis=1)
    return lasted[:, ::-1]


def _falling(counts: Floats) -> Floats:
    """The product limit: the share for which it has not happened in any way."""
    steps = 1 - _hazard(counts).sum(axis=1)
    steps[steps < _TOLERANCE] = 0.0
    return np.cumprod(steps, axis=1)


def _hazard(counts: Floats) -> Floats:
    """By way, the share of what had lasted until a day that ended on it."""
    at_risk = _at_risk(counts)
    hazard: Floats = counts[:, 1:] / np.where(at_risk > _TOLERANCE, at_risk, 1.0)[:, np.newaxis]
    return hazard


def _incidence(counts: Floats) -> Floats:
    """The share that has ended in each way (Aalen and Johansen)."""
    falling = _falling(counts)
    before = np.concatenate((np.ones((len(falling), 1)), falling[:, :-1]), axis=1)
    ended: Floats = np.cumsum(before[:, np.newaxis] * _hazard(counts), axis=2)
    return ended


def _bootstrapped(table: _Table, replicates: int, seed: int, intervals: int, running: int) -> Curve:
    """A curve whose confidence is that of the same curve of many samples of clusters."""
    falling = _falling(_sampled(table, replicates, seed))
    return _curve(table, np.quantile(falling, _ENDS, axis=0), falling, intervals, running)


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


def _curve(table: _Table, bands: Floats, curves: Floats, intervals: int, running: int) -> Curve:
    """A rising curve out of a falling one; ``curves`` are what the ends of its quantiles are read from."""
    grid, counts = table.grid, _counted(table)
    falling, at_risk = _falling(counts)[0], _at_risk(counts)[0]
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
    cluster, mean = _numbered(name for name, _ in pairs), exp(fmean(logs))
    clusters = int(cluster.max()) + 1
    if clusters < 2:
        return Ratio(number, mean, None, None, len(pairs))
    sums, many = np.bincount(cluster, _exact(logs)), np.bincount(cluster)
    means = [(some @ sums) / (some @ many) for some in _drawn(clusters, replicates, seed)]
    lower, upper = np.exp(np.quantile(np.concatenate(means), _ENDS))
    return Ratio(number, mean, float(lower), float(upper), len(pairs))
