"""The review, the adjusted plan, and the cycle that closes so that the next can open."""

from __future__ import annotations

from datetime import date

import pytest

from cycle.aggregates.base import Command, Refused
from cycle.aggregates.framework.adjustment import (
    ActionAdded,
    ActionCarriedOver,
    ActionChange,
    AdjustPlan,
    CarryOverAction,
    CarryOverObstacle,
    CycleClosed,
    CycleOpened,
    NextMeeting,
    OpenReview,
    PlanAdjusted,
    PlanReviewed,
    RecordReview,
    ReopenNeeds,
    ReviewOpened,
)
from cycle.aggregates.framework.contributions import ContributionWaived, PledgeContribution, RecordRenege
from cycle.aggregates.framework.monitoring import AbandonAction, CompleteAction, ReportProgress
from cycle.aggregates.framework.needs import NeedsReopened
from cycle.aggregates.framework.obstacles import AcceptObstacle, ObstacleCarriedOver, RaiseObstacle, ResolveObstacle
from cycle.aggregates.framework.plan import AgreedAction
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import ActionStage, Stage
from cycle.aggregates.terms import ActionId, ActionOutcome, Ledger, NeedId, ReviewKind
from tests.domain.dioro import (
    A1,
    A2,
    A9,
    C1,
    CASH,
    ENDED,
    FISH,
    MAIRIE,
    NEED,
    NOBODY,
    O1,
    O9,
    RICE,
    WINDOW,
    monitored,
    reviewed,
    settled,
)

APRIL = date(2026, 4, 10)
JUNE = date(2026, 6, 1)
MID, END, OVERDUE = ReviewKind.MID_TERM, ReviewKind.END, ReviewKind.OVERDUE


@pytest.mark.parametrize(("kind", "on"), [(MID, APRIL), (END, ENDED), (END, JUNE), (OVERDUE, JUNE)])
def test_a_review_opens_in_the_middle_or_when_the_window_is_over(kind: ReviewKind, on: date) -> None:
    told = (
        monitored().when(OpenReview(kind=kind), on=on).then(ReviewOpened, cycle=1, kind=kind, due_on=ENDED, checks=())
    )
    assert told.state.stage is Stage.ADJUSTMENT


@pytest.mark.parametrize(
    ("kind", "on", "codes"),
    [
        (MID, ENDED, ["too-late-for-mid-term"]),
        (MID, JUNE, ["too-late-for-mid-term"]),
        (END, APRIL, ["window-still-runs"]),
        (OVERDUE, APRIL, ["window-still-runs"]),
        (OVERDUE, ENDED, ["not-overdue"]),
    ],
)
def test_a_review_is_called_what_it_is(kind: ReviewKind, on: date, codes: list[str]) -> None:
    monitored().when(OpenReview(kind=kind), on=on).refused(*codes)


def test_an_obstacle_that_stops_an_action_is_reason_to_end_early() -> None:
    told = monitored().given(RaiseObstacle(description="Crue", severity=2)).when(OpenReview(kind=END), on=APRIL)
    told.refused("window-still-runs")
    told.given(RaiseObstacle(description="Pompe volée", severity=3), on=APRIL)
    told.when(OpenReview(kind=END), on=APRIL).then(ReviewOpened, kind=END)
    [seen] = told.outcome[0].checks
    assert (seen.code, seen.article, seen.met) == ("severe-obstacle", "wocat-pact-1/15", True)


def test_a_review_notes_what_was_measured_and_learnt() -> None:
    reviewed().when(RecordReview(findings="Deux sur trois", lessons=("Convoquer tôt",))).then(PlanReviewed, cycle=1)


