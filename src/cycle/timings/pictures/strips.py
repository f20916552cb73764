"""One strip for each framework: its plans one after the other, over the years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from heapq import nlargest
from itertools import chain, groupby
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.state import Stage
from cycle.projections.frameworks import FrameworkRow
from cycle.projections.frameworks import frameworks as rows_of_frameworks
from cycle.timings.durations import Duration, Ended, Kind, Metric, One, between_cycles, set_up
from cycle.timings.pictures.base import Asked, framework_of

AT_MOST = 30
"""Strips in a picture."""


class Bar(Struct, frozen=True):
    """From a day to a day: to that of the look while it runs."""

    since: date
    until: date
    ended: Ended


class Plan(Bar, frozen=True):
    """From a plan agreed to the next one; number 0: from the proposal to the first one."""

    number: int


class Strip(Struct, frozen=True):
    """A framework. ``waits_days``: since its last plan, or its proposal; null: it was dissolved.

    ``doubtful``: intervals that end before they begin, which no bar shows.
    """

    framework: str
    name: str
    plans: Sequence[Plan]
    suspended: Sequence[Bar]
    waits_days: int | None
    doubtful: int


class Strips(Struct, frozen=True, tag="strips"):
    """Those that have waited longest for their next plan, first; at most thirty of ``frameworks``."""

    frameworks: int
    waiting: int
    strips: Sequence[Strip]


def _what_is_drawn(one: One) -> Iterator[Duration]:
    suspended = (one.duration(visit.entered, end, about=visit.stage.value) for visit, end, _ in one.suspended())
    return chain(set_up(one), between_cycles(one), suspended)


_DRAWN = Metric("strips", Kind.RECURRENT, _what_is_drawn)


def strips(asked: Asked) -> Strips:
    """What there is to see of each framework."""
    frameworks = waiting = 0

    def told() -> Iterator[Strip]:
        nonlocal frameworks, waiting
        for framework, durations in groupby(asked.durations(_DRAWN), framework_of):
            each = _strip(framework, list(durations))
            frameworks += 1
            waiting += each.waits_days is not None
            yield each

    found = nlargest(AT_MOST, told(), key=lambda each: -1 if each.waits_days is None else each.waits_days)
    names = names_of(asked, {each.framework for each in found})
    return Strips(frameworks, waiting, [replace(each, name=names[each.framework]) for each in found])


def _strip(framework: str, durations: Sequence[Duration]) -> Strip:
    good = [each for each in durations if each.days >= 0]
    plans = [each for each in good if each.about != Stage.SUSPENDED.value]
    return Strip(
        framework,
        "",
        [Plan(each.start.on, _until(each), each.ended, each.cycle) for each in plans],
        [Bar(each.start.on, _until(each), each.ended) for each in good if each.about == Stage.SUSPENDED.value],
        next((each.days for each in plans if each.ended is Ended.RUNNING), None),
        len(durations) - len(good),
    )


def _until(duration: Duration) -> date:
    return duration.start.on + timedelta(days=duration.days)


def names_of(asked: Asked, wanted: set[str]) -> Mapping[str, str]:
    """What some frameworks are called, each with its commune where its name does not say it."""
    communes = {row.code: row.name for row in asked.reader.communes(asked.cutoffs)}
    rows = cast("Iterator[FrameworkRow]", asked.reader.each(rows_of_frameworks.name, asked.filters, asked.cutoffs))
    titles = {
        row.framework: (row.title, communes.get(row.commune, row.commune)) for row in rows if row.framework in wanted
    }
    found = {each: titles.get(each, (each[-8:], "")) for each in wanted}
    return {each: title if commune in title else f"{commune} · {title}" for each, (title, commune) in found.items()}
