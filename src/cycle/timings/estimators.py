"""Estimators of durations of which many still run: whole days in, shares and days out.

Definitions: TIMINGS.md of the design, and docs/timings.md for those who read the figures. Sources: Wang and Chang
(1999), *Nonparametric estimation of a recurrent survival function*, JASA 94; Kaplan and Meier (1958); Aalen and
Johansen (1978). Whatever is drawn by chance is drawn from a stream that NumPy has frozen (``RandomState``) and from
one seed, and what is summed is exact: the same durations give the same figures for ever, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import exp, inf, log
from statistics import fmean
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from cycle.timings.limits import (
    ENDS,
    Floats,
    Table,
    Whole,
    at_risk_of,
    counted,
    exact,
    falling_of,
    greenwood,
    incidence,
    reached,
    sampled,
    samples_of,
    table_of,
)

REPLICATES = 1_000
SEED = 19_990_301


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


def wang_chang(frameworks: Sequence[Recurrence], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """How long an interval of a framework lasts, each framework counting once however many it has.

    One interval alone counts as it is; of several, the running one is left out and each closed one counts for its
    part. Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    table = _each_framework_once(frameworks, {})
    if table is None:
        return None
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
    table = _each_once(first, 1, {})
    counts = counted(table)
    bands = greenwood(falling_of(counts)[0], counts[0, 1], at_risk_of(counts)[0])
    return _curve(table, bands, bands[::-1], len(first), sum(each.way == 0 for each in first))


def clustered(intervals: Sequence[Ending], replicates: int = REPLICATES, seed: int = SEED) -> Curve | None:
    """The same of things of which a framework has several side by side, such as obstacles, each counting once.

    Confidence: percentiles of a bootstrap over clusters.

    Returns:
        None: there is nothing to look at.
    """
    if not intervals:
        return None
    table = _each_once(intervals, 1, {})
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
    table = _each_once(intervals, ways, {})
    counts = counted(table)
    known, at_risk = incidence(counts)[0], at_risk_of(counts)[0]
    lower, upper = np.quantile(incidence(sampled(table, replicates, seed)), ENDS, axis=0)
    return [
        [
            Point(int(day), float(share), float(low), float(high), float(risk))
            for day, share, low, high, risk in zip(
                table.grid, known[each], lower[each], upper[each], at_risk, strict=True
            )
        ]
        for each in range(ways)
    ]


def quartiles(closed: Mapping[int, float], running: Mapping[int, float]) -> tuple[int | None, int | None, int | None]:
    """The days by which a quarter, half and three quarters have come to the end; None: not reached.

    Args:
        closed: weights of what has ended, by its days; something is there, here or in ``running``.
    """
    days = np.array([*closed, *running], np.int64)
    way = np.repeat([1, 0], (len(closed), len(running)))
    weight = exact(np.array([*closed.values(), *running.values()]))
    table = table_of(np.zeros(len(days), np.int64), days, way, weight)
    falling = falling_of(counted(table))
    first, median, third = (_day(reached(table.grid, falling, share)[0]) for share in (0.25, 0.5, 0.75))
    return first, median, third


def medians_together(
    sides: Sequence[Sequence[Recurrence] | Sequence[Ending]], replicates: int = REPLICATES, seed: int = SEED
) -> tuple[Floats, Floats]:
    """The medians of several sides as ``wang_chang`` and ``clustered`` have them, and those of samples of clusters.

    A sample is the same on every side: a cluster that is on two of them is drawn for both.

    Returns:
        Days, infinity where it is not reached. Shapes: (sides,), (replicates, sides).
    """
    numbers: dict[str, int] = {}
    tables = [_side(each, numbers) for each in sides]
    known, drawn = np.full(len(sides), inf), np.full((replicates, len(sides)), inf)
    for at, table in enumerate(tables):
        if table is not None:
            known[at] = reached(table.grid, falling_of(counted(table)), 0.5)[0]
            samples = sampled(table._replace(clusters=len(numbers)), replicates, seed)
            drawn[:, at] = reached(table.grid, falling_of(samples), 0.5)
    return known, drawn


