"""What the pictures show is what the durations say; what their titles say is what one finds by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any, cast

import pytest

from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.state import Stage
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.history import EVERYTHING, Cutoffs, Fact
from cycle.reading import Filters, Reader
from cycle.timings.durations import METRICS, Duration, Ended
from cycle.timings.measuring import By
from cycle.timings.pictures.all import PICTURES, Shown, pictured
from cycle.timings.pictures.base import Counts, how_many
from cycle.timings.pictures.stages import STAGES, Stages, longest_months, numbered
from cycle.timings.pictures.strips import Strips
from cycle.timings.pictures.waiting import NextPlan
from cycle.timings.pictures.ways import Ways
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.pictures.drawing import title
from tests.projections.rows import facts_of


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Twelve frameworks of both regions, three cycles each, with suspensions and plans that were negotiated anew."""
    path = tmp_path_factory.mktemp("pictures") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=12, cycles=3)
    with Engine(f"sqlite:///{path}") as engine:
        found = Reader(engine, "operator")
        found.catch_up()
        yield found


def shown(reader: Reader, name: str, by: By | None = None, filters: Filters = Filters()) -> Any:  # noqa: B008
    return pictured(reader, PICTURES[name], by, filters, EVERYTHING).shown


def told(reader: Reader, metric: str) -> list[Duration]:
    return list(METRICS[metric].durations(lambda name: reader.each(name, Filters(), EVERYTHING), reader.engine.today()))


def expanded(found: Counts) -> list[int]:
    return [each.days for each in found for _ in range(each.count)]


def test_every_visit_is_in_one_row_of_its_stage(reader: Reader) -> None:
    stages = cast("Stages", shown(reader, "stages"))
    visits = told(reader, "M2")
    assert [each.stage for each in stages.stages] == [each for each in STAGES if each in {v.about for v in visits}]
    for stage in stages.stages:
        for ended, name in ((Ended.CLOSED, "closed"), (Ended.RUNNING, "running")):
            drawn = sorted(days for row in stage.rows for days in expanded(getattr(row, name)))
            assert drawn == sorted(v.days for v in visits if v.about == stage.stage and v.ended is ended)


def test_the_cycle_of_a_visit_is_the_one_that_the_pages_tell(reader: Reader) -> None:
    visits = told(reader, "M2")
    for row in reader.frameworks():
        own = list(numbered(visit for visit in visits if visit.framework == row.framework))
        assert own[-1][0] == row.cycle
        agreed = [number for number, visit in own if visit.about == Stage.PLAN]
        assert sorted(set(agreed)) == [v.cycle for v in told(reader, "M1") if v.framework == row.framework]
    assert any(v.about == Stage.SUSPENDED for v in visits), "a demo in which nothing is suspended shows nothing"


def test_rows_of_closed_visits_alone_have_the_quartiles_of_a_list(reader: Reader) -> None:
    """Where each framework was there once and has left, the estimate is the plain quantile of the days."""
    first = shown(reader, "stages").stages[0]
    [row] = first.rows
    days = sorted(expanded(row.closed))
    assert len(days) == row.frameworks == 12
    assert row.quartiles == (days[2], days[5], days[8])
    assert first.median.days == median_low(days)


def test_rows_of_few_frameworks_have_no_median(reader: Reader) -> None:
    few = [row for stage in shown(reader, "stages").stages for row in stage.rows if row.frameworks < 5]
    assert few
    assert all(row.quartiles is None for row in few)
    one = shown(reader, "stages", filters=Filters(framework=reader.frameworks()[0].framework))
    assert all((stage.median, stage.change) == (None, None) for stage in one.stages)


def test_the_policy_draws_its_lines_at_the_stages_that_it_is_about(reader: Reader) -> None:
    limits = [
        (limit.stage, limit.days, limit.most, limit.article)
        for stage in shown(reader, "stages").stages
        for limit in stage.limits
    ]
    assert limits == [
        (Stage.MEETING, 7, False, "wocat-pact-1/6"),
        (Stage.MONITORING, 92, True, "wocat-pact-1/9"),
    ]
    assert [longest_months(months) for months in (1, 2, 3, 12)] == [31, 62, 92, 366]


def test_every_interval_is_in_its_group(reader: Reader) -> None:
    intervals = told(reader, "M1")
    regions = {row.code: row.region for row in reader.communes()}
    found = cast("NextPlan", shown(reader, "next-plan", By.REGION))
    assert [each.group.cohort for each in found.cohorts] == ["Koulikoro", "Ségou"]
    for cohort in found.cohorts:
        for ended, counts in ((Ended.CLOSED, cohort.closed), (Ended.RUNNING, cohort.running)):
            own = [v.days for v in intervals if regions[v.commune] == cohort.group.cohort and v.ended is ended]
            assert expanded(counts) == sorted(own)
        assert (cohort.group.curve is None) == (cohort.group.frameworks < 5)


