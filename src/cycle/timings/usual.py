"""One framework by itself: each of its intervals, and what is usual for it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cycle.timings.charts import Chart, xmr
from cycle.timings.durations import Duration, Ended


class Usual(Struct, frozen=True):
    """The intervals of one framework in order; one that still runs, or was cut off, is a hollow point.

    ``chart``: mean and limits of what has ended, and the numbers (from 1) of what is beyond them among those; None:
    fewer than six have ended.
    """

    framework: str
    points: Sequence[Duration]
    chart: Chart | None


def usual_of(framework: str, intervals: Sequence[Duration]) -> Usual:
    """What is usual for a framework; intervals that end before they begin are doubts, and no points."""
    points = [each for each in intervals if each.days >= 0]
    return Usual(framework, points, xmr([each.days for each in points if each.ended is Ended.CLOSED]))
