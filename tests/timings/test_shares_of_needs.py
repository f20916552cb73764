"""Needs, meetings and recording: what of each counts for which share, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec import structs

from cycle.aggregates.framework.adjustment import (
    ActionAdded,
    AdjustPlan,
    NextMeeting,
    OpenReview,
)
from cycle.aggregates.framework.committee import DefineMandate, InstallCommittee
from cycle.aggregates.framework.meetings import (
    AdjournMeeting,
    CloseMeeting,
    ConveneMeeting,
    MeetingAdjourned,
    MeetingOpened,
    OpenMeeting,
)
from cycle.aggregates.framework.monitoring import CompleteAction, StartMonitoring
from cycle.aggregates.framework.needs import NeedWithdrawn
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.terms import (
    ActionId,
    AdjournReason,
    MeetingId,
    NeedId,
    Presence,
    ReviewKind,
)
from tests.domain.dioro import (
    A1,
    ENDED,
    FISH,
    MAIRIE,
    MET,
    NEED,
    PUMP,
    RICE,
    SEATS,
    SERVICE,
    TRACK,
    WINDOW,
    at_the_meeting,
    convened,
    in_session,
    second_cycle,
)
from tests.domain.story import correct
from tests.timings.looking import cases, counts, facts, parts
from tests.timings.tales import SECOND, YEAR_END, next_plan, with_two_needs

A3 = ActionId("A-3")


# M9: needs


def test_a_need_waits_for_the_first_plan_that_takes_it_up() -> None:
    """Given a need in the first plan, completed after it was carried over, then it waited for no plan."""
    [waiting] = cases("M9", at_the_meeting(), YEAR_END)
    assert (waiting.asked, waiting.planned, waiting.waited) == (False, None, 0)
    goes_on = ProposeAction(description="Pompe, suite", continues=A1, responsible=RICE, due_on=SECOND.ends_on)
    told = next_plan(second_cycle(), goes_on).given(CompleteAction(action=A3), on=date(2026, 7, 1))
    [need] = cases("M9", told, YEAR_END)
    assert (need.planned_in, need.waited, need.planned.on) == (1, 0, MET)
    assert need.completed.on == date(2026, 7, 1), "what continues an action answers what that one answered"
    assert parts("M9", [need]) == {"planned-at-once": (1, 1), "completed-in-cycle": (0, 1)}


def test_a_plan_without_a_need_has_made_it_wait() -> None:
    """Given two needs and a plan for one of them, then the other one waits, until the second plan has it."""
    told = with_two_needs()
    convened(told, MET).given(PUMP, AgreePlan(window=WINDOW), CloseMeeting(minutes="Fini."), on=MET)
    told.given(InstallCommittee(seats=SEATS), DefineMandate(tasks=("Suivre",)), StartMonitoring(), on=MET)
    first, second = cases("M9", told, YEAR_END)
    assert (first.waited, second.waited, second.planned) == (0, 1, None)
    assert counts("M9", [first, second]) == {"identified": 2, "waited-0": 1, "waiting": 1}
    told.given(OpenReview(kind=ReviewKind.END), CompleteAction(action=A1), NextMeeting(), on=ENDED)
    next_plan(told, structs.replace(TRACK, needs=(NeedId("N-2"),), due_on=SECOND.ends_on))
    first, second = cases("M9", told, YEAR_END)
    assert (second.waited, second.planned_in) == (1, 2)
    assert parts("M9", [first, second]) == {"planned-at-once": (1, 2), "completed-in-cycle": (1, 1)}


def test_an_adjustment_that_takes_up_a_need_comes_after_a_plan_without_it() -> None:
    told = with_two_needs()
    convened(told, MET).given(PUMP, AgreePlan(window=WINDOW), CloseMeeting(minutes="Fini."), on=MET)
    told.given(InstallCommittee(seats=SEATS), DefineMandate(tasks=("Suivre",)), StartMonitoring(), on=MET)
    told.given(OpenReview(kind=ReviewKind.MID_TERM), on=date(2026, 4, 10))
    added = ActionAdded(description="Filets", responsible=FISH, due_on=ENDED, needs=(NeedId("N-2"),))
    told.given(AdjustPlan(causes=("Crue",), added=(added,)), on=date(2026, 4, 11))
    [_, second] = cases("M9", told, YEAR_END)
    assert (second.waited, second.planned_in) == (1, 1)


def test_a_need_that_is_withdrawn_unplanned_is_in_no_share() -> None:
    told = with_two_needs()
    told.given_facts(NeedWithdrawn(NEED, "Réglé"))
    first, _ = cases("M9", told, YEAR_END)
    assert (first.withdrawn.on, parts("M9", [first])) == (told.now, {})
    assert counts("M9", [first]) == {"identified": 1, "withdrawn": 1}


# M10: meetings


def test_who_came_is_counted_by_people_members_and_constituencies() -> None:
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    there = (Presence(RICE, women=3, men=1, youth=2), Presence(MAIRIE, men=2), Presence(SERVICE, men=1, proxies=1))
    told.given(OpenMeeting(attendance=there), on=MET)
    [meeting] = cases("M10", told, YEAR_END)
    assert parts("M10", [meeting]) == {
        "women": (3, 7),
        "youth": (2, 7),
        "members": (3, 5),
        "constituency/municipality": (1, 1),
        "constituency/professional-organisation": (1, 1),
        "constituency/technical-service": (1, 1),
        "constituency/partner": (0, 1),
    }
    assert (meeting.held.on, meeting.held.event) == (MET, told.history[-1].id)


def test_a_meeting_put_off_for_lack_of_people_counts_those_who_came() -> None:
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    few = (Presence(RICE, women=1),)
    told.given(AdjournMeeting(reason=AdjournReason.NO_QUORUM, explanation="Pluie", attendance=few), on=MET)
    [meeting] = cases("M10", told, YEAR_END)
    assert (meeting.opened, meeting.present, meeting.members, meeting.people) == (False, 1, 5, 1)
    assert counts("M10", [meeting]) == {"meetings": 1, "not-opened": 1}


def test_a_meeting_without_attendance_list_is_in_no_share() -> None:
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    told.now = MET - timedelta(days=1)
    told.given_facts(MeetingAdjourned(MeetingId("M-1"), AdjournReason.SECURITY, "Route coupée"))
    [meeting] = cases("M10", told, YEAR_END)
    assert parts("M10", [meeting]) == {}
    assert counts("M10", [meeting]) == {"meetings": 1, "not-opened": 1, "without-list": 1}


def test_a_corrected_attendance_is_counted_as_it_is_right() -> None:
    told = in_session()
    correct(told, MeetingOpened, attendance=[{"member": RICE, "women": 9}, {"member": MAIRIE, "men": 1}])
    [meeting] = cases("M10", told, YEAR_END)
    assert (meeting.women, meeting.people, meeting.present) == (9, 10, 2)


# M11: recording


def test_lags_are_counted_by_the_month_in_which_they_were_recorded() -> None:
    """Given facts typed at once, a month later, and forty days later, then each month has its own, and its slowest."""
    moments = [(date(2026, 3, 1), 0), (date(2026, 3, 2), 0), (date(2026, 3, 3), 29), (date(2026, 3, 4), 40)]
    history = [
        structs.replace(each, occurred_on=on, recorded_at=datetime(on.year, on.month, on.day, tzinfo=UTC) + days(late))
        for each, (on, late) in zip(at_the_meeting().history, moments, strict=False)
    ]
    # What a framework needs in order to be seen: its policy and its first stage came with its first fact.
    march, april = cases("M11", facts(history), YEAR_END)
    assert [(each.month, each.facts, each.lags) for each in (march, april)] == [
        ("2026-03", 2, ((0, 2),)),
        ("2026-04", 2, ((29, 1), (40, 1))),
    ]
    assert (april.first.version, april.last.version, april.slowest.event) == (3, 4, history[3].id)
    assert parts("M11", [march, april]) == {"late": (1, 4)}


def days(many: int) -> timedelta:
    return timedelta(days=many)
