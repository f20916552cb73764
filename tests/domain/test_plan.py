"""The negotiated plan: what may be proposed and agreed."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import Refused
from cycle.aggregates.framework.adjustment import CarryOverAction, NextMeeting, OpenReview
from cycle.aggregates.framework.contributions import (
    ContributionWaived,
    ReceiveContribution,
)
from cycle.aggregates.framework.meetings import CloseMeeting, ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.monitoring import StartAction
from cycle.aggregates.framework.plan import (
    ActionRegisteredInPdesc,
    AgreePlan,
    PlanAgreed,
    PlanNotAgreed,
    PlanWithdrawn,
    RecordDisagreement,
    RegisterInPdesc,
    ReopenNegotiation,
    add_months,
)
from cycle.aggregates.framework.proposals import (
    ActionAmended,
    ActionProposed,
    ActionsRanked,
    ActionWithdrawn,
    AmendAction,
    ProposeAction,
    RankActions,
    WithdrawAction,
)
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import ActionStage, Stage
from cycle.aggregates.terms import Ledger, MemberId, NeedId, Presence, ReviewKind, Window, Worth
from tests.domain.dioro import (
    A1,
    A2,
    A9,
    C1,
    CASH,
    FISH,
    MAIRIE,
    MET,
    NEED,
    NOBODY,
    O9,
    PUMP,
    RICE,
    WINDOW,
    agreed,
    at_the_meeting,
    convened,
    in_session,
    monitored,
    planned,
    proposed,
    second_cycle,
)

APRIL = date(2026, 4, 1)


def test_an_action_is_proposed_before_the_meeting_or_in_it() -> None:
    at_the_meeting().when(PUMP).then(ActionProposed, action=A1, cycle=1, responsible=RICE)
    in_session().when(PUMP).then(ActionProposed, action=A1)


def test_numbers_never_come_twice() -> None:
    proposed().given(WithdrawAction(action=A2, reason="Doublon")).when(PUMP).then(ActionProposed, action="A-3")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"needs": ("N-9",)}, "unknown-need"),
        ({"needs": (NEED, NEED)}, "named-twice"),
        ({"obstacles": (O9,)}, "unknown-obstacle"),
        ({"sector": "cotton"}, "sector-not-prioritised"),
        ({"responsible": NOBODY}, "unknown-member"),
        ({"continues": A9}, "not-carried-over"),
    ],
)
def test_a_proposal_refers_to_what_exists(wrong: dict[str, object], code: str) -> None:
    in_session().when(ProposeAction(**{"description": "Piste", **wrong})).refused(code)


def test_every_mistake_is_named_at_once() -> None:
    wrong = ProposeAction(description="Piste", sector="cotton", needs=(NeedId("N-9"),), responsible=NOBODY)
    in_session().when(wrong).refused("sector-not-prioritised", "unknown-need", "unknown-member")


def test_an_action_of_the_next_plan_continues_an_unfinished_one() -> None:
    told = second_cycle().when(ProposeAction(description="Finir la pompe", continues=A1))
    told.then(ActionProposed, action="A-3", cycle=2, continues=A1)


def test_what_an_amendment_leaves_out_stays() -> None:
    told = proposed().when(AmendAction(action=A1, description="Remplacer la motopompe"))
    told.then(ActionAmended, description="Remplacer la motopompe")
    assert told.state.actions[A1].responsible == RICE
    assert told.state.actions[A1].needs == (NEED,)


@pytest.mark.parametrize(
    ("amendment", "codes"),
    [
        (AmendAction(action=A9, description="?"), ["unknown-action"]),
        (AmendAction(action=A1), ["nothing-amended"]),
        (AmendAction(action=A1, responsible=NOBODY), ["unknown-member"]),
        (AmendAction(action=A1, needs=(NeedId("N-9"),), obstacles=(O9,)), ["unknown-need", "unknown-obstacle"]),
    ],
)
def test_an_amendment_must_make_sense(amendment: AmendAction, codes: list[str]) -> None:
    proposed().when(amendment).refused(*codes)


def test_what_was_promised_for_a_withdrawn_action_is_waived() -> None:
    told = proposed().given(CASH, on=MET).when(WithdrawAction(action=A1, reason="Déjà réparée"))
    told.then(ActionWithdrawn, ContributionWaived, action=A1)
    assert not told.state.contributions


@pytest.mark.parametrize(
    "command",
    [AmendAction(action=A1, description="?"), WithdrawAction(action=A1, reason="?"), RankActions(ranked=(A1,))],
)
def test_without_a_proposal_there_is_nothing_to_change(command: AmendAction) -> None:
    in_session().when(command).refused("no-action-proposed")


def test_the_plan_lists_its_actions_as_they_were_ranked() -> None:
    told = proposed().when(RankActions(ranked=(A2, A1)), on=MET).then(ActionsRanked)
    told.when(AgreePlan(window=WINDOW), on=MET).then(PlanAgreed)
    assert [item.action for item in told.outcome[0].actions] == [A2, A1]


@pytest.mark.parametrize(
    ("ranked", "code"),
    [((A1,), "actions-not-ranked"), ((A1, A2, A1), "named-twice"), ((A1, A2, A9), "unknown-action")],
)
def test_a_ranking_names_every_action_once(ranked: tuple[str, ...], code: str) -> None:
    proposed().when(RankActions(ranked=ranked)).refused(code)


def test_the_third_round_without_agreement_is_a_deadlock() -> None:
    no = RecordDisagreement(objections=("La piste d'abord",))
    told = proposed().when(no, on=MET).then(PlanNotAgreed, round=1, deadlock=False)
    told.when(no, on=MET).then(PlanNotAgreed, round=2, deadlock=False)
    told.when(no, on=MET).then(PlanNotAgreed, round=3, deadlock=True)
    told.when(AgreePlan(window=WINDOW), on=MET).then(PlanAgreed)


def test_a_disagreement_names_its_objections_and_needs_a_session() -> None:
    proposed().when(RecordDisagreement(objections=())).refused("no-objection-named")
    at_the_meeting().when(RecordDisagreement(objections=("Non",))).refused("no-meeting-pending")


def test_an_agreed_plan_states_all_that_was_agreed() -> None:
    told = proposed().given(CASH, on=MET).when(AgreePlan(window=WINDOW, objections=("Trop court",)), on=MET)
    told.then(PlanAgreed, cycle=1, plan_version=1, window=WINDOW, meeting="M-1", contributions=(C1,))
    [plan] = told.outcome
    assert [(item.action, item.responsible) for item in plan.actions] == [(A1, RICE), (A2, MAIRIE)]
    assert {check.code for check in plan.checks} == {"no-quorum", "constituency-absent", "window-too-long"}
    assert all(check.met for check in plan.checks)
    assert told.state.stage is Stage.PLAN
    assert told.state.actions[A1].stage is ActionStage.AGREED


def test_no_plan_without_a_session_or_without_actions() -> None:
    at_the_meeting().given(PUMP).when(AgreePlan(window=WINDOW), on=MET).refused("no-meeting-pending")
    in_session().when(AgreePlan(window=WINDOW), on=MET).refused("no-action-proposed")


def test_an_incomplete_action_is_named_with_what_it_lacks() -> None:
    told = in_session().given(ProposeAction(description="Marché"), on=MET).when(AgreePlan(window=WINDOW), on=MET)
    told.refused("action-answers-nothing", "action-without-responsible", "action-without-due-date")
    assert isinstance(told.outcome, Refused)
    assert {finding.values["action"] for finding in told.outcome.findings} == {A1}


def test_a_responsible_member_that_left_is_replaced_before_the_plan_is_agreed() -> None:
    told = proposed().given(WithdrawMember(member=RICE, reason="Scission"), on=MET)
    told.when(AgreePlan(window=WINDOW), on=MET).refused("action-without-responsible")
    told.given(AmendAction(action=A1, responsible=FISH), on=MET).when(AgreePlan(window=WINDOW), on=MET)
    told.then(PlanAgreed)


def test_an_emptied_constituency_blocks_the_plan() -> None:
    told = proposed().given(AmendAction(action=A2, responsible=FISH), on=MET)
    told.given(WithdrawMember(member=MAIRIE, reason="Conflit"), on=MET)
    told.when(AgreePlan(window=WINDOW), on=MET).refused("constituency-absent")


def test_a_constituency_that_stayed_at_home_blocks_the_plan() -> None:
    told = at_the_meeting().given(PUMP, ConveneMeeting(held_on=MET, place="Mairie"))
    came = tuple(Presence(MemberId(f"MB-{n}"), women=1) for n in (2, 3, 4))
    told.given(OpenMeeting(attendance=came), on=MET)
    told.when(AgreePlan(window=WINDOW), on=MET).refused("constituency-absent")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values["members"] == ("MB-1 Organisation 0",)


@pytest.mark.parametrize(
    ("window", "codes"),
    [
        (Window(date(2026, 5, 31), date(2026, 3, 2)), ["window-ends-before-it-starts", "due-outside-window"]),
        (Window(date(2026, 3, 2), date(2026, 6, 2)), ["window-too-long"]),
        (Window(date(2026, 2, 28), date(2026, 5, 27)), ["window-begins-before"]),
        (Window(APRIL, date(2026, 5, 9)), ["due-outside-window"]),
        (Window(date(2026, 4, 16), date(2026, 6, 30)), ["due-outside-window"]),
        (Window(date(9999, 12, 1), date(9999, 12, 31)), ["not-a-day-to-plan", "window-too-long", "due-outside-window"]),
    ],
)
def test_a_window_is_short_and_begins_when_it_is_agreed(window: Window, codes: list[str]) -> None:
    proposed().when(AgreePlan(window=window), on=MET).refused(*codes)


def test_three_calendar_months_to_the_day_are_not_too_long() -> None:
    proposed().when(AgreePlan(window=Window(date(2026, 3, 2), date(2026, 6, 1))), on=MET).then(PlanAgreed)


def test_a_plan_that_is_recorded_late_may_have_begun() -> None:
    told = proposed().know(late_record=True)
    told.when(AgreePlan(window=Window(date(2026, 2, 28), date(2026, 5, 27))), on=MET).then(PlanAgreed)


def test_the_next_plan_begins_once_the_last_is_closed() -> None:
    told = convened(second_cycle(), date(2026, 6, 10))
    closed = told.state.plan.closed_on
    action = ProposeAction(description="Finir", continues=A1, responsible=RICE, due_on=date(2026, 7, 1))
    told.given(action, on=date(2026, 6, 10)).know(late_record=True)
    early = Window(date(2026, 5, 20), date(2026, 8, 1))
    told.when(AgreePlan(window=early), on=date(2026, 6, 10)).refused("window-overlaps")
    assert closed is not None
    after = Window(date(2026, 6, 1), date(2026, 8, 31))
    told.when(AgreePlan(window=after), on=date(2026, 6, 10)).then(PlanAgreed, cycle=2)


def test_a_cycle_closed_early_makes_room_for_the_next_plan() -> None:
    told = monitored().given(OpenReview(kind=ReviewKind.MID_TERM), on=APRIL)
    told.given(*(CarryOverAction(action=a, reason="Recentrer") for a in (A1, A2)), NextMeeting(), on=APRIL)
    convened(told, date(2026, 4, 10))
    action = ProposeAction(description="Finir", continues=A1, responsible=RICE, due_on=date(2026, 5, 1))
    told.given(action, on=date(2026, 4, 10))
    told.when(AgreePlan(window=Window(date(2026, 4, 11), date(2026, 6, 30))), on=date(2026, 4, 10)).then(PlanAgreed)


def test_a_plan_that_has_not_started_is_taken_back_to_the_meeting() -> None:
    told = planned().when(ReopenNegotiation(reason="Le budget est tombé"))
    told.then(PlanWithdrawn, cycle=1, actions=(A1, A2))
    assert told.state.stage is Stage.MEETING
    assert told.state.plan is None
    assert told.state.actions[A1].stage is ActionStage.PROPOSED


def test_a_new_meeting_agrees_what_was_reopened() -> None:
    told = planned().given(ReopenNegotiation(reason="Le budget est tombé"))
    told.when(AgreePlan(window=WINDOW)).refused("no-meeting-pending")
    convened(told, date(2026, 3, 20)).when(
        AgreePlan(window=Window(date(2026, 3, 20), date(2026, 6, 1))), on=date(2026, 3, 20)
    )
    told.then(PlanAgreed, cycle=1)


@pytest.mark.parametrize("arrived", [20_000, 50_000])
def test_what_has_arrived_cannot_be_negotiated_away(arrived: int) -> None:
    """Also when the promise is kept in full and has left the state."""
    told = proposed().given(CASH, AgreePlan(window=WINDOW), CloseMeeting(minutes="PV"), on=MET)
    told.given(ReceiveContribution(contribution=C1, worth=Worth(arrived)))
    told.when(ReopenNegotiation(reason="Changer")).refused("plan-has-started")


def test_money_for_the_approach_does_not_start_the_plan() -> None:
    told = proposed().given(replace(CASH, ledger=Ledger.APPROACH, action=None), AgreePlan(window=WINDOW), on=MET)
    told.given(ReceiveContribution(contribution=C1, worth=Worth(50_000)))
    told.when(ReopenNegotiation(reason="Changer")).then(PlanWithdrawn)


def test_an_action_is_registered_in_the_development_plan_once() -> None:
    told = planned().when(RegisterInPdesc(action=A1, reference="PDESC 2026/12")).then(ActionRegisteredInPdesc)
    told.when(RegisterInPdesc(action=A1, reference="PDESC 2026/13")).refused("registered-already")
    told.when(RegisterInPdesc(action=A9, reference="PDESC 2026/13")).refused("unknown-action")


def test_actions_are_started_in_monitoring_not_before() -> None:
    agreed().when(StartAction(action=A1)).refused("wrong-stage")


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 10, 31), 3, date(2027, 1, 31)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(9999, 12, 1), 3, date.max),
    ],
)
def test_calendar_months_are_added(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later
