"""What is held on a day is well defined for every history, whatever the days that its facts bear."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.aggregates.framework.monitoring import ReportProgress
from cycle.aggregates.framework.obstacles import CommunicateObstacle, RaiseObstacle
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework, ObstacleStage
from cycle.aggregates.standing import held, named
from cycle.history import Cutoffs, Fact
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import folded
from cycle.projections.frameworks import MOVES
from tests.domain.dioro import A1, FISH, O1, RICE, monitored
from tests.domain.story import Story
from tests.domain.walks import replay, walk
from tests.projections.rows import corrected

walks = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JUNE = [date(2026, 6, day) for day in range(1, 31)]


def placed(history: list[Recorded[Event]]) -> list[Fact]:
    return [Fact(position, recorded) for position, recorded in enumerate(history, 1)]


def state_on(day: date, facts: list[Fact]) -> Framework:
    return replay([fact.recorded for fact in Cutoffs(as_of=day).cut(facts)])


def told_out_of_order() -> Story:
    """An obstacle that was raised on the 20th, and communicated on the 10th as a late record says."""
    told = monitored().given(RaiseObstacle(description="Crue", severity=2), on=JUNE[19])
    return told.know(late_record=True).given(CommunicateObstacle(obstacle=O1, members=(RICE, FISH)), on=JUNE[9])


def test_what_is_not_there_on_a_day_has_not_been_spoken_of_either() -> None:
    facts = placed(told_out_of_order().history)
    assert state_on(JUNE[14], facts).obstacles == {}
    assert state_on(JUNE[19], facts).obstacles[O1].stage is ObstacleStage.COMMUNICATED


def test_a_late_record_of_what_was_there_is_held_from_its_own_day() -> None:
    """Only what it stands on holds it back, not what happened to be recorded before it."""
    told = monitored().given(RaiseObstacle(description="Crue", severity=2), on=JUNE[19])
    told.given(ReportProgress(action=A1, percent=30), on=JUNE[9])
    assert state_on(JUNE[9], placed(told.history)).actions[A1].percent == 30


def test_a_day_before_the_proposal_knows_of_no_framework() -> None:
    assert state_on(date(2026, 1, 1), placed(monitored().history)).stage is None


def misdated(seed: int) -> list[Fact]:
    """An accepted history in which, as an older release let pass, some facts bear any day at all."""
    chance = Random(seed)
    history = corrected(seed, 120) if seed % 2 else walk(seed, 120).history
    first, last = history[0].occurred_on, history[-1].occurred_on + timedelta(days=9)
    share = chance.choice((0.02, 0.1, 0.5))
    return placed(
        [
            replace(r, occurred_on=first + timedelta(days=chance.randint(-9, (last - first).days)))
            if chance.random() < share
            else r
            for r in history
        ]
    )


@walks
@given(st.integers(0, 2**32))
def test_on_every_day_there_is_a_state_and_every_projection(seed: int) -> None:
    facts = misdated(seed)
    days = sorted({fact.recorded.occurred_on for fact in facts})
    before: set[int] = set()
    for day in days:
        on = Cutoffs(as_of=day).cut(facts)
        state = replay([fact.recorded for fact in on])
        rows = {name: folded(projection, on) for name, projection in PROJECTIONS.items()}
        stages = [row.stage for row in rows["frameworks"].values()]  # type: ignore[attr-defined]
        assert stages == ([] if state.stage is None else [state.stage])
        now = {fact.position for fact in on}
        assert before <= now, "what was held once stays held"
        assert all(fact.recorded.occurred_on <= day for fact in on)
        before = now
    assert state == replay([fact.recorded for fact in Cutoffs().cut(facts)])


@walks
@given(st.integers(0, 2**32))
def test_a_fact_is_left_out_for_its_own_day_or_for_one_that_it_stands_on(seed: int) -> None:
    """Against the plainest reading: what names the same thing first, what goes on from the same strand."""
    history = [fact.recorded for fact in Cutoffs().cut(misdated(seed))]
    since = held(history)
    for at, (recorded, mine) in enumerate(zip(history, since, strict=True)):
        days = [recorded.occurred_on, *([since[0].since] if at else [])]
        for thing in named(recorded.data):
            first = next(n for n, r in enumerate(history) if thing in named(r.data))
            days += [since[first].since] if first < at else []
        for strand in recorded.data.strands:
            days += [since[n].since for n in range(at) if strand in history[n].data.strands][-1:]
        if (corrects := getattr(recorded.data, "fact_version", None)) is not None:
            days.append(since[corrects - 1].since)
        assert mine.since == max(days)
        assert (mine.after is None) == (mine.since == recorded.occurred_on)


@walks
@given(st.integers(0, 2**32))
def test_every_move_is_of_the_strand_of_the_stage(seed: int) -> None:
    state: Framework = framework.initial
    for recorded in walk(seed, 80).history:
        after = framework.fold(state, [recorded])
        if (after.stage, after.stage_since) != (state.stage, state.stage_since):
            assert "stage" in recorded.data.strands, recorded.type
        state = after
    assert {event for event in EVENTS.values() if "stage" in event.strands and event in framework.events} >= set(MOVES)


@walks
@given(st.integers(0, 2**32), st.randoms())
def test_days_never_decide_the_order_of_the_log(seed: int, chance: Random) -> None:
    """Whatever days its facts bear, a history leads to the same stage, members, plan and promises."""
    history = walk(seed, 80).history
    days = [recorded.occurred_on for recorded in history]
    chance.shuffle(days)
    shuffled = replay([replace(r, occurred_on=day) for r, day in zip(history, days, strict=True)])
    asked = replay(history)
    assert shuffled.stage is asked.stage
    assert list(shuffled.members) == list(asked.members)
    assert (shuffled.cycle, shuffled.plan and shuffled.plan.window) == (asked.cycle, asked.plan and asked.plan.window)
    assert [(c.id, c.received) for c in shuffled.contributions.values()] == [
        (c.id, c.received) for c in asked.contributions.values()
    ]


def test_the_misdated_histories_are_long_and_wrong_enough_to_say_something() -> None:
    histories = [[fact.recorded for fact in misdated(seed)] for seed in range(12)]
    assert sum(each.after is not None for history in histories for each in held(history)) > 50
    assert PlanAgreed in {type(recorded.data) for history in histories for recorded in history}
