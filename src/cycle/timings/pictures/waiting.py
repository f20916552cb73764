"""The share of frameworks that have their next plan, against the days since the last one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import Struct

from cycle.timings.durations import METRICS, Duration, Ended
from cycle.timings.measuring import By, Group, measured
from cycle.timings.pictures.base import Asked, Counts, counts


class Cohort(Struct, frozen=True):
    """One group, and the days of its intervals: ended, still waiting, and cut off by the end of their framework."""

    group: Group
    closed: Counts
    running: Counts
    dissolved: Counts


class NextPlan(Struct, frozen=True, tag="next-plan"):
    """In the order of their names; ``by`` null: all in one group."""

    by: By | None
    cohorts: Sequence[Cohort]


def next_plan(asked: Asked) -> NextPlan:
    """The curve of M1 in each cohort, and what it is made of."""
    days: defaultdict[tuple[str | None, Ended], Counter[int]] = defaultdict(Counter)

    def take(cohort: str | None, each: Duration) -> None:
        if each.days >= 0:
            days[cohort, each.ended][each.days] += 1

    groups = measured(asked.reader, METRICS["M1"], asked.by, asked.filters, asked.cutoffs, limit=0, also=take).groups
    return NextPlan(
        asked.by,
        [Cohort(each, *(counts(days[each.cohort, ended]) for ended in _ENDINGS)) for each in groups],
    )


_ENDINGS = (Ended.CLOSED, Ended.RUNNING, Ended.DISSOLVED)
