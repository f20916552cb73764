"""One framework by itself: each of its intervals between plans, and what is usual for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from cycle.timings.charts import Chart
from cycle.timings.durations import METRICS, Ended
from cycle.timings.pictures.base import Asked
from cycle.timings.pictures.strips import names_of
from cycle.timings.usual import usual_of


class Interval(Struct, frozen=True):
    """From plan ``number`` agreed to the next one."""

    number: int
    since: date
    days: int
    ended: Ended


class Series(Struct, frozen=True, tag="xmr"):
    """``chart``: the limits of what is usual, from those that have ended; null: fewer than six have."""

    framework: str
    name: str
    intervals: Sequence[Interval]
    doubtful: int
    chart: Chart | None


def series(asked: Asked) -> Series:
    """The intervals of the framework that is asked for."""
    framework = asked.filters.framework or ""
    found = list(asked.durations(METRICS["M1"]))
    usual = usual_of(framework, found)
    good = [Interval(each.cycle, each.start.on, each.days, each.ended) for each in usual.points]
    return Series(framework, names_of(asked, {framework})[framework], good, len(found) - len(good), usual.chart)
