"""Meetings: convened, prepared, opened with quorum, adjourned to a second call, closed with minutes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.framework.meetings import (
    AdjournMeeting,
    ApproveMinutes,
    ArrangeLogistics,
    CancelMeeting,
    CloseMeeting,
    ConveneMeeting,
    InvitationSent,
    LogisticsArranged,
    MeetingAdjourned,
    MeetingCancelled,
    MeetingClosed,
    MeetingConvened,
    MeetingOpened,
    MeetingPostponed,
    MinutesApproved,
    OpenMeeting,
    PostponeMeeting,
    SendInvitations,
)
from cycle.aggregates.terms import AdjournReason, LogisticsKind, MeetingId, Presence
from cycle.history import believed
from tests.domain.dioro import (
    EVERYBODY,
    FISH,
    MAIRIE,
    MET,
    NOBODY,
    PARTNER,
    RICE,
    SERVICE,
    at_the_meeting,
    convened,
    in_session,
    planned,
)
from tests.domain.story import Story, correct

NO_QUORUM = AdjournMeeting(reason=AdjournReason.NO_QUORUM, explanation="Deux présents")
TWO = tuple(Presence(m, men=1) for m in (MAIRIE, RICE))


def called(held_on: date = MET) -> Story:
    return at_the_meeting().given(ConveneMeeting(held_on=held_on, place="Mairie"))


def test_a_meeting_is_convened_and_a_short_notice_is_noted() -> None:
    told = at_the_meeting()
    told.when(ConveneMeeting(held_on=told.now + timedelta(days=3), place="Mairie"))
    told.then(MeetingConvened, meeting="M-1", call=1)
    (check,) = told.outcome[0].checks  # type: ignore[index, union-attr]
    assert (check.code, check.met, check.article) == ("short-notice", False, "wocat-pact-1/6")
    told.when(ConveneMeeting(held_on=told.now + timedelta(days=9), place="Mairie")).refused("meeting-pending")


def test_a_meeting_is_not_convened_into_the_past() -> None:
    told = at_the_meeting()
    told.when(ConveneMeeting(held_on=told.now, place="x"), on=told.now + timedelta(days=1)).refused("not-a-day-to-plan")


@pytest.mark.parametrize(
    "command",
    [
        SendInvitations(members=(MAIRIE,)),
        PostponeMeeting(held_on=MET, reason="x"),
        CancelMeeting(reason="x"),
        OpenMeeting(attendance=EVERYBODY),
    ],
)
def test_before_a_meeting_is_convened_there_is_nothing_to_do_about_it(command: SendInvitations) -> None:
    at_the_meeting().when(command).refused("no-meeting-convened")


def test_invitations_name_members_once() -> None:
    told = called()
    told.when(SendInvitations(members=())).refused("nobody-named")
    told.when(SendInvitations(members=(RICE, RICE))).refused("named-twice")
    told.when(SendInvitations(members=(NOBODY,))).refused("unknown-member")
    told.when(SendInvitations(members=(RICE, FISH), channel="radio")).then(InvitationSent)
    assert told.state.meeting is not None
    assert told.state.meeting.invited == {RICE, FISH}


def test_what_the_meeting_costs_is_paid_by_somebody() -> None:
    told = called()
    told.when(ArrangeLogistics(kind=LogisticsKind.ROOM, cost_xof=5_000)).refused("cost-without-payer")
    told.when(ArrangeLogistics(kind=LogisticsKind.ROOM, payer=NOBODY)).refused("unknown-member")
    told.when(ArrangeLogistics(kind=LogisticsKind.ROOM, cost_xof=5_000, payer=MAIRIE)).then(LogisticsArranged)
    at_the_meeting().when(ArrangeLogistics(kind=LogisticsKind.ROOM)).refused("no-meeting-pending")


def test_a_meeting_is_postponed_to_another_day_or_cancelled() -> None:
    told = called()
    told.when(PostponeMeeting(held_on=MET, reason="x")).refused("same-day")
    told.when(PostponeMeeting(held_on=date(2025, 1, 1), reason="x")).refused("not-a-day-to-plan")
    told.when(PostponeMeeting(held_on=MET + timedelta(days=7), reason="Foire")).then(MeetingPostponed)
    told.when(CancelMeeting(reason="Deuil")).then(MeetingCancelled)
    assert told.state.meeting is None


def test_a_meeting_opens_with_quorum_on_its_day_or_later() -> None:
    told = called()
    told.when(OpenMeeting(attendance=EVERYBODY), on=MET - timedelta(days=1)).refused("before-its-day")
    told.when(OpenMeeting(attendance=TWO), on=MET).refused("no-quorum")
    told.when(OpenMeeting(attendance=(*EVERYBODY, EVERYBODY[0])), on=MET).refused("named-twice")
    told.when(OpenMeeting(attendance=(*EVERYBODY, Presence(NOBODY, 1))), on=MET).refused("unknown-member")
    told.when(OpenMeeting(attendance=(*EVERYBODY[1:], Presence(MAIRIE, 1, 0, 2))), on=MET).refused(
        "more-youth-than-people"
    )
    told.when(OpenMeeting(attendance=EVERYBODY), on=MET).then(MeetingOpened, meeting="M-1", call=1)
    quorum = told.outcome[0].quorum  # type: ignore[index, union-attr]
    assert (quorum.required, quorum.present, quorum.met, quorum.waived) == (3, 5, True, False)


def test_absence_without_quorum_leads_to_a_second_call_that_may_go_ahead() -> None:
    told = called().when(NO_QUORUM, on=MET).then(MeetingAdjourned, reason=AdjournReason.NO_QUORUM)
    again = MET + timedelta(days=8)
    told.when(ConveneMeeting(held_on=again, place="Mairie")).then(MeetingConvened, meeting="M-2", call=2)
    told.when(OpenMeeting(attendance=TWO), on=again).then(MeetingOpened, call=2)
    quorum = told.outcome[0].quorum  # type: ignore[index, union-attr]
    assert (quorum.present, quorum.required, quorum.waived) == (2, 3, True)


def test_a_session_is_adjourned_for_a_true_reason_and_goes_on_at_the_same_call() -> None:
    told = in_session()
    told.when(NO_QUORUM, on=MET).refused("quorum-holds")
    late = AdjournMeeting(reason=AdjournReason.TIME, explanation="Nuit")
    called().when(late, on=MET).refused("not-in-session")
    told.when(late, on=MET).then(MeetingAdjourned)
    told.when(ConveneMeeting(held_on=MET + timedelta(days=3), place="Mairie")).then(MeetingConvened, call=1)


def test_a_session_closes_with_minutes_that_are_approved_once() -> None:
    called().when(CloseMeeting(minutes="x")).refused("not-in-session")
    told = planned()
    told.when(ApproveMinutes(meeting=MeetingId("M-9"))).refused("minutes-not-waiting")
    told.when(ApproveMinutes(meeting=MeetingId("M-1"), objections=("Trop cher",))).then(MinutesApproved)
    told.when(ApproveMinutes(meeting=MeetingId("M-1"))).refused("no-minutes-to-approve")
    in_session().when(CloseMeeting(minutes="Lu"), on=MET).then(MeetingClosed, minutes="Lu")


def test_two_sessions_are_told_apart_by_their_numbers() -> None:
    told = in_session().given(CloseMeeting(minutes="Sans accord"), on=MET)
    convened(told, MET + timedelta(days=9))
    assert told.state.meeting is not None
    assert told.state.meeting.id == "M-2"


def test_who_stays_away_has_a_line_of_zeros() -> None:
    three = tuple(Presence(m, men=1) for m in (MAIRIE, RICE, FISH))
    told = called().when(OpenMeeting(attendance=three), on=MET).then(MeetingOpened)
    opened = told.outcome[0]  # type: ignore[index]
    assert opened.attendance == (*three, Presence(SERVICE), Presence(PARTNER))
    assert (opened.quorum.present, opened.quorum.of) == (3, 5)
    told = called().when(replace(NO_QUORUM, attendance=TWO), on=MET)
    assert [p.member for p in told.outcome[0].attendance] == [MAIRIE, RICE, FISH, SERVICE, PARTNER]  # type: ignore[index, union-attr]


def test_the_quorum_follows_the_attendance_that_is_set_right() -> None:
    told = correct(in_session(), MeetingOpened, attendance=[{"member": "MB-1", "men": 1}]).then(FactCorrected)
    right = next(r.data for r in believed(told.history) if isinstance(r.data, MeetingOpened))
    assert (right.quorum.present, right.quorum.required, right.quorum.met, right.quorum.of) == (1, 3, False, 5)
    assert [p.member for p in right.attendance] == [MAIRIE, RICE, FISH, SERVICE, PARTNER]


def test_what_a_second_call_did_without_stays_waived() -> None:
    again = MET + timedelta(days=8)
    told = called().given(NO_QUORUM, on=MET).given(ConveneMeeting(held_on=again, place="Mairie"))
    told.given(OpenMeeting(attendance=TWO), on=again)
    correct(told, MeetingOpened, attendance=[{"member": "MB-1", "men": 1}]).then(FactCorrected)
    right = [r.data for r in believed(told.history) if isinstance(r.data, MeetingOpened)][-1]
    assert (right.quorum.present, right.quorum.met, right.quorum.waived) == (1, True, True)
