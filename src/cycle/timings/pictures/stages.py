"""How long each stage takes: every visit, in rows of cycles.

The number of a cycle is that of the plan in force or being prepared, as people know it from the pages: a cycle goes
from the identification of needs to the adjustment. A suspension counts to the cycle that it interrupts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.plan import add_months
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import PolicyId
from cycle.policy import Policy, Rule
from cycle.timings.durations import METRICS, Duration, Ended
from cycle.timings.estimators import Quantile, Ratio, Recurrence, paired_ratios, wang_chang
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
from cycle.timings.pictures.base import Asked, Counts, counts, framework_of
from cycle.timings.weighing import Quartiles, Weighed

STAGES = (
    Stage.DELIBERATION, Stage.NEEDS_IDENTIFICATION, Stage.MEETING, Stage.PLAN, Stage.MONITORING, Stage.ADJUSTMENT,
    Stage.SUSPENDED,
)  # fmt: skip
"""In the order in which a cycle goes through them; what interrupts it comes last."""
NEGOTIATED_ANEW = (Stage.NEEDS_IDENTIFICATION, Stage.MEETING)
"""Who comes to these from the adjustment has begun another cycle."""
ROWS = 6
"""Of a stage; the last one holds every later cycle as well."""


class Limit(Struct, frozen=True):
    """What an article of a policy says of a stage, in days. ``most``: it lasts no longer; else, no shorter."""

    stage: Stage
    article: str
    days: int
    most: bool


class Visits(Struct, frozen=True):
    """The visits to a stage in a cycle, or in all from ``cycle`` to ``last``.

    ``quartiles`` are the days by which a quarter, half and three quarters of the frameworks have left (null: not
    reached), and null together where there are fewer than five frameworks. ``doubtful`` are counted nowhere else.
    """

    cycle: int
    last: int
    frameworks: int
    closed: Counts
    running: Counts
    doubtful: int = 0
    quartiles: Quartiles | None = None


class OfStage(Struct, frozen=True):
    """A stage. ``median``: the day by which half of the frameworks have left it, over all cycles; null: fewer than five
    frameworks. ``change``: the newest cycle that five have come to, against the same framework's own first visit."""

    stage: Stage
    frameworks: int
    longest: int
    rows: Sequence[Visits]
    limits: Sequence[Limit] = ()
    median: Quantile | None = None
    change: Ratio | None = None


class Stages(Struct, frozen=True, tag="stages"):
    """Stages that were entered, in their order."""

    frameworks: int
    stages: Sequence[OfStage]


def stages(asked: Asked) -> Stages:
    """Every visit to every stage."""
    found: Mapping[Stage, _OfStage] = {stage: _OfStage(stage) for stage in STAGES}
    policies, frameworks = set[str](), 0
    for _, visits in groupby(asked.durations(METRICS["M2"]), framework_of):
        frameworks += 1
        own: dict[Stage, list[tuple[int, Duration]]] = {}
        for cycle, visit in numbered(visits):
            policies.add(visit.policy)
            own.setdefault(Stage(visit.about or ""), []).append((cycle, visit))
        for stage, numbers in own.items():
            found[stage].take(numbers)
    limits = list(_limits(asked, policies))
    told = (found[stage].told(limits) for stage in STAGES if found[stage].frameworks)
    return Stages(frameworks, list(told))


def numbered(visits: Iterable[Duration]) -> Iterator[tuple[int, Duration]]:
    """The visits of one framework, each with the number of its cycle."""
    cycle, last = 1, Stage.DELIBERATION
    for visit in visits:
        stage = Stage(visit.about or "")
        if stage is not Stage.SUSPENDED:
            cycle += last is Stage.ADJUSTMENT and stage in NEGOTIATED_ANEW
            last = stage
        yield cycle, visit


