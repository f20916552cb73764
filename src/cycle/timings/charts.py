"""The chart of few intervals of one framework: what is usual for it, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from msgspec import Struct

AT_LEAST_POINTS = 6
"""Of a chart that tells the usual from the unusual."""
WIDTH = 2.66
"""Of its limits, in mean moving ranges: three standard deviations of what varies by chance alone."""


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