def test_a_plan_is_adjusted_inside_its_window() -> None:
    told = monitored().given(ReportProgress(action=A1, percent=40), OpenReview(kind=MID), on=APRIL)
    adjust = AdjustPlan(
        causes=("La pièce manque",),
        changes=(ActionChange(A1, responsible=FISH, due_on=date(2026, 5, 20)),),
        added=(ActionAdded("Louer une pompe", MAIRIE, date(2026, 5, 1), (NEED,)),),
        dropped=(A2,),
    )
    told.when(adjust, on=APRIL).then(PlanAdjusted, cycle=1, plan_version=2, dropped=(A2,))
    assert told.outcome[0].actions == (
        AgreedAction(A1, "Réparer la motopompe", FISH, date(2026, 5, 20), (NEED,)),
        AgreedAction(ActionId("A-3"), "Louer une pompe", MAIRIE, date(2026, 5, 1), (NEED,)),
    )
    state = told.state
    assert state.stage is Stage.MONITORING
    assert state.plan is not None
    assert (state.plan.version, state.plan.window) == (2, WINDOW)
    assert state.actions[A1].percent == 40
    assert state.actions[ActionId("A-3")].stage is ActionStage.AGREED
    told.when(ReportProgress(action=A2, percent=10)).refused("unknown-action")


def test_what_was_promised_for_a_dropped_action_is_waived() -> None:
    told = monitored().given(CASH, OpenReview(kind=MID), on=APRIL)
    told.when(AdjustPlan(causes=("Doublon",), dropped=(A1,)), on=APRIL).then(PlanAdjusted, ContributionWaived)
    assert told.outcome[1] == ContributionWaived(C1, "Doublon")


CHANGE = ActionChange(A1, description="Mieux")
ADDED = ActionAdded("Louer une pompe", MAIRIE, date(2026, 5, 1), (NEED,))


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"causes": ()}, ["no-cause-named"]),
        ({"changes": ()}, ["nothing-adjusted"]),
        ({"changes": (CHANGE, CHANGE)}, ["named-twice"]),
        ({"dropped": (A1,)}, ["named-twice"]),
        ({"changes": (), "dropped": (A1, A2)}, ["nothing-left-of-the-plan"]),
        ({"changes": (ActionChange(A9, "?"),)}, ["unknown-action"]),
        ({"dropped": (A9,)}, ["unknown-action"]),
        ({"changes": (ActionChange(A1, responsible=NOBODY),)}, ["unknown-member"]),
        ({"changes": (ActionChange(A1, due_on=JUNE),)}, ["due-outside-window"]),
        ({"added": (ActionAdded("?", MAIRIE, date(2026, 5, 1)),)}, ["added-answers-nothing"]),
        ({"added": (ActionAdded("?", NOBODY, JUNE, (NEED,)),)}, ["unknown-member", "due-outside-window"]),
        ({"added": (ActionAdded("?", RICE, APRIL, (NeedId("N-9"),), (O9,)),)}, ["unknown-need", "unknown-obstacle"]),
    ],
)
def test_an_adjustment_must_make_sense(said: dict[str, object], codes: list[str]) -> None:
    told = monitored().given(OpenReview(kind=MID), on=APRIL)
    told.when(AdjustPlan(**{"causes": ("Crue",), "changes": (CHANGE,), **said}), on=APRIL).refused(*codes)


def test_what_has_its_outcome_is_not_adjusted() -> None:
    told = monitored().given(CompleteAction(action=A1), OpenReview(kind=MID), on=APRIL)
    told.when(AdjustPlan(causes=("?",), changes=(CHANGE,)), on=APRIL).refused("action-is-final")


def test_after_the_window_there_is_a_next_plan_not_an_adjusted_one() -> None:
    told = reviewed()
    told.when(AdjustPlan(causes=("Retard",), changes=(CHANGE,)), on=JUNE).refused("window-is-over")


