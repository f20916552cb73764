"""The cycle as a map: who is where, and who went from which stage to which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from msgspec import Struct

from cycle.aggregates.framework.state import Stage
from cycle.timings.durations import METRICS, Duration, Ended
from cycle.timings.estimators import Recurrence
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, nearest
from cycle.timings.pictures.base import Asked, framework_of
from cycle.timings.weighing import Weighed


class Spot(Struct, frozen=True):
    """A stage: how many frameworks have been there, and how many are there now.

    ``median``: the day by which half of them have left, whoever is still there counted; null: not reached, or fewer
    than five frameworks.
    """

    stage: Stage
    frameworks: int
    here: int
    median: int | None = None


class Way(Struct, frozen=True):
    """From a stage to the next one: how often, and the median of the days that those had stayed who went it."""

    source: Stage
    to: Stage
    count: int
    median: int | None


class Ways(Struct, frozen=True, tag="map"):
    """Every stage, in the order of a cycle, and each way that somebody went. ``doubtful`` are in no median."""

    frameworks: int
    spots: Sequence[Spot]
    ways: Sequence[Way]
    doubtful: int


def ways(asked: Asked) -> Ways:
    """What became of every visit to a stage."""
    went: defaultdict[tuple[Stage, Stage], Counter[int]] = defaultdict(Counter)
    been, here = Counter[Stage](), Counter[Stage]()
    weighed: defaultdict[Stage, Weighed] = defaultdict(Weighed)
    frameworks = 0
    for _, own in groupby(asked.durations(METRICS["M2"]), framework_of):
        visits, frameworks = list(own), frameworks + 1
        stages = [Stage(visit.about or "") for visit in visits]
        if visits[-1].ended is not Ended.RUNNING:
            stages.append(Stage.DISSOLVED)
        here[stages[-1]] += 1
        been.update(set(stages))
        for way, visit in zip(pairwise(stages), visits, strict=False):
            went[way][visit.days] += 1
        for stage in set(stages) - {Stage.DISSOLVED}:
            weighed[stage].take(_series(visit for visit in visits if visit.about == stage.value))
    enough = {stage for stage in weighed if been[stage] >= AT_LEAST_FRAMEWORKS}
    medians = {stage: (weighed[stage].quartiles() or (None,) * 3)[1] for stage in enough}
    return Ways(
        frameworks,
        [Spot(stage, been[stage], here[stage], medians.get(stage)) for stage in Stage],
        [_way(way, went[way]) for way in sorted(went, key=_in_order)],
        sum(many for found in went.values() for days, many in found.items() if days < 0),
    )


def _way(way: tuple[Stage, Stage], days: Counter[int]) -> Way:
    good = Counter({each: many for each, many in days.items() if each >= 0})
    return Way(*way, days.total(), nearest(good, 0.5) if good else None)


def _in_order(way: tuple[Stage, Stage]) -> tuple[int, int]:
    order = list(Stage)
    return order.index(way[0]), order.index(way[1])


def _series(visits: Iterable[Duration]) -> Recurrence:
    """The visits of one framework to one stage."""
    good = [visit for visit in visits if visit.days >= 0]
    running = [visit.days for visit in good if visit.ended is Ended.RUNNING]
    closed = tuple(visit.days for visit in good if visit.ended is Ended.CLOSED)
    return Recurrence("", closed, running[0] if running else None)