def ratio_interval(
    parts: Sequence[float], wholes: Sequence[float], replicates: int = REPLICATES, seed: int = SEED
) -> tuple[float, float] | None:
    """Between which values lie 95 in 100 of the ratios of two sums over samples of clusters.

    Args:
        parts, wholes: the sums of each cluster.

    Returns:
        None: there are fewer than two clusters.
    """
    if len(parts) < 2:
        return None
    above, below = np.array(parts), np.array(wholes)
    ratios = [(some @ above) / (some @ below) for some in samples_of(len(parts), replicates, seed)]
    lower, upper = np.quantile(np.concatenate(ratios), ENDS)
    return float(lower), float(upper)


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


def _counting(framework: Recurrence) -> tuple[int, ...]:
    """The days of those intervals that count."""
    return framework.closed or (() if framework.running is None else (framework.running,))


def _numbered(clusters: Iterable[str], numbers: dict[str, int]) -> Whole:
    """A number for each name, from 0, in the order in which they come; ``numbers`` has those that came before."""
    return np.array([numbers.setdefault(name, len(numbers)) for name in clusters], np.int64)


def _side(intervals: Sequence[Recurrence] | Sequence[Ending], numbers: dict[str, int]) -> Table | None:
    """The rows of one side among several."""
    recurrences = [each for each in intervals if isinstance(each, Recurrence)]
    endings = [each for each in intervals if isinstance(each, Ending)]
    return _each_once(endings, 1, numbers) if endings else _each_framework_once(recurrences, numbers)


def _each_framework_once(frameworks: Sequence[Recurrence], numbers: dict[str, int]) -> Table | None:
    """Each interval that counts does so for its part of its framework."""
    seen = [(each.cluster, days, bool(each.closed)) for each in frameworks if (days := _counting(each))]
    if not seen:
        return None
    many = [len(days) for _, days, _ in seen]
    return table_of(
        np.repeat(_numbered((cluster for cluster, _, _ in seen), numbers), many),
        np.fromiter(chain.from_iterable(days for _, days, _ in seen), np.int64),
        np.repeat(np.array([closed for _, _, closed in seen], np.int64), many),
        np.repeat(exact(1 / np.array(many)), many),
    )


def _each_once(intervals: Sequence[Ending], ways: int, numbers: dict[str, int]) -> Table:
    """Each counts for one; whatever ended in a way beyond those that are asked for is cut off."""
    days, way = (np.array(each, np.int64) for each in zip(*((i.days, i.way) for i in intervals), strict=True))
    cluster = _numbered((each.cluster for each in intervals), numbers)
    return table_of(cluster, days, np.where(way <= ways, way, 0), np.ones(len(days)), ways)


def _bootstrapped(table: Table, replicates: int, seed: int, intervals: int, running: int) -> Curve:
    """A curve whose confidence is that of the same curve of many samples of clusters."""
    falling = falling_of(sampled(table, replicates, seed))
    return _curve(table, np.quantile(falling, ENDS, axis=0), falling, intervals, running)


def _curve(table: Table, bands: Floats, curves: Floats, intervals: int, running: int) -> Curve:
    """A rising curve out of a falling one; ``curves`` are what the ends of its quantiles are read from."""
    grid, counts = table.grid, counted(table)
    falling, at_risk = falling_of(counts)[0], at_risk_of(counts)[0]
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
    day = reached(grid, falling[np.newaxis], share)[0]
    days = np.sort(reached(grid, curves, share))
    lower, upper = np.quantile(days, ENDS, method="inverted_cdf") if len(days) > 2 else days
    return Quantile(*map(_day, (day, lower, upper)))


def _day(days: float) -> int | None:
    return None if days == inf else int(days)


def _pairs(frameworks: Iterable[Recurrence], number: int) -> Iterable[tuple[str, float]]:
    for each in frameworks:
        if len(each.closed) >= number and each.closed[0] and each.closed[number - 1]:
            yield each.cluster, log(each.closed[number - 1] / each.closed[0])


def _ratio(number: int, pairs: Sequence[tuple[str, float]], replicates: int, seed: int) -> Ratio:
    logs = np.array([each for _, each in pairs])
    cluster, mean = _numbered((name for name, _ in pairs), {}), exp(fmean(logs))
    sums, many = np.bincount(cluster, exact(logs)), np.bincount(cluster)
    ends = ratio_interval(sums.tolist(), many.tolist(), replicates, seed)
    lower, upper = map(exp, ends) if ends else (None, None)
    return Ratio(number, mean, lower, upper, len(pairs))
