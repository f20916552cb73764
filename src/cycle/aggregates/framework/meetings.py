"""Meetings: convened, prepared, opened with quorum, adjourned to a second call, closed with minutes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, ruled
from cycle.aggregates.framework.attendance import (
    attendance_holds,
    came,
    quorum_finding,
    quorum_now,
    quorum_of,
    with_the_absent,
)
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, members_are_known, not_twice, policy_of
from cycle.aggregates.framework.state import Framework, Meeting, MeetingStage, Quorum, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    AdjournReason,
    AmountXof,
    LogisticsKind,
    MeetingId,
    MemberId,
    Name,
    Planned,
    Presence,
    Reference,
    Text,
)


class MeetingConvened(Event):
    meeting: MeetingId
    cycle: int
    held_on: Planned
    place: Name
    call: int
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"held_on", "place"})
    strands = ("meeting",)


class InvitationSent(Event):
    meeting: MeetingId
    members: tuple[MemberId, ...]
    channel: Name | None = None
    correctable = frozenset({"members", "channel"})


class LogisticsArranged(Event):
    meeting: MeetingId
    kind: LogisticsKind
    description: Text | None = None
    cost_xof: AmountXof = 0
    payer: MemberId | None = None
    correctable = frozenset({"kind", "description", "cost_xof", "payer"})


class MeetingPostponed(Event):
    meeting: MeetingId
    held_on: Planned
    reason: Text
    correctable = frozenset({"held_on", "reason"})
    strands = ("meeting",)


class MeetingCancelled(Event):
    meeting: MeetingId
    reason: Text
    correctable = frozenset({"reason"})
    strands = ("meeting",)


class MeetingOpened(Event):
    """``quorum`` follows from the attendance, and is corrected with it."""

    meeting: MeetingId
    cycle: int
    call: int
    attendance: tuple[Presence, ...]
    quorum: Quorum
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"attendance"})
    strands = ("meeting",)


class MeetingAdjourned(Event):
    meeting: MeetingId
    reason: AdjournReason
    explanation: Text
    attendance: tuple[Presence, ...] = ()
    correctable = frozenset({"explanation", "attendance"})
    strands = ("meeting",)


class MeetingClosed(Event):
    meeting: MeetingId
    minutes: Text
    document: Reference | None = None
    correctable = frozenset({"minutes", "document"})
    strands = ("meeting",)


class MinutesApproved(Event):
    meeting: MeetingId
    objections: tuple[Text, ...] = ()
    correctable = frozenset({"objections"})


class ConveneMeeting(Command):
    """Call the members to a meeting; after an adjournment for lack of quorum it is the second call."""

    held_on: Planned
    place: Name
    roles = (Role.FACILITATOR, Role.MAYOR)
    makes = MeetingConvened


class SendInvitations(Command):
    """Note whom the invitation has reached, and how."""

    members: tuple[MemberId, ...]
    channel: Name | None = None
    roles = (Role.FACILITATOR, Role.MAYOR)


class ArrangeLogistics(Command):
    """Note what was organised for the meeting, what it costs and who pays."""

    kind: LogisticsKind
    description: Text | None = None
    cost_xof: AmountXof = 0
    payer: MemberId | None = None
    roles = (Role.FACILITATOR, Role.MAYOR)


class PostponeMeeting(Command):
    """Move the meeting to another day."""

    held_on: Planned
    reason: Text
    roles = (Role.FACILITATOR, Role.MAYOR)


class CancelMeeting(Command):
    """Call the meeting off."""

    reason: Text
    roles = (Role.FACILITATOR, Role.MAYOR)


class OpenMeeting(Command):
    """Open the session with the attendance that was counted."""

    attendance: tuple[Presence, ...]


class AdjournMeeting(Command):
    """Break off, or give up for lack of quorum; what was proposed stays."""

    reason: AdjournReason
    explanation: Text
    attendance: tuple[Presence, ...] = ()


class CloseMeeting(Command):
    """Close the session with its minutes."""

    minutes: Text
    document: Reference | None = None


class ApproveMinutes(Command):
    """Approve the minutes of a closed meeting, noting objections."""

    meeting: MeetingId
    objections: tuple[Text, ...] = ()


PENDING = (MeetingStage.CONVENED, MeetingStage.OPEN)


def no_other_meeting_pending(state: Framework, known: Known) -> Iterable[Finding]:
    """No other meeting is convened or in session."""
    pending = state.meeting if state.meeting and state.meeting.stage in PENDING else None
    values = {"meeting": pending.id, "held_on": pending.held_on.isoformat()} if pending else {}
    yield Finding("meeting-pending", pending is None, values=values, lift=(Role.FACILITATOR,))


def a_meeting_is_convened(state: Framework, known: Known) -> Iterable[Finding]:
    """A meeting is convened and not open yet."""
    if state.in_session():
        yield Finding("in-session-already")
    else:
        met = state.meeting is not None and state.meeting.stage is MeetingStage.CONVENED
        yield Finding("no-meeting-convened", met, lift=(Role.FACILITATOR, Role.MAYOR))


def its_day_has_come(state: Framework, known: Known) -> Iterable[Finding]:
    """It is the day for which the meeting is convened, or a later one."""
    meeting = state.meeting
    if meeting is not None and meeting.stage is MeetingStage.CONVENED:
        values = {"held_on": meeting.held_on.isoformat(), "on": known.on.isoformat()}
        yield Finding("before-its-day", known.on >= meeting.held_on, values=values, lift=(Role.FACILITATOR, Role.MAYOR))


def a_meeting_is_pending(state: Framework, known: Known) -> Iterable[Finding]:
    """A meeting is convened or in session."""
    met = state.meeting is not None and state.meeting.stage in PENDING
    yield Finding("no-meeting-pending", met, lift=(Role.FACILITATOR, Role.MAYOR))


def in_session(state: Framework, known: Known) -> Iterable[Finding]:
    """The meeting is in session."""
    meeting = state.meeting
    if state.stage is not Stage.MEETING:
        yield Finding("meeting-closed-already", state.in_session())
    elif meeting is None or meeting.stage not in PENDING:
        yield Finding("no-meeting-pending", lift=(Role.FACILITATOR, Role.MAYOR))
    else:
        yield Finding("not-in-session", state.in_session(), lift=(Role.FACILITATOR,))


def minutes_await_approval(state: Framework, known: Known) -> Iterable[Finding]:
    """Minutes of a closed meeting wait for approval."""
    yield Finding("no-minutes-to-approve", bool(state.unapproved_minutes))


def closed_with_minutes(state: Framework, known: Known) -> Iterable[Finding]:
    """The meeting that agreed the plan is closed with minutes (policy)."""
    policy = policy_of(known)
    rule = policy.minutes_before_monitoring
    closed = state.meeting is not None and state.meeting.stage is MeetingStage.CLOSED
    meeting = state.meeting.id if state.meeting else "—"
    yield ruled("no-minutes", policy, rule, not rule.value or closed, lift=(Role.FACILITATOR,), meeting=meeting)


@framework.decides(ConveneMeeting)
def convene_meeting(state: Framework, command: ConveneMeeting, known: Known) -> Iterable[Event]:
    policy = policy_of(known)
    notice = (command.held_on - known.on).days
    wanted = policy.meeting_notice_days
    enough = ruled("short-notice", policy, wanted, notice >= wanted.value, days=notice, wanted=wanted.value)
    demand(enough)
    before = state.meeting
    again = before is not None and before.stage is MeetingStage.ADJOURNED and before.second_call
    meeting = MeetingId(f"M-{state.meetings_counted + 1}")
    call = before.call + 1 if before is not None and again else 1
    yield MeetingConvened(meeting, state.cycle, command.held_on, command.place, call, checks([enough]))


@framework.decides(SendInvitations)
def send_invitations(state: Framework, command: SendInvitations, known: Known) -> Iterable[Event]:
    named = Finding("nobody-named", bool(command.members))
    demand(named, not_twice(command.members), *members_are_known(state, command.members))
    yield InvitationSent(_pending(state).id, command.members, command.channel)


@framework.decides(ArrangeLogistics)
def arrange_logistics(state: Framework, command: ArrangeLogistics, known: Known) -> Iterable[Event]:
    payer = command.payer
    found = members_are_known(state, [payer] if payer else [])
    demand(*found, Finding("cost-without-payer", not command.cost_xof or payer is not None))
    yield LogisticsArranged(_pending(state).id, command.kind, command.description, command.cost_xof, payer)


@framework.decides(PostponeMeeting)
def postpone_meeting(state: Framework, command: PostponeMeeting, known: Known) -> Iterable[Event]:
    meeting = _pending(state)
    values = {"held_on": command.held_on.isoformat(), "on": known.on.isoformat()}
    demand(Finding("same-day", command.held_on != meeting.held_on, values=values))
    yield MeetingPostponed(meeting.id, command.held_on, command.reason)


@framework.decides(CancelMeeting)
def cancel_meeting(state: Framework, command: CancelMeeting, known: Known) -> Iterable[Event]:
    yield MeetingCancelled(_pending(state).id, command.reason)


@framework.decides(OpenMeeting)
def open_meeting(state: Framework, command: OpenMeeting, known: Known) -> Iterable[Event]:
    meeting = _pending(state)
    demand(*attendance_holds(state, command.attendance))
    attendance = with_the_absent(command.attendance, state.members)
    quorum = quorum_of(state, attendance, meeting.call, known)
    seen = quorum_finding(state, quorum, attendance, known)
    demand(seen)
    yield MeetingOpened(meeting.id, state.cycle, meeting.call, attendance, quorum, checks([seen]))


def counted_anew(before: Event, after: Event) -> Event:
    """The quorum of a corrected attendance: those who came, of the members of then."""
    if not isinstance(before, MeetingOpened) or not isinstance(after, MeetingOpened):
        return after
    attendance = with_the_absent(after.attendance, (presence.member for presence in before.attendance))
    count = sum(came(presence) for presence in attendance)
    # Whether a second call may do without is the policy's of then: what it waived stays waived.
    met = count >= after.quorum.required or after.quorum.waived
    quorum = replace(after.quorum, present=count, met=met)
    return replace(after, attendance=attendance, quorum=quorum)


@framework.decides(AdjournMeeting)
def adjourn_meeting(state: Framework, command: AdjournMeeting, known: Known) -> Iterable[Event]:
    meeting = _pending(state)
    in_time = state.in_session() or command.reason in (AdjournReason.NO_QUORUM, AdjournReason.SECURITY)
    lacks = not (state.in_session() and command.reason is AdjournReason.NO_QUORUM) or not all(
        finding.met for finding in quorum_now(state, known)
    )
    demand(
        Finding("not-in-session", in_time, lift=(Role.FACILITATOR,)),
        Finding("quorum-holds", lacks),
        *attendance_holds(state, command.attendance),
    )
    counted = command.attendance
    if counted and not state.in_session():
        counted = with_the_absent(counted, state.members)
    yield MeetingAdjourned(meeting.id, command.reason, command.explanation, counted)


@framework.decides(CloseMeeting)
def close_meeting(state: Framework, command: CloseMeeting, known: Known) -> Iterable[Event]:
    yield MeetingClosed(_pending(state).id, command.minutes, command.document)


@framework.decides(ApproveMinutes)
def approve_minutes(state: Framework, command: ApproveMinutes, known: Known) -> Iterable[Event]:
    waiting = state.unapproved_minutes
    values = list_of(meeting=command.meeting, known=waiting)
    demand(Finding("minutes-not-waiting", command.meeting in waiting, values=values))
    yield MinutesApproved(command.meeting, command.objections)


def _pending(state: Framework) -> Meeting:
    assert state.meeting is not None
    return state.meeting


@framework.evolves(MeetingConvened)
def meeting_convened(state: Framework, recorded: Happened[MeetingConvened]) -> Framework:
    fact = recorded.data
    day = recorded.occurred_on
    meeting = Meeting(fact.meeting, fact.held_on, fact.call, since=day, acted_on=day)
    return replace(state, meeting=meeting, meetings_counted=state.meetings_counted + 1)


@framework.evolves(InvitationSent)
def invitation_sent(state: Framework, recorded: Happened[InvitationSent]) -> Framework:
    meeting = _pending(state)
    return replace(state, meeting=replace(meeting, invited=meeting.invited | set(recorded.data.members)))


framework.ignores(LogisticsArranged)


@framework.evolves(MeetingPostponed)
def meeting_postponed(state: Framework, recorded: Happened[MeetingPostponed]) -> Framework:
    meeting = replace(_pending(state), held_on=recorded.data.held_on, acted_on=recorded.occurred_on)
    return replace(state, meeting=meeting)


@framework.evolves(MeetingCancelled)
def meeting_cancelled(state: Framework, recorded: Happened[MeetingCancelled]) -> Framework:
    return replace(state, meeting=None)


@framework.evolves(MeetingOpened)
def meeting_opened(state: Framework, recorded: Happened[MeetingOpened]) -> Framework:
    fact = recorded.data
    meeting = replace(
        _pending(state),
        stage=MeetingStage.OPEN,
        attendance=fact.attendance,
        quorum=fact.quorum,
        acted_on=recorded.occurred_on,
    )
    return replace(state, meeting=meeting)


@framework.evolves(MeetingAdjourned)
def meeting_adjourned(state: Framework, recorded: Happened[MeetingAdjourned]) -> Framework:
    lacked = recorded.data.reason is AdjournReason.NO_QUORUM
    day = recorded.occurred_on
    meeting = replace(_pending(state), stage=MeetingStage.ADJOURNED, second_call=lacked, acted_on=day)
    return replace(state, meeting=meeting)


@framework.evolves(MeetingClosed)
def meeting_closed(state: Framework, recorded: Happened[MeetingClosed]) -> Framework:
    meeting = replace(_pending(state), stage=MeetingStage.CLOSED, acted_on=recorded.occurred_on)
    return replace(state, meeting=meeting, unapproved_minutes=(*state.unapproved_minutes, meeting.id))


@framework.evolves(MinutesApproved)
def minutes_approved(state: Framework, recorded: Happened[MinutesApproved]) -> Framework:
    waiting = tuple(meeting for meeting in state.unapproved_minutes if meeting != recorded.data.meeting)
    return replace(state, unapproved_minutes=waiting)