def test_the_map_counts_each_move_of_the_table_of_stages(reader: Reader) -> None:
    found = cast("Ways", shown(reader, "map"))
    rows = list(reader.rows("stage_visit"))
    went: Counter[Any] = Counter()
    stays: dict[Any, list[int]] = {}
    for one, other in pairwise(rows):
        first, second = cast("Any", one), cast("Any", other)
        if first.framework == second.framework:
            went[first.stage, second.stage] += 1
            days = (second.entered.on - first.entered.on).days
            stays.setdefault((first.stage, second.stage), []).append(days)
    assert {(way.source, way.to): way.count for way in found.ways} == went
    assert all(way.median == median_low(stays[way.source, way.to]) for way in found.ways)
    now = Counter(row.stage for row in reader.frameworks())
    assert {spot.stage: spot.here for spot in found.spots if spot.here} == now


def test_strips_stand_where_the_plans_were_agreed(reader: Reader) -> None:
    found = cast("Strips", shown(reader, "strips"))
    assert found.frameworks == len(found.strips) == 12
    intervals = told(reader, "M1")
    waits = [strip.waits_days for strip in found.strips]
    assert waits == sorted(waits, reverse=True), "who has waited longest comes first"
    for strip in found.strips:
        own = [v for v in intervals if v.framework == strip.framework]
        assert [(plan.number, plan.since) for plan in strip.plans if plan.number] == [
            (v.cycle, v.start.on) for v in own
        ]
        assert [plan.until - plan.since for plan in strip.plans if plan.number] == [timedelta(v.days) for v in own]
        assert strip.waits_days == own[-1].days


def test_each_picture_looks_back_as_the_figures_do(reader: Reader) -> None:
    then = Cutoffs(as_of=date(2023, 9, 1))
    for each in PICTURES.values():
        filters = Filters(framework=reader.frameworks()[0].framework) if each.alone else Filters()
        found = pictured(reader, each, None, filters, then)
        assert (found.as_of, found.picture) == (date(2023, 9, 1), each.id)
        assert found == pictured(reader, each, None, filters, then)
        assert found.shown != pictured(reader, each, None, filters, EVERYTHING).shown


def by_hand(facts: list[Fact], on: date) -> int:
    """The median of Wang and Chang over the days between plans, from the facts alone."""
    plans: dict[str, dict[int, date]] = {}
    for each in facts:
        if isinstance(each.recorded.data, PlanAgreed):
            plans.setdefault(each.recorded.stream, {}).setdefault(each.recorded.data.cycle, each.recorded.occurred_on)
    rows: list[tuple[int, bool, float]] = []
    for agreed in plans.values():
        days = list(agreed.values())
        closed = [(later - earlier).days for earlier, later in pairwise(days)]
        rows += [(each, True, 1 / len(closed)) for each in closed] or [((on - days[-1]).days, False, 1.0)]
    left = 1.0
    for day in sorted({days for days, closed, _ in rows if closed}):
        lasted = sum(weight for days, _, weight in rows if days >= day)
        left *= 1 - sum(weight for days, closed, weight in rows if closed and days == day) / lasted
        if left <= 0.5 + 1e-9:
            return day
    raise AssertionError("not reached")


def test_the_title_of_the_curve_says_what_one_finds_by_hand(reader: Reader) -> None:
    found = pictured(reader, PICTURES["next-plan"], None, Filters(), EVERYTHING)
    median = by_hand(facts_of(reader.engine.store), found.as_of)
    [cohort] = cast("NextPlan", found.shown).cohorts
    curve = cohort.group.curve
    assert curve is not None
    lower, upper = curve.median.lower, curve.median.upper
    words = f"Half of the frameworks have their next plan within {median} days ({lower} to {upper})"
    assert title(found, "en") == words
    assert (
        title(found, "fr")
        == f"La moitié des cadres ont leur plan suivant en {median} jours au plus ({lower} à {upper})"
    )


def test_the_other_titles_say_what_one_finds_by_hand(reader: Reader) -> None:
    rows = reader.frameworks()
    here = Counter(row.stage for row in rows).most_common(1)[0][1]
    longest = max((v for v in told(reader, "M1") if v.ended is Ended.RUNNING), key=lambda v: v.days)
    name = next(row.title for row in rows if row.framework == longest.framework)
    found = {
        name: pictured(reader, PICTURES[name], None, Filters(), EVERYTHING) for name in ("map", "strips", "stages")
    }
    assert title(found["map"], "en").startswith(f"Of 12 frameworks {here} ")
    assert title(found["strips"], "en") == f"The longest wait for a plan: {name}, {longest.days} days".replace(
        f"{longest.days}", f"{longest.days:,}"
    )
    medians = {each.stage: each.median.days for each in cast("Stages", found["stages"].shown).stages if each.median}
    slowest = max(medians, key=lambda stage: medians[stage] or 0)
    assert slowest is Stage.MONITORING
    assert f"“committee monitoring”: half of the frameworks leave it within {medians[slowest]} days" in title(
        found["stages"], "en"
    )


def test_every_kind_of_picture_tells_its_kind() -> None:
    tags = {kind.__struct_config__.tag for kind in Shown.__args__}
    assert tags == set(PICTURES)
    assert how_many(()) == 0
