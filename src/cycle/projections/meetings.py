"""Meetings, who came to them, and the calendar of meetings and deadlines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from cycle.aggregates.framework.adjustment import CycleClosed, PlanAdjusted, ReviewOpened
from cycle.aggregates.framework.anytime import DeadlinePassed
from cycle.aggregates.framework.meetings import (
    MeetingAdjourned,
    MeetingCancelled,
    MeetingClosed,
    MeetingConvened,
    MeetingOpened,
    MeetingPostponed,
    MinutesApproved,
)
from cycle.aggregates.framework.monitoring import ActionAbandoned, ActionCompleted
from cycle.aggregates.framework.needs import (
    NeedsIdentificationClosed,
    NeedsIdentificationOpened,
    NeedsReopened,
)
from cycle.aggregates.framework.plan import PlanAgreed, PlanWithdrawn
from cycle.aggregates.terms import DeadlineKind
from cycle.projections.base import Fact, Projection, Row, identity, one


class MeetingRow(Row):
    framework: str
    meeting: str
    cycle: int
    call: int
    held_on: date
    place: str
    stage: str = "convened"
    required: int | None = None
    present: int | None = None
    minutes: str | None = None
    minutes_approved_on: date | None = None
    projection = "meetings"


class AttendanceRow(Row):
    """Who came for one member to one meeting; ``youth`` are counted among women and men."""

    framework: str
    meeting: str
    member: str
    held_on: date
    opened: bool
    women: int
    men: int
    youth: int
    proxies: int
    projection = "attendance"


class CalendarRow(Row):
    """Something that has a day. ``status`` is open, done, passed or cancelled."""

    framework: str
    kind: DeadlineKind
    about: str
    day: date
    text: str | None = None
    status: str = "open"
    projection = "calendar"


meetings = Projection(MeetingRow)
attendance = Projection(AttendanceRow)
calendar = Projection(CalendarRow)


@meetings.on(
    MeetingConvened,
    MeetingPostponed,
    MeetingCancelled,
    MeetingOpened,
    MeetingAdjourned,
    MeetingClosed,
    MinutesApproved,
    keys=one("meeting"),
)
def meeting_changed(row: MeetingRow | None, fact: Fact, of: str) -> MeetingRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, MeetingConvened):
        return MeetingRow(
            framework=identity(fact),
            meeting=event.meeting,
            cycle=event.cycle,
            call=event.call,
            held_on=event.held_on,
            place=event.place,
        )
    if row is None:
        return None
    match event:
        case MeetingPostponed(held_on=held_on):
            return replace(row, held_on=held_on)
        case MeetingCancelled():
            return replace(row, stage="cancelled")
        case MeetingOpened(quorum=quorum):
            return replace(row, stage="open", held_on=day, required=quorum.required, present=quorum.present)
        case MeetingAdjourned():
            return replace(row, stage="adjourned", held_on=day)
        case MeetingClosed(minutes=minutes):
            return replace(row, stage="closed", minutes=minutes)
        case MinutesApproved():
            return replace(row, minutes_approved_on=day)
    return row


def _who_came(fact: Fact) -> Iterable[str]:
    event, place = fact.recorded.data, identity(fact)
    assert isinstance(event, MeetingOpened | MeetingAdjourned)
    return [f"{place}/{event.meeting}/{presence.member}" for presence in event.attendance]


@attendance.on(MeetingOpened, MeetingAdjourned, keys=_who_came)
def attended(row: AttendanceRow | None, fact: Fact, of: str) -> AttendanceRow | None:
    event = fact.recorded.data
    assert isinstance(event, MeetingOpened | MeetingAdjourned)
    opened = isinstance(event, MeetingOpened) or (row is not None and row.opened)
    member = of.rpartition("/")[2]
    for presence in event.attendance:
        if presence.member == member:
            return AttendanceRow(
                framework=identity(fact),
                meeting=event.meeting,
                member=member,
                held_on=fact.recorded.occurred_on,
                opened=opened,
                women=presence.women,
                men=presence.men,
                youth=presence.youth,
                proxies=presence.proxies,
            )
    return row


def _days(fact: Fact) -> dict[str, tuple[DeadlineKind, str, date | None, str | None, str]]:
    """What a fact says about the calendar: local id -> kind, about, day, text, status."""
    event = fact.recorded.data
    match event:
        case NeedsIdentificationOpened(cycle=cycle, due_on=due) | NeedsReopened(cycle=cycle, due_on=due):
            return _entry(DeadlineKind.NEEDS, f"cycle-{cycle}", due) if due else {}
        case NeedsIdentificationClosed(cycle=cycle):
            return _entry(DeadlineKind.NEEDS, f"cycle-{cycle}", None, status="done")
        case MeetingConvened(meeting=meeting, held_on=day, place=place):
            return _entry(DeadlineKind.MEETING, meeting, day, place)
        case MeetingPostponed(meeting=meeting, held_on=day):
            return _entry(DeadlineKind.MEETING, meeting, day)
        case MeetingCancelled(meeting=meeting):
            return _entry(DeadlineKind.MEETING, meeting, None, status="cancelled")
        case MeetingOpened(meeting=meeting) | MeetingAdjourned(meeting=meeting):
            return _entry(DeadlineKind.MEETING, meeting, None, status="done")
        case PlanAgreed(cycle=cycle, window=window, actions=actions):
            found = _entry(DeadlineKind.PLAN, f"plan-{cycle}", window.ends_on)
            for action in actions:
                found |= _entry(DeadlineKind.ACTION, action.action, action.due_on, action.description)
            return found
        case PlanAdjusted(actions=actions, dropped=dropped):
            found = {}
            for action in actions:
                found |= _entry(DeadlineKind.ACTION, action.action, action.due_on, action.description, "")
            for gone in dropped:
                found |= _entry(DeadlineKind.ACTION, gone, None, status="cancelled")
            return found
        case PlanWithdrawn(cycle=cycle, actions=withdrawn):
            found = _entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="cancelled")
            for gone in withdrawn:
                found |= _entry(DeadlineKind.ACTION, gone, None, status="cancelled")
            return found
        case ActionCompleted(action=done):
            return _entry(DeadlineKind.ACTION, done, None, status="done")
        case ActionAbandoned(action=gone):
            return _entry(DeadlineKind.ACTION, gone, None, status="cancelled")
        case ReviewOpened(cycle=cycle):
            return _entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="done")
        case CycleClosed(cycle=cycle, actions=settled):
            found = _entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="done")
            for item in settled:
                if item.outcome != "completed":
                    found |= _entry(DeadlineKind.ACTION, item.action, None, status="cancelled")
            return found
        case DeadlinePassed(kind=kind, about=about, due_on=due):
            return _entry(kind, about, due, status="passed")
    return {}


def _entry(
    kind: DeadlineKind, about: str, day: date | None, text: str | None = None, status: str = "open"
) -> dict[str, tuple[DeadlineKind, str, date | None, str | None, str]]:
    return {f"{kind}/{about}": (kind, about, day, text, status)}


def _in_calendar(fact: Fact) -> Iterable[str]:
    place = identity(fact)
    return [f"{place}/{of}" for of in _days(fact)]


@calendar.on(
    NeedsIdentificationOpened,
    NeedsReopened,
    NeedsIdentificationClosed,
    MeetingConvened,
    MeetingPostponed,
    MeetingCancelled,
    MeetingOpened,
    MeetingAdjourned,
    PlanAgreed,
    PlanAdjusted,
    PlanWithdrawn,
    ActionCompleted,
    ActionAbandoned,
    ReviewOpened,
    CycleClosed,
    DeadlinePassed,
    keys=_in_calendar,
)
def calendar_changed(row: CalendarRow | None, fact: Fact, of: str) -> CalendarRow | None:
    said = _days(fact).get(of)
    if said is None:
        return row
    kind, about, day, text, status = said
    if row is None:
        if day is None:
            return None
        return CalendarRow(
            framework=identity(fact), kind=kind, about=about, day=day, text=text, status=status or "open"
        )
    return replace(row, day=day or row.day, text=text or row.text, status=status or row.status)
