"""Actions and promises: what of each counts for which share, and when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cycle.aggregates.framework.adjustment import (
    ActionAdded,
    ActionChange,
    AdjustPlan,
    CarryOverAction,
    NextMeeting,
    OpenReview,
)
from cycle.aggregates.framework.anytime import FrameworkDissolved
from cycle.aggregates.framework.contributions import (
    ContributionReceived,
    PledgeContribution,
    ReceiveContribution,
    RecordRenege,
    WaiveContribution,
)
from cycle.aggregates.framework.meetings import (
    CloseMeeting,
)
from cycle.aggregates.framework.monitoring import AbandonAction, CompleteAction
from cycle.aggregates.framework.plan import AgreePlan, ReopenNegotiation
from cycle.aggregates.framework.proposals import ProposeAction, WithdrawAction
from cycle.aggregates.terms import (
    ActionId,
    DeliberationId,
    Ledger,
    Nature,
    ReviewKind,
    Worth,
)
from cycle.history import Cutoffs
from tests.domain.dioro import (
    A1,
    A2,
    C1,
    C2,
    CASH,
    ENDED,
    MET,
    NEED,
    RICE,
    WINDOW,
    agreed,
    at_the_meeting,
    monitored,
    reviewed,
    second_cycle,
)
from tests.domain.story import correct
from tests.timings.looking import cases, counts, parts
from tests.timings.tales import CASH_DUE, PUMP_DUE, SECOND, TRACK_DUE, YEAR_END, next_plan

A3 = ActionId("A-3")


# M7: actions


def test_before_the_first_plan_there_is_no_action() -> None:
    assert cases("M7", at_the_meeting(), YEAR_END) == []


def test_an_action_counts_for_its_day_once_that_day_has_come() -> None:
    """Given two actions, one completed a day early, when the days come, then each enters the share on its own day."""
    told = monitored().given(CompleteAction(action=A1), on=PUMP_DUE - timedelta(days=1))
    by_day = {
        day: parts("M7", cases("M7", told, day)).get("completed-by-due/agreed")
        for day in (PUMP_DUE - timedelta(days=1), PUMP_DUE, TRACK_DUE)
    }
    assert list(by_day.values()) == [None, (1, 1), (1, 2)]
    [pump, track] = cases("M7", told, YEAR_END)
    assert (pump.late_days, track.late_days) == (-1, None)
    assert counts("M7", [pump, track]) == {"agreed": 2, "plan-running": 2}


@pytest.mark.parametrize(("late", "kept"), [(-1, 1), (0, 1), (1, 0)])
def test_an_action_is_completed_by_its_day_on_that_day_and_not_a_day_late(late: int, kept: int) -> None:
    told = monitored().given(CompleteAction(action=A1), on=PUMP_DUE + timedelta(days=late))
    assert parts("M7", cases("M7", told, YEAR_END))["completed-by-due/agreed"] == (kept, 2)


def test_the_day_is_that_of_the_plan_as_it_was_agreed() -> None:
    """Given a day that an adjustment moves, then the first one counts, and the other one is shown."""
    told = monitored().given(OpenReview(kind=ReviewKind.MID_TERM), on=date(2026, 4, 10))
    change = ActionChange(action=A1, due_on=ENDED)
    told.given(AdjustPlan(causes=("Pluie",), changes=(change,)), on=date(2026, 4, 11))
    told.given(CompleteAction(action=A1), on=ENDED)
    [pump, _] = cases("M7", told, YEAR_END)
    assert (pump.due_on, pump.moved_to, pump.late_days) == (PUMP_DUE, ENDED, 46)
    assert parts("M7", [pump])["completed-by-due/agreed"] == (0, 1)


def test_what_an_adjustment_adds_and_withdraws_is_told_apart() -> None:
    """Given an action added and one withdrawn, then the withdrawn one stays in the share and the added one is apart."""
    told = monitored().given(OpenReview(kind=ReviewKind.MID_TERM), on=date(2026, 4, 10))
    added = ActionAdded(description="Curer le canal", responsible=RICE, due_on=ENDED, needs=(NEED,))
    told.given(AdjustPlan(causes=("Pluie",), added=(added,), dropped=(A2,)), on=date(2026, 4, 11))
    found = cases("M7", told, YEAR_END)
    assert [(each.action, each.added, each.outcome) for each in found] == [
        (A1, False, None),
        (A2, False, "withdrawn"),
        (A3, True, None),
    ]
    assert parts("M7", found) == {"completed-by-due/agreed": (0, 2), "completed-by-due/added": (0, 1)}


def test_how_actions_ended_counts_once_the_cycle_is_closed() -> None:
    told = reviewed().given(CompleteAction(action=A1), AbandonAction(action=A2, reason="Sans moyens"), on=ENDED)
    assert "completed/agreed" not in parts("M7", cases("M7", told, YEAR_END))
    told.given(NextMeeting())
    shares = parts("M7", cases("M7", told, YEAR_END))
    ends = {code: shares[f"{code}/agreed"] for code in ("completed", "carried-over", "abandoned", "withdrawn")}
    assert ends == {"completed": (1, 2), "carried-over": (0, 2), "abandoned": (1, 2), "withdrawn": (0, 2)}


def test_what_is_carried_over_twice_is_said_to_be() -> None:
    """Given an action carried over, and its continuation too, then each counts in its own plan, and it is seen."""
    goes_on = ProposeAction(description="Pompe, suite", continues=A1, responsible=RICE, due_on=SECOND.ends_on)
    told = next_plan(second_cycle(), goes_on)
    told.given(OpenReview(kind=ReviewKind.END), CarryOverAction(action=A3, reason="Encore"), on=SECOND.ends_on)
    told.given(NextMeeting())
    found = cases("M7", told, YEAR_END)
    assert [(each.action, each.cycle, each.carried) for each in found] == [(A1, 1, 1), (A2, 1, 1), (A3, 2, 2)]
    assert parts("M7", found)["carried-over/agreed"] == (3, 3)
    assert counts("M7", found)["carried-again"] == 1


def test_a_plan_that_is_taken_back_has_no_actions() -> None:
    """Given a plan agreed, reopened and agreed anew without one of its actions, then only the other one counts."""
    told = agreed().given(ReopenNegotiation(reason="Erreur"), on=MET)
    assert cases("M7", told, YEAR_END) == []
    told.given(WithdrawAction(action=A2, reason="Trop cher"), AgreePlan(window=WINDOW), on=MET)
    [pump] = cases("M7", told, YEAR_END)
    assert (pump.action, pump.added) == (A1, False)


def test_a_day_after_the_end_of_the_framework_never_comes() -> None:
    """Given a framework dissolved before one of two days, then only the other one is in the share."""
    told = monitored()
    told.now = date(2026, 4, 30)
    told.given_facts(FrameworkDissolved(DeliberationId("d-9"), "person-9", "Fusion"))
    found = cases("M7", told, YEAR_END)
    assert parts("M7", found) == {"completed-by-due/agreed": (0, 1)}
    assert counts("M7", found)["not-due"] == 1


# M8: promises

SAND = PledgeContribution(
    member=RICE,
    ledger=Ledger.ACTION,
    nature=Nature.IN_KIND,
    worth=Worth(None, Decimal(8), "voyages de sable"),
    action=A1,
    due_on=PUMP_DUE,
)


def test_a_promise_is_kept_by_the_day_or_later_and_never_more_than_whole() -> None:
    told = agreed().given(CASH_DUE, on=MET).given(CloseMeeting(minutes="Fini."), on=MET)
    told.given(ReceiveContribution(contribution=C1, worth=Worth(20_000)), on=PUMP_DUE)
    told.given(ReceiveContribution(contribution=C1, worth=Worth(30_000)), on=PUMP_DUE + timedelta(days=1))
    cash = "/cash/XOF"
    before = parts("M8", cases("M8", told, PUMP_DUE - timedelta(days=1)))
    assert before == {f"received{cash}": (0, 50_000)}
    then, after = (parts("M8", cases("M8", told, day)) for day in (PUMP_DUE, YEAR_END))
    assert then == {
        "in-full-by-due": (0, 1),
        f"received-by-due{cash}": (20_000, 50_000),
        f"received{cash}": (20_000, 50_000),
    }
    assert after == {**then, f"received{cash}": (50_000, 50_000)}


def test_more_than_was_promised_is_kept_in_full_and_no_more() -> None:
    """No command takes more than was promised; a log from elsewhere may hold it."""
    told = agreed().given(CASH_DUE, on=MET)
    told.given_facts(ContributionReceived(C1, Worth(70_000)))
    assert parts("M8", cases("M8", told, YEAR_END))["received/cash/XOF"] == (50_000, 50_000)


def test_cash_is_never_added_to_what_is_in_kind() -> None:
    told = agreed().given(CASH_DUE, SAND, CASH, on=MET)
    told.given(ReceiveContribution(contribution=C2, worth=Worth(None, Decimal(8), "voyages de sable")), on=PUMP_DUE)
    [cash, sand] = cases("M8", told, YEAR_END)
    assert (cash.unit, cash.promises, cash.pledged, cash.received, cash.undated) == ("XOF", 2, 100_000, 0, 1)
    assert (sand.unit, sand.promises, sand.pledged, sand.received) == ("voyages de sable", 1, 8, 8)
    assert parts("M8", [cash, sand])["in-full-by-due"] == (1, 2), "what has no day is not due"
    assert {mark.event for mark in sand.events} < {fact.id for fact in told.history}
    assert len(sand.events) == 2


def test_what_is_waived_or_will_not_come_stays_promised() -> None:
    told = agreed().given(CASH_DUE, SAND, on=MET)
    told.given(WaiveContribution(contribution=C1, reason="Sécheresse"), RecordRenege(contribution=C2, reason="Parti"))
    found = cases("M8", told, YEAR_END)
    assert counts("M8", found) == {"promises": 2, "waived": 1, "reneged": 1}
    assert parts("M8", found)["in-full-by-due"] == (0, 2)


def test_a_corrected_delivery_counts_as_it_is_right_and_before_as_it_was_known() -> None:
    """Given a delivery typed too high and set right, then it is right from then on, and was wrong before."""
    told = agreed().given(CASH_DUE, on=MET)
    told.given(ReceiveContribution(contribution=C1, worth=Worth(40_000)), on=PUMP_DUE)
    wrong = told.history[-1].recorded_at
    correct(told, ContributionReceived, worth={"amount_xof": 4_000})
    [now] = cases("M8", told, YEAR_END)
    [then] = cases("M8", told, YEAR_END, Cutoffs(YEAR_END, known_at=wrong))
    assert (now.received_by_due, then.received_by_due) == (4_000, 40_000)
