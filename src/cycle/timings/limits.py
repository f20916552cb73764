"""The product limit over weighted rows, of all of them and of samples of clusters: arrays in, arrays out.

Whatever is drawn by chance is drawn from a stream that NumPy has frozen (``RandomState``), and what is summed is exact:
the same rows give the same figures for ever, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEVEL = 0.95
"""Of every interval of confidence."""
GRAIN = 2.0**-36
"""Weights are whole numbers of these, so that sums of them are exact, in whatever order and on whatever processor."""
_TOLERANCE = 1e-9
"""A third is not a whole number of grains: a share is reached when it is reached up to this."""
_CLUSTERS_AT_ONCE = 256
"""Of which the rows of a table are laid out side by side; more take more memory and no less time."""
_SAMPLES_AT_ONCE = 50
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


class Table(NamedTuple):
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


def exact(values: Floats) -> Floats:
    """To whole grains."""
    return np.round(values / GRAIN) * GRAIN


def table_of(cluster: Whole, days: Whole, way: Whole, weight: Floats, ways: int = 1) -> Table:
    grid, at = np.unique(days, return_inverse=True)
    return Table(grid, way * len(grid) + at, weight, cluster, int(cluster.max()) + 1, ways)


def counted(table: Table) -> Floats:
    """The weight of what ended, by way and day; the first axis is for samples, and here is one."""
    counts = np.bincount(table.cell, table.weight, table.cells)
    return counts.astype(np.float64, copy=False).reshape(1, table.ways + 1, -1)


def sampled(table: Table, replicates: int, seed: int) -> Floats:
    """The same of so many samples of clusters."""
    drawn = np.concatenate([some.astype(np.uint16) for some in samples_of(table.clusters, replicates, seed)])
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


def samples_of(clusters: int, replicates: int, seed: int) -> Iterator[Whole]:
    """How often each cluster is in each of so many samples of as many as there are, some samples at once."""
    random = np.random.RandomState(seed)
    for first in range(0, replicates, _SAMPLES_AT_ONCE):
        chosen = random.randint(0, clusters, (min(_SAMPLES_AT_ONCE, replicates - first), clusters))
        chosen += np.arange(0, chosen.size, clusters)[:, np.newaxis]
        yield np.bincount(chosen.ravel(), minlength=chosen.size).reshape(chosen.shape)


def at_risk_of(counts: Floats) -> Floats:
    """The weight of what had lasted until each day of the grid, sample by sample."""
    lasted: Floats = counts.sum(axis=1)[:, ::-1].cumsum(axis=1)
    return lasted[:, ::-1]


def falling_of(counts: Floats) -> Floats:
    """The product limit: the share for which it has not happened in any way."""
    steps = 1 - hazard(counts).sum(axis=1)
    steps[steps < _TOLERANCE] = 0.0
    return np.cumprod(steps, axis=1)


def hazard(counts: Floats) -> Floats:
    """By way, the share of what had lasted until a day that ended on it."""
    at_risk = at_risk_of(counts)
    hazard: Floats = counts[:, 1:] / np.where(at_risk > _TOLERANCE, at_risk, 1.0)[:, np.newaxis]
    return hazard


def incidence(counts: Floats) -> Floats:
    """The share that has ended in each way (Aalen and Johansen)."""
    falling = falling_of(counts)
    before = np.concatenate((np.ones((len(falling), 1)), falling[:, :-1]), axis=1)
    ended: Floats = np.cumsum(before[:, np.newaxis] * hazard(counts), axis=2)
    return ended


def greenwood(share: Floats, ended: Floats, at_risk: Floats) -> Floats:
    """Lower and upper ends of the falling curve."""
    normal = NormalDist().inv_cdf(ENDS[1])
    left = at_risk * (at_risk - ended)
    variance = np.cumsum(np.divide(ended, left, out=np.zeros_like(ended), where=left > 0))
    inside = (share > 0) & (share < 1)
    logs = np.log(np.where(inside, share, 0.5))
    width = np.exp(normal * np.sqrt(variance) / np.abs(logs))
    lower, upper = (np.where(inside, np.exp(logs * each), share) for each in (width, 1 / width))
    return np.array([lower, upper])


def reached(grid: Whole, curves: Floats, share: float) -> Floats:
    """The day on which each curve reaches a share; infinity: it does not."""
    there = curves <= 1 - share + _TOLERANCE
    return np.where(there[:, -1], grid[there.argmax(axis=1)], inf)