class _Row:
    def __init__(self) -> None:
        self.frameworks = self.doubtful = self.last = 0
        self.closed, self.running = Counter[int](), Counter[int]()
        self.weighed = Weighed()

    def take(self, visits: Sequence[Duration]) -> None:
        """The visits of one framework."""
        good = [each for each in visits if each.days >= 0]
        self.frameworks += 1
        self.doubtful += len(visits) - len(good)
        closed = [each.days for each in good if each.ended is Ended.CLOSED]
        running = [each.days for each in good if each.ended is Ended.RUNNING]
        self.closed.update(closed)
        self.running.update(running)
        self.weighed.take(Recurrence("", tuple(closed), running[0] if running else None))

    def told(self, cycle: int) -> Visits:
        enough = self.frameworks >= AT_LEAST_FRAMEWORKS
        return Visits(
            cycle,
            max(self.last, cycle),
            self.frameworks,
            counts(self.closed),
            counts(self.running),
            self.doubtful,
            self.weighed.quartiles() if enough else None,
        )


class _OfStage:
    """One stage while the frameworks come."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._rows: defaultdict[int, _Row] = defaultdict(_Row)
        self._series: list[Recurrence] = []
        self._pairs: defaultdict[int, list[Recurrence]] = defaultdict(list)
        self.frameworks = self._longest = 0

    def take(self, visits: Sequence[tuple[int, Duration]]) -> None:
        """The visits of one framework, with the numbers of their cycles."""
        self.frameworks += 1
        for number, own in groupby(visits, lambda each: min(each[0], ROWS)):
            row = self._rows[number]
            told = list(own)
            row.last = max(row.last, told[-1][0])
            row.take([visit for _, visit in told])
        good = [(cycle, visit) for cycle, visit in visits if visit.days >= 0]
        commune = visits[0][1].commune
        closed = [(cycle, visit.days) for cycle, visit in good if visit.ended is Ended.CLOSED]
        running = next((visit.days for _, visit in good if visit.ended is Ended.RUNNING), None)
        self._series.append(Recurrence(commune, tuple(days for _, days in closed), running))
        self._longest = max([self._longest, *(visit.days for _, visit in good)])
        # Of a cycle the first visit alone: who comes back to a stage has not begun another cycle.
        firsts = dict(reversed(closed))
        for cycle, days in firsts.items():
            if cycle != closed[0][0]:
                self._pairs[cycle].append(Recurrence(commune, (closed[0][1], days)))

    def told(self, limits: Iterable[Limit]) -> OfStage:
        enough = self.frameworks >= AT_LEAST_FRAMEWORKS
        curve = wang_chang(self._series) if enough else None
        return OfStage(
            self._stage,
            self.frameworks,
            self._longest,
            [self._rows[number].told(number) for number in sorted(self._rows)],
            [limit for limit in limits if limit.stage is self._stage],
            None if curve is None else curve.median,
            self._change(),
        )

    def _change(self) -> Ratio | None:
        """Of the newest cycle that enough frameworks have come to."""
        for cycle in sorted(self._pairs, reverse=True):
            if len(self._pairs[cycle]) >= AT_LEAST_FRAMEWORKS and (found := paired_ratios(self._pairs[cycle])):
                return replace(found[0], number=cycle) if found[0].frameworks >= AT_LEAST_FRAMEWORKS else None
        return None


def _limits(asked: Asked, names: Iterable[str]) -> Iterator[Limit]:
    """What the policies say of stages; versions that say the same say it once, by the newest."""
    found: dict[tuple[Stage, bool, int], Limit] = {}
    for name in sorted(names):
        identity, _, version = name.rpartition("-")
        policy = asked.reader.engine.policy(PolicyId(identity), int(version))
        if policy is not None:
            for limit in limits_of(policy):
                found[limit.stage, limit.most, limit.days] = limit
    return iter(found.values())


def limits_of(policy: Policy) -> tuple[Limit, ...]:
    """Where a policy speaks of days in a stage."""
    notice: Rule[int] = policy.meeting_notice_days
    months: Rule[int] = policy.plan_months_max
    return (
        Limit(Stage.MEETING, policy.article(notice), notice.value, most=False),
        Limit(Stage.MONITORING, policy.article(months), longest_months(months.value), most=True),
    )


def longest_months(months: int) -> int:
    """The days of so many months, wherever in the year they take longest."""
    begins = [date(2024, month, 1) for month in range(1, 13)]
    return max((add_months(begin, months) - begin).days for begin in begins)
