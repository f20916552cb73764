"""Durations of random accepted histories, late records, corrections and suspensions among them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates import standing
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.state import Stage
from cycle.demo import Simulated
from cycle.history import Cutoffs, Fact, believed
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import folded
from cycle.projections.spells import CycleIntervalRow, Mark, ObstacleSpellRow, PolicyRunRow, StageVisitRow
from cycle.timings.durations import METRICS, Duration, Ended
from cycle.timings.metrics import DURATIONS
from cycle_adapters.files.deliberations import recorded as shipped
from tests.projections.rows import facts_of
from tests.timings.hard import life as history

SEEDS = st.integers(0, 24)
LATER = st.integers(0, 60)
DAY = date(2026, 1, 1)
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
MANY = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> list[Fact]:
    """All facts of a sample territory with corrections, late records and a suspension."""
    path = tmp_path_factory.mktemp("timings") / "demo.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(shipped, frameworks=8, cycles=3)
        return facts_of(simulated.engine.store)


def told(metric: str, facts: list[Fact], cutoffs: Cutoffs, on: date) -> list[Duration]:
    """The durations of a metric that a history leads to."""

    def rows(name: str) -> list[Any]:
        return [row for _, row in sorted(folded(PROJECTIONS[name], cutoffs.cut(facts)).items())]

    return list(DURATIONS[metric].durations(rows, on))


def held(metric: str, facts: list[Fact], as_of: date) -> list[Duration]:
    return told(metric, facts, Cutoffs(as_of=as_of), as_of)


def held_since(facts: list[Fact]) -> dict[str, date]:
    """From which day on each fact is held."""
    right = believed([fact.recorded for fact in facts])
    return {recorded.id: found.since for recorded, found in zip(right, standing.held(right), strict=True)}


def by_beginning(durations: list[Duration]) -> dict[tuple[str, str | None], Duration]:
    """Durations by the facts at which they begin, and what they are of."""
    return {(each.start.event, each.about): each for each in durations}


def days_of(facts: list[Fact]) -> list[date]:
    return sorted({fact.recorded.occurred_on for fact in facts})


def within(visits: list[Duration], interval: Duration) -> list[Duration]:
    """The visits of the same framework that were begun in an interval."""
    return [
        visit
        for visit in visits
        if visit.framework == interval.framework
        and visit.start.version >= interval.start.version
        and (interval.ended is not Ended.CLOSED or (interval.end and visit.start.version < interval.end.version))
    ]


def holds_to_the_identity(facts: list[Fact]) -> int:
    """Whether visits sum to intervals; returns how many intervals were suspended for a while."""
    on, suspended = days_of(facts)[-1], 0
    visits = held("M2", facts, on)
    for each in held("M1", facts, on):
        inside = within(visits, each)
        assert sum(visit.days for visit in inside) == each.days
        away = sum(visit.days for visit in inside if visit.about == "suspended")
        assert each.active_days == each.days - away
        suspended += away > 0
    return suspended


@MANY
@given(SEEDS)
def test_visits_between_two_plans_sum_to_the_time_between_them(seed: int) -> None:
    """The identity, suspension included, whatever the order of the dates."""
    holds_to_the_identity(history(seed))


def test_these_lives_hold_what_makes_durations_hard() -> None:
    """Given the lives that the properties are held by, then what they speak of happens in most of them."""
    suspended = late = again = set_right = 0
    for seed in range(25):
        facts = [fact.recorded for fact in history(seed)]
        days = [each.occurred_on for each in facts]
        agreed = [each.data.cycle for each in facts if isinstance(each.data, PlanAgreed)]
        suspended += holds_to_the_identity(history(seed)) > 0
        late += days != sorted(days)
        again += len(agreed) > len(set(agreed))
        changes = (change for each in facts if isinstance(each.data, FactCorrected) for change in each.data.changes)
        set_right += any(change.field == "occurred_on" for change in changes)
    assert min(suspended, late, again, set_right) >= 12, (suspended, late, again, set_right)


def test_the_demo_holds_to_it_too_with_its_suspension(demo: list[Fact]) -> None:
    assert holds_to_the_identity(demo), "a demo in which nothing is suspended shows nothing"


def test_the_end_of_a_framework_cuts_off_what_runs() -> None:
    """Given a plan, a suspension of ten days and a dissolution, then nothing runs on, and the days are right."""
    stages = ((0, Stage.DELIBERATION), (40, Stage.PLAN), (50, Stage.SUSPENDED), (60, Stage.PLAN), (75, Stage.DISSOLVED))
    marks = [Mark(f"e{n}", n, DAY + timedelta(days=days), MOMENT) for n, (days, _) in enumerate(stages, 1)]
    named: dict[str, Any] = {"commune": "ML-4-01-01", "framework": "f"}
    rows: dict[str, list[Any]] = {
        "cycle_interval": [
            CycleIntervalRow(cycle=0, began=marks[0], ended=marks[1], **named),
            CycleIntervalRow(cycle=1, began=marks[1], due_on=DAY + timedelta(days=70), **named),
        ],
        "stage_visit": [
            StageVisitRow(stage=stage, entered=mark, **named) for mark, (_, stage) in zip(marks, stages, strict=True)
        ],
        "policy_run": [PolicyRunRow(policy="p-1", since=marks[0], **named)],
        "obstacle_spell": [ObstacleSpellRow(obstacle="O-1", cycle=1, severity=2, identified=marks[1], **named)],
    }
    on = DAY + timedelta(days=400)
    found = {
        name: [
            (each.cycle, each.days, each.active_days, each.ended.value)
            for each in metric.durations(rows.__getitem__, on)
        ]
        for name, metric in METRICS.items()
    }
    assert found == {
        "M1": [(1, 35, 25, "dissolved")],
        "M2": [(0, 40, None, "closed"), (1, 10, None, "closed"), (1, 10, None, "closed"), (1, 15, None, "closed")],
        "M3": [(0, 40, None, "closed")],
        "M3-adopted": [],
        "M4": [(1, 5, None, "dissolved")],
        "M5": [(1, 5, None, "dissolved")],
        "M6-communicated": [(1, 35, None, "dissolved")],
        "M6-solution": [(1, 35, None, "dissolved")],
        "M6-resolved": [(1, 35, None, "dissolved")],
    }
    rows["policy_run"] = []
    assert list(METRICS["M1"].durations(rows.__getitem__, on)) == [], "one table is not as far as the others"


STEADY = sorted(set(DURATIONS) - {"M4", "M5", "M7-late"})
"""What begins with a fact, and not with a day that may be moved or taken back."""


@pytest.mark.parametrize("metric", STEADY)
@MANY
@given(SEEDS, st.data())
def test_a_later_look_never_shortens_what_runs_nor_changes_what_is_closed(
    metric: str, seed: int, data: st.DataObject
) -> None:
    """Moving the day on; but for an end that is dated before something it stands on: it is held later than it was."""
    facts = history(seed)
    day = data.draw(st.sampled_from(days_of(facts))) + timedelta(days=data.draw(LATER))
    later = day + timedelta(days=data.draw(LATER))
    before, after = by_beginning(held(metric, facts, day)), by_beginning(held(metric, facts, later))
    for key, one in before.items():
        if one.ended is Ended.CLOSED:
            assert after[key] == one
        elif after[key].days < one.days:
            end = after[key].end
            assert end is not None
            assert end.on < day < held_since(facts)[end.event]


@MANY
@given(SEEDS, st.data())
def test_what_was_known_at_a_moment_stays_what_was_known_then(seed: int, data: st.DataObject) -> None:
    """A correction is a fact of its own: a look at what was known before it gives the old number."""
    facts = history(seed)
    count = data.draw(st.integers(1, len(facts)))
    moment = facts[count - 1].recorded.recorded_at
    known = [fact for fact in facts if fact.recorded.recorded_at <= moment]
    on = days_of(facts)[-1]
    for metric in DURATIONS:
        assert told(metric, facts, Cutoffs(on, moment), on) == told(metric, known, Cutoffs(on), on)


@MANY
@given(SEEDS)
def test_each_number_leads_to_its_two_facts(seed: int) -> None:
    facts = history(seed)
    on = days_of(facts)[-1]
    known = {fact.recorded.id: fact.recorded for fact in Cutoffs(as_of=on).cut(facts)}
    for metric in DURATIONS:
        for each in held(metric, facts, on):
            start = known[each.start.event]
            assert (start.version, start.occurred_on) == (each.start.version, each.start.on)
            since = each.since or start.occurred_on
            until = known[each.end.event].occurred_on if each.end else on
            assert each.days == (until - since).days
            assert (each.end is None) == (each.ended is Ended.RUNNING)
            assert each.policy
