"""Histories on two time axes: what was believed at a moment stays what was believed then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cycle.aggregates.base import Recorded
from cycle.aggregates.corrections import Change, FactCorrected
from cycle.aggregates.framework.monitoring import ProgressReported, ReportProgress
from cycle.aggregates.framework.proposals import ActionProposed
from cycle.aggregates.terms import ActionId
from cycle.history import EVERYTHING, Cutoffs, Fact, believed
from tests.domain.dioro import A1, monitored
from tests.domain.story import Story
from tests.domain.walks import walk

MORNING = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(number: int, data: ProgressReported | FactCorrected, on: date, stream: str = "framework-f-1") -> Recorded:
    """The fact with this version, recorded so many minutes into the year."""
    like = monitored().history[0]
    return replace(
        like,
        data=data,
        id=f"e-{number}",
        occurred_on=on,
        recorded_at=MORNING + timedelta(minutes=number),
        stream=stream,
        type=data.type,
        version=number,
    )


def correction(of: int, **now: object) -> FactCorrected:
    changes = tuple(Change(field, now=msgspec.Raw(msgspec.json.encode(value))) for field, value in now.items())
    return FactCorrected(f"e-{of}", of, "progress-reported", changes, "Erreur")


def progress(percent: int) -> ProgressReported:
    return ProgressReported(A1, percent)


APRIL = [date(2026, 4, day) for day in range(1, 30)]


def begun() -> list[Recorded]:
    """What the reports stand on: a framework that is proposed, and an action in it."""
    first, proposed = monitored().history[0], ActionProposed(A1, 1, "Réparer la motopompe")
    return [
        replace(recorded(1, proposed, MORNING.date()), data=first.data, type=first.type),
        recorded(2, proposed, MORNING.date()),
    ]


def placed(facts: list[Recorded]) -> list[Fact]:
    """Facts as they stand in the store."""
    return [Fact(position, fact) for position, fact in enumerate(facts, 1)]


def short() -> list[Fact]:
    """Two reports, then both are set right: the first is of another day, the second says less."""
    facts = [
        *begun(),
        recorded(3, progress(20), APRIL[0]),
        recorded(4, progress(80), APRIL[5]),
        recorded(5, correction(3, occurred_on="2026-04-21"), APRIL[20]),
        recorded(6, correction(4, percent=40), APRIL[20]),
    ]
    return placed(facts)


def percents(facts: list[Fact]) -> list[int]:
    return [fact.recorded.data.percent for fact in facts if isinstance(fact.recorded.data, ProgressReported)]


def test_without_corrections_a_history_is_believed_as_it_stands() -> None:
    history = monitored().given(ReportProgress(action=A1, percent=20)).history
    assert believed(history) is history


def test_a_correction_stands_in_the_fact_and_stays_visible() -> None:
    history = [fact.recorded for fact in short()]
    right = believed(history)
    assert [r.version for r in right] == [1, 2, 3, 4, 5, 6]
    assert right[2].occurred_on == date(2026, 4, 21)
    assert right[3].data == progress(40)
    assert right[4:] == history[4:]
    assert history[3].data == progress(80)


def test_the_last_of_several_corrections_holds() -> None:
    facts = [fact.recorded for fact in short()] + [recorded(7, correction(4, percent=55), APRIL[20])]
    assert believed(facts)[3].data == progress(55)


def test_a_correction_is_about_its_own_stream() -> None:
    other = recorded(2, progress(80), APRIL[0], stream="framework-f-2")
    mine = [
        recorded(1, progress(10), APRIL[0]),
        recorded(2, progress(70), APRIL[0]),
        recorded(3, correction(2, percent=5), APRIL[1]),
    ]
    assert [r.data for r in believed([other, *mine])][:3] == [progress(80), progress(10), progress(5)]


def test_a_history_is_cut_on_each_axis() -> None:
    facts = short()
    assert EVERYTHING.cut(facts)[3].recorded.data == progress(40)
    assert percents(Cutoffs(at=4).cut(facts)) == [20, 80]
    assert percents(Cutoffs(at=6).cut(facts)) == [20, 40]
    assert percents(Cutoffs(known_at=MORNING + timedelta(minutes=5)).cut(facts)) == [20, 80]
    assert percents(Cutoffs(as_of=APRIL[6]).cut(facts)) == [40]
    before = Cutoffs(as_of=APRIL[6], known_at=MORNING + timedelta(minutes=4))
    assert percents(before.cut(facts)) == [20, 80]


def test_positions_stay_with_their_facts() -> None:
    assert [fact.position for fact in Cutoffs(as_of=APRIL[6]).cut(short())] == [1, 2, 4]


def test_a_correction_that_is_learnt_later_holds_for_the_day_itself() -> None:
    """As of a day means what is known now of that day, also where the correction was made afterwards."""
    assert percents(Cutoffs(as_of=APRIL[5]).cut(short())) == [40]


histories = st.builds(walk, st.integers(0, 2**32), st.integers(30, 90))


@settings(max_examples=40, deadline=None)
@given(histories, st.data())
def test_belief_at_a_moment_never_changes_as_later_facts_are_recorded(tale: Story, data: st.DataObject) -> None:
    facts = placed(tale.history)
    length = data.draw(st.integers(1, len(facts)))
    moment = facts[length - 1].recorded.recorded_at
    day = data.draw(st.sampled_from([None, facts[length - 1].recorded.occurred_on]))
    for cut in (Cutoffs(day, known_at=moment), Cutoffs(day, at=length)):
        assert cut.cut(facts) == cut.cut(facts[:length])


@st.composite
def corrected_histories(draw: st.DrawFn) -> list[Fact]:
    """Reports and corrections of them, in any order that can be recorded."""
    facts: list[Recorded] = begun()
    for version in range(3, draw(st.integers(4, 14))):
        reports = [r.version for r in facts if isinstance(r.data, ProgressReported)]
        on = draw(st.sampled_from(APRIL))
        if reports and draw(st.booleans()):
            percent, moved = draw(st.integers(0, 100)), draw(st.sampled_from(APRIL))
            now = draw(
                st.sampled_from(
                    [{"percent": percent}, {"occurred_on": moved}, {"percent": percent, "occurred_on": moved}]
                )
            )
            facts.append(recorded(version, correction(draw(st.sampled_from(reports)), **now), on))
        else:
            facts.append(recorded(version, ProgressReported(ActionId("A-1"), draw(st.integers(0, 100))), on))
    return placed(facts)


@settings(max_examples=100, deadline=None)
@given(corrected_histories(), st.data())
def test_what_is_believed_is_the_last_thing_said_before_the_moment(facts: list[Fact], data: st.DataObject) -> None:
    """Against the plainest reading: go through all that was said of a fact, and keep the last."""
    moment = data.draw(st.integers(1, len(facts)))
    day = data.draw(st.sampled_from(APRIL))
    expected, held = [], set()
    for position, fact in ((f.position, f.recorded) for f in facts[:moment]):
        said = {"occurred_on": fact.occurred_on.isoformat(), "percent": getattr(fact.data, "percent", None)}
        for later in (f.recorded for f in facts[:moment]):
            if isinstance(later.data, FactCorrected) and later.data.fact_version == fact.version:
                said |= {change.field: msgspec.json.decode(change.now) for change in later.data.changes}
        of = fact.data.fact_version if isinstance(fact.data, FactCorrected) else 1
        if said["occurred_on"] <= day.isoformat() and (fact.version == 1 or of in held):
            held.add(fact.version)
            expected.append((position, said["percent"]))
    cut = Cutoffs(day, known_at=MORNING + timedelta(minutes=moment)).cut(facts)
    assert [(f.position, getattr(f.recorded.data, "percent", None)) for f in cut] == expected
    assert [f.recorded.version for f in cut] == sorted(f.recorded.version for f in cut)