@pytest.mark.parametrize("close", [NextMeeting(), ReopenNeeds(reason="Nouveaux besoins")], ids=lambda c: c.type)
def test_a_cycle_closes_when_everything_is_decided(close: Command) -> None:
    told = monitored().given(CASH, RaiseObstacle(description="Crue", severity=1), OpenReview(kind=END), on=ENDED)
    told.given(WithdrawMember(member=RICE, reason="Scission"), on=ENDED)
    told.when(close).refused("action-without-outcome", "obstacle-without-decision", "pledge-of-departed-member")
    assert isinstance(told.outcome, Refused)
    named = [f.values["action"] for f in told.outcome.findings if f.code == "action-without-outcome"]
    assert named == [A1, A2]
    told.given(
        CompleteAction(action=A1), AbandonAction(action=A2, reason="Crue"), AcceptObstacle(obstacle=O1, reason="?")
    )
    told.when(close).refused("pledge-of-departed-member")
    told.given(RecordRenege(contribution=C1, reason="Scission")).when(close)
    assert not isinstance(told.outcome, Refused)


def test_the_next_cycle_begins_with_its_meeting() -> None:
    told = reviewed().given(CompleteAction(action=A1), CarryOverAction(action=A2, reason="Pas fini"))
    told.given(RaiseObstacle(description="Crue", severity=1), CarryOverObstacle(obstacle=O1))
    told.when(NextMeeting()).then(CycleClosed, CycleOpened, cycle=1, carried_obstacles=(O1,))
    outcomes = {settled.action: settled.outcome for settled in told.outcome[0].actions}
    assert outcomes == {A1: ActionOutcome.COMPLETED, A2: ActionOutcome.CARRIED_OVER}
    state = told.state
    assert (state.stage, state.cycle) == (Stage.MEETING, 2)
    assert list(state.actions) == [A2]
    assert state.meeting is None
    assert NEED not in state.needs


def test_a_need_stays_open_until_an_action_for_it_is_completed() -> None:
    told = reviewed().given(AbandonAction(action=A1, reason="Crue"), CarryOverAction(action=A2, reason="Pas fini"))
    assert NEED in told.given(NextMeeting()).state.needs


def test_the_needs_are_identified_again_where_they_have_changed() -> None:
    told = settled().when(ReopenNeeds(reason="Inondation", due_on=date(2026, 7, 1)))
    told.then(CycleClosed, CycleOpened, NeedsReopened)
    assert told.state.stage is Stage.NEEDS_IDENTIFICATION
    assert told.state.needs_due_on == date(2026, 7, 1)


def test_carried_actions_wait_to_be_continued() -> None:
    told = settled().given(NextMeeting())
    assert set(told.state.actions) == {A1, A2}
    assert not told.state.negotiated()


def test_an_action_and_an_obstacle_are_carried_over_once() -> None:
    settled().when(CarryOverAction(action=A1, reason="?")).refused("no-action-runs")
    told = reviewed().when(CarryOverAction(action=A1, reason="Pas fini")).then(ActionCarriedOver, cycle=1)
    told.when(CarryOverAction(action=A1, reason="?")).refused("action-is-final")
    told.when(CarryOverAction(action=A9, reason="?")).refused("unknown-action")
    told.when(CarryOverObstacle(obstacle=O1)).refused("no-open-obstacle")
    told.given(RaiseObstacle(description="Crue", severity=1)).when(CarryOverObstacle(obstacle=O9))
    told.refused("unknown-obstacle")
    told.when(CarryOverObstacle(obstacle=O1)).then(ObstacleCarriedOver)
    told.when(ResolveObstacle(obstacle=O1, how="?")).refused("no-open-obstacle")


def test_open_promises_of_members_go_on_into_the_next_cycle() -> None:
    told = monitored().given(CASH, OpenReview(kind=END), on=ENDED)
    told.given(CarryOverAction(action=A1, reason="?"), AbandonAction(action=A2, reason="?"))
    assert C1 in told.given(NextMeeting()).state.contributions


def test_a_promise_for_the_approach_needs_no_review() -> None:
    pledge = PledgeContribution(
        member=RICE, ledger=Ledger.APPROACH, nature=CASH.nature, worth=CASH.worth, due_on=date(2026, 9, 1)
    )
    told = monitored().given(pledge).given(OpenReview(kind=END), on=ENDED)
    told.given(CompleteAction(action=A1), CompleteAction(action=A2)).when(NextMeeting()).then(CycleClosed, CycleOpened)
