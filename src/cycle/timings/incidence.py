"""How intervals end, where they may end in several ways: with the next plan, or with the framework."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from cycle.timings.durations import Ended
from cycle.timings.estimators import Ending, Point, cumulative_incidence

WAYS = (Ended.CLOSED, Ended.DISSOLVED)
"""To end, in the order in which an ``Ending`` numbers them from 1."""


class Way(Struct, frozen=True):
    """One way to end: the share of frameworks that have come to it, at each day on which it grows.

    What has come to neither still runs. ``ended``: how many have ended so, of how many.
    """

    way: Ended
    ended: int
    of: int
    points: Sequence[Point]


def ways_to_end(first: Sequence[Ending]) -> Sequence[Way]:
    """The cumulative incidence of each way, of intervals of which each framework has one: its first."""
    curves = cumulative_incidence(first, len(WAYS))
    return [
        Way(way, sum(each.way == number for each in first), len(first), list(_rising(points)))
        for number, (way, points) in enumerate(zip(WAYS, curves, strict=True), 1)
    ]


def _rising(points: Sequence[Point]) -> Iterator[Point]:
    """The points at which a share grows."""
    before = 0.0
    for each in points:
        if each.share > before:
            yield each
            before = each.share
