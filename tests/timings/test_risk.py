"""Frameworks at risk: by what each sign is seen, and when it is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.framework.adjustment import CarryOverAction, NextMeeting, OpenReview
from cycle.aggregates.framework.anytime import Resume, Suspend
from cycle.aggregates.framework.committee import DefineMandate, InstallCommittee
from cycle.aggregates.framework.contributions import ReceiveContribution, WaiveContribution
from cycle.aggregates.framework.meetings import AdjournMeeting, CloseMeeting, ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.monitoring import CompleteAction, StartMonitoring
from cycle.aggregates.framework.obstacles import AgreeSolution, RaiseObstacle
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import AdjournReason, ObstacleId, ReviewKind, Worth
from cycle.catalogue import LANGUAGES, Language, text
from cycle.history import EVERYTHING, Cutoffs, Fact
from cycle.policy import sample
from cycle.projections.runs import MeetingRunRow
from cycle.projections.spells import CycleIntervalRow, Mark, PolicyRunRow, StageVisitRow
from cycle.reading import Filters, Reader
from cycle.timings.risk import at_risk
from cycle.timings.sheets import ALWAYS, Sheet, sheets
from cycle.timings.signs import PROJECTIONS, SIGNS, Look, Seen
from tests.cli.run import Cli
from tests.domain.dioro import (
    A1,
    C1,
    ENDED,
    EVERYBODY,
    MAIRIE,
    MET,
    PUMP,
    RICE,
    SEATS,
    WINDOW,
    agreed,
    at_the_meeting,
    convened,
    monitored,
)
from tests.domain.story import Story
from tests.http.town import API, served
from tests.timings.looking import facts, rows_of, walk_of
from tests.timings.tales import CASH_DUE, PUMP_DUE, SECOND, TRACK_DUE, next_plan, with_two_needs

PACT = sample()


def days(many: int) -> timedelta:
    return timedelta(days=many)


def seen(told: Story | list[Fact], on: date) -> dict[str, Seen]:
    """The signs that are seen of a history on a day."""
    history = facts(told.history) if isinstance(told, Story) else told
    found: dict[str, Seen] = {}
    for sheet in sheets(rows_of(history, Cutoffs(as_of=on)), PROJECTIONS, on):
        look = Look(sheet, PACT)
        found |= {code: one for code, sign in SIGNS.items() if (one := sign.seen(look))}
    return found


def of(told: Story, sign: str, on: date) -> tuple[int, int, tuple[str, ...], str | None] | None:
    """Value, limit, what it is about and the article of one sign; None: it is not seen."""
    one = seen(told, on).get(sign)
    return (one.value, one.limit, one.about, one.article) if one else None


def test_a_framework_that_does_what_it_should_shows_nothing() -> None:
    assert seen(monitored(), date(2026, 4, 1)) == {}


def test_a_plan_is_over_until_its_review_is_opened() -> None:
    told = monitored()
    assert of(told, "plan-over", ENDED) is None
    assert of(told, "plan-over", ENDED + days(5)) == (5, 0, (), None)
    told.given(OpenReview(kind=ReviewKind.OVERDUE), on=ENDED + days(6))
    assert of(told, "plan-over", ENDED + days(60)) is None


def test_without_a_usual_length_a_turn_is_long_after_two_of_the_longest_plans() -> None:
    told, limit = monitored(), 184
    assert of(told, "long-turn", MET + days(limit)) is None
    assert of(told, "long-turn", MET + days(limit + 1)) == (185, 184, (), "wocat-pact-1/9")
    proposed = at_the_meeting()
    begun = proposed.history[0].occurred_on
    assert of(proposed, "long-turn", begun + days(181)) is None
    assert of(proposed, "long-turn", begun + days(200)) is not None, "nor does it take so long to the first plan"


DAY = date(2024, 1, 1)
NAMED: dict[str, Any] = {"commune": "ML-4-01-01", "framework": "f"}


def mark(version: int, day: int) -> Mark:
    return Mark(f"e{version}", version, DAY + days(day), datetime(2024, 1, 1, tzinfo=UTC))


def sheet(on: date, **rows: list[Any]) -> Sheet:
    """A framework made of rows."""
    own: dict[str, Any] = {each.name: () for each in (*ALWAYS, *PROJECTIONS)}
    own["cycle_interval"] = [CycleIntervalRow(cycle=0, began=mark(1, 0), **NAMED)]
    own["stage_visit"] = [StageVisitRow(stage=Stage.MEETING, entered=mark(1, 0), **NAMED)]
    own["policy_run"] = [PolicyRunRow(policy=PACT.name, since=mark(1, 0), **NAMED)]
    return Sheet("f", on, own | rows)


def test_a_turn_is_long_against_those_of_the_same_framework() -> None:
    """Given six turns of 90 to 110 days, then 120 days are long, where the policy alone would not say so."""
    ends = [0, 100, 190, 300, 400, 500, 600]
    turns = [
        CycleIntervalRow(cycle=n, began=mark(n, begin), ended=mark(n + 1, end), **NAMED)
        for n, (begin, end) in enumerate(pairwise(ends), 1)
    ]
    turns.append(CycleIntervalRow(cycle=7, began=mark(7, 600), **NAMED))
    limit = int(100 + 2.66 * (10 + 20 + 10) / 5)
    for on, expected in ((limit, None), (limit + 1, limit + 1)):
        found = SIGNS["long-turn"].seen(Look(sheet(DAY + days(600 + on), cycle_interval=turns), PACT))
        assert (found and (found.value, found.limit, found.article)) == (expected and (expected, limit, None))


def test_no_meeting_is_opened_for_longer_than_a_plan_lasts() -> None:
    told = monitored()
    assert of(told, "no-meeting", MET + days(92)) is None
    assert of(told, "no-meeting", MET + days(93)) == (93, 92, ("M-1",), "wocat-pact-1/9")
    assert of(at_the_meeting(), "no-meeting", date(2026, 12, 31)) is None, "there has been none yet"


def test_a_meeting_could_not_be_opened_until_one_is() -> None:
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    told.given(AdjournMeeting(reason=AdjournReason.NO_QUORUM, explanation="Pluie", attendance=EVERYBODY[:1]), on=MET)
    assert of(told, "not-opened", MET) == (1, 0, ("M-1",), None)
    told.given(ConveneMeeting(held_on=MET + days(10), place="Mairie"), on=MET + days(1))
    told.given(OpenMeeting(attendance=EVERYBODY), on=MET + days(10))
    assert of(told, "not-opened", MET + days(10)) is None


@pytest.mark.parametrize(
    ("came", "expected"), [([20, 20, 12], None), ([20, 20, 11], 55), ([20, 11], None), ([0, 0, 5], None)]
)
def test_attendance_falls_against_the_framework_itself(came: list[int], expected: int | None) -> None:
    rows = [
        MeetingRunRow(meeting=f"M-{n}", held=mark(n, n), opened=True, listed=True, women=people, **NAMED)
        for n, people in enumerate(came, 1)
    ]
    found = SIGNS["attendance-falls"].seen(Look(sheet(DAY + days(9), meeting_run=rows), PACT))
    assert (found and found.value) == expected


def test_a_severe_obstacle_is_open_until_a_solution_is_agreed() -> None:
    told = monitored().given(
        RaiseObstacle(description="Bruit", severity=2), RaiseObstacle(description="Crue", severity=3)
    )
    assert of(told, "severe-obstacles", told.now) == (1, 0, ("O-2",), "wocat-pact-1/15")
    told.given(AgreeSolution(obstacle=ObstacleId("O-2"), solution="Digue", responsible=MAIRIE))
    assert of(told, "severe-obstacles", told.now) is None


def test_promises_are_overdue_until_they_come_or_are_given_up() -> None:
    told = agreed().given(CASH_DUE, on=MET)
    assert of(told, "promises-overdue", PUMP_DUE) is None
    assert of(told, "promises-overdue", PUMP_DUE + days(1)) == (100, 25, (C1,), None)
    partly = agreed().given(CASH_DUE, on=MET).given(ReceiveContribution(contribution=C1, worth=Worth(49_999)))
    assert of(partly, "promises-overdue", PUMP_DUE + days(1)) is not None
    for settled in (
        ReceiveContribution(contribution=C1, worth=Worth(50_000)),
        WaiveContribution(contribution=C1, reason="Sécheresse"),
    ):
        done = agreed().given(CASH_DUE, on=MET).given(settled)
        assert of(done, "promises-overdue", PUMP_DUE + days(1)) is None


def test_actions_are_late_when_more_than_half_of_those_due_are() -> None:
    told = monitored()
    assert of(told, "actions-late", PUMP_DUE) is None
    assert of(told, "actions-late", TRACK_DUE + days(1)) == (100, 50, ("A-1", "A-2"), None)
    told.given(CompleteAction(action=A1))
    assert of(told, "actions-late", TRACK_DUE + days(1)) is None


def test_a_need_is_passed_by_after_two_plans_without_it() -> None:
    told = with_two_needs()
    convened(told, MET).given(PUMP, AgreePlan(window=WINDOW), CloseMeeting(minutes="Fini."), on=MET)
    told.given(InstallCommittee(seats=SEATS), DefineMandate(tasks=("Suivre",)), StartMonitoring(), on=MET)
    assert of(told, "needs-passed-by", MET) is None
    told.given(OpenReview(kind=ReviewKind.END), CarryOverAction(action=A1, reason="Encore"), NextMeeting(), on=ENDED)
    goes_on = ProposeAction(description="Suite", continues=A1, responsible=RICE, due_on=SECOND.ends_on)
    next_plan(told, goes_on)
    assert of(told, "needs-passed-by", told.now) == (1, 0, ("N-2",), None)


def test_a_framework_is_suspended_until_it_is_taken_up_again() -> None:
    told = monitored().given(Suspend(reason="Insécurité"), on=date(2026, 4, 1))
    assert of(told, "suspended", date(2026, 4, 11)) == (10, 0, (), None)
    told.given(Resume(reason="Calme"), on=date(2026, 4, 20))
    assert of(told, "suspended", date(2026, 4, 21)) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 24), st.integers(0, 400))
def test_each_sign_leads_to_facts_and_lies_beyond_its_limit(seed: int, later: int) -> None:
    history = walk_of(seed)
    on = max(fact.recorded.occurred_on for fact in history) + days(later)
    known = {fact.recorded.id for fact in history}
    for code, one in seen(history, on).items():
        assert one.events
        assert {each.event for each in one.events} <= known
        assert one.value < one.limit if code == "attendance-falls" else one.value >= one.limit


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sign_has_its_sentence(language: Language) -> None:
    for code in SIGNS:
        said = text(f"risk.{code}", language, "", value=7, limit=3, about=("A-1", "A-2"))
        assert "7" in said


def test_the_most_points_come_first_and_are_the_sum_of_their_parts(reader: Reader) -> None:
    whole = at_risk(reader, Filters(), Cutoffs(as_of=date(2024, 3, 1)))
    totals = [each.total for each in whole.at_risk]
    assert totals == sorted(totals, reverse=True)
    assert len(totals) > 2
    for each in whole.at_risk:
        assert each.total == sum(part.points for part in each.parts)
        assert all(part.points == SIGNS[part.sign].points for part in each.parts)
    paged: list[str] = []
    after = ""
    while True:
        page = at_risk(reader, Filters(), Cutoffs(as_of=date(2024, 3, 1)), 2, after)
        paged += [each.framework for each in page.at_risk]
        if page.next is None:
            break
        after = page.next
    assert paged == [each.framework for each in whole.at_risk]


def test_a_dissolved_framework_is_at_no_risk(reader: Reader) -> None:
    now = at_risk(reader, Filters(), EVERYTHING)
    frameworks = reader.frameworks()
    gone = {row.framework for row in frameworks if row.stage is Stage.DISSOLVED}
    assert now.dissolved == len(gone)
    assert now.frameworks == len(frameworks) - len(gone)
    assert not gone & {each.framework for each in now.at_risk}


def test_command_line_and_api_say_the_same_and_that_it_is_no_prediction(cli: Cli, reader: Reader) -> None:
    assert "Ce n'est pas une prévision" in cli("timings", "risk").out
    english = cli("timings", "risk", "--commune", "Dioro", lang="en").out
    assert "This is no prediction" in english
    assert "1 framework looked at" in english
    with served(reader.engine, "operator") as client:
        assert client.get(f"{API}/timings/risk?limit=500").json() == cli("--json", "timings", "risk").json
    assert "Aucun signe" in cli("timings", "risk", "--as-of", "2001-01-01").out
