"""Meetings, who came to them, and the calendar of meetings and deadlines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from msgspec.structs import replace

from cycle.aggregates.base import Event
from cycle.aggregates.framework.adjustment import CycleClosed, PlanAdjusted, ReviewOpened
from cycle.aggregates.framework.anytime import DeadlinePassed
from cycle.aggregates.framework.attendance import came
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
from cycle.aggregates.terms import DeadlineKind, Presence
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, one


class MeetingRow(Row):
    """``present`` counts those members for whom somebody came, ``members`` all that there were that day."""

    framework: str
    meeting: str
    cycle: int
    call: int
    held_on: date
    place: str
    stage: str = "convened"
    required: int | None = None
    present: int | None = None
    members: int | None = None
    minutes: str | None = None
    minutes_approved_on: date | None = None
    projection = "meetings"


class AttendanceRow(Row):
    """Who came for one member to one meeting, zeros for one that stayed away; ``youth`` are among women and men."""

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
    """Something that has a day. ``status`` is open, done, passed or cancelled.

    ``version`` is that of the fact of the framework that spoke of it last, and ``said_at`` when it was
    recorded: what tells a calendar that it has an older one.
    """

    framework: str
    kind: DeadlineKind
    about: str
    day: date
    version: int
    said_at: datetime
    text: str | None = None
    status: str = "open"
    projection = "calendar"


meetings = Projection(MeetingRow)
attendance = Projection(AttendanceRow)
calendar = Projection(CalendarRow, definition=2)


@meetings.on(
    MeetingConvened,
    MeetingPostponed,
    MeetingCancelled,
    MeetingOpened,
    MeetingAdjourned,
    MeetingClosed,
    MinutesApproved,
    rows=one("meeting"),
)
def meeting_changed(row: MeetingRow | None, fact: Fact, part: None) -> MeetingRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, MeetingConvened):
        return MeetingRow(
            commune=fact.recorded.log,
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
        case MeetingOpened(quorum=quorum, attendance=there):
            present, members = sum(map(came, there)), quorum.of or len(there)
            return replace(row, stage="open", held_on=day, required=quorum.required, present=present, members=members)
        case MeetingAdjourned():
            return replace(row, stage="adjourned", held_on=day)
        case MeetingClosed(minutes=minutes):
            return replace(row, stage="closed", minutes=minutes)
        case MinutesApproved():
            return replace(row, minutes_approved_on=day)
    return row


def _who_came(fact: Fact) -> Iterable[tuple[str, Presence]]:
    event, place = fact.recorded.data, identity(fact)
    assert isinstance(event, MeetingOpened | MeetingAdjourned)
    return [(f"{place}/{event.meeting}/{presence.member}", presence) for presence in event.attendance]


@attendance.on(MeetingOpened, MeetingAdjourned, rows=_who_came)
def attended(row: AttendanceRow | None, fact: Fact, part: Presence) -> AttendanceRow | None:
    event = fact.recorded.data
    assert isinstance(event, MeetingOpened | MeetingAdjourned)
    return AttendanceRow(
        commune=fact.recorded.log,
        framework=identity(fact),
        meeting=event.meeting,
        member=part.member,
        held_on=fact.recorded.occurred_on,
        opened=isinstance(event, MeetingOpened) or (row is not None and row.opened),
        women=part.women,
        men=part.men,
        youth=part.youth,
        proxies=part.proxies,
    )


class _Entry(NamedTuple):
    """What a fact says about one row of the calendar; what is empty stays as it was."""

    kind: DeadlineKind
    about: str
    day: date | None
    text: str | None = None
    status: str = "open"


def _said(event: Event) -> Iterable[_Entry]:
    match event:
        case NeedsIdentificationOpened(cycle=cycle, due_on=due) | NeedsReopened(cycle=cycle, due_on=due):
            if due:
                yield _Entry(DeadlineKind.NEEDS, f"cycle-{cycle}", due)
        case NeedsIdentificationClosed(cycle=cycle):
            yield _Entry(DeadlineKind.NEEDS, f"cycle-{cycle}", None, status="done")
        case MeetingConvened(meeting=meeting, held_on=day, place=place):
            yield _Entry(DeadlineKind.MEETING, meeting, day, place)
        case MeetingPostponed(meeting=meeting, held_on=day):
            yield _Entry(DeadlineKind.MEETING, meeting, day)
        case MeetingCancelled(meeting=meeting):
            yield _Entry(DeadlineKind.MEETING, meeting, None, status="cancelled")
        case MeetingOpened(meeting=meeting) | MeetingAdjourned(meeting=meeting):
            yield _Entry(DeadlineKind.MEETING, meeting, None, status="done")
        case PlanAgreed(cycle=cycle, window=window, actions=actions):
            yield _Entry(DeadlineKind.PLAN, f"plan-{cycle}", window.ends_on)
            for action in actions:
                yield _Entry(DeadlineKind.ACTION, action.action, action.due_on, action.description)
        case PlanAdjusted(actions=actions, dropped=dropped):
            for action in actions:
                yield _Entry(DeadlineKind.ACTION, action.action, action.due_on, action.description, "")
            for gone in dropped:
                yield _Entry(DeadlineKind.ACTION, gone, None, status="cancelled")
        case PlanWithdrawn(cycle=cycle, actions=withdrawn):
            yield _Entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="cancelled")
            for gone in withdrawn:
                yield _Entry(DeadlineKind.ACTION, gone, None, status="cancelled")
        case ActionCompleted(action=done):
            yield _Entry(DeadlineKind.ACTION, done, None, status="done")
        case ActionAbandoned(action=gone):
            yield _Entry(DeadlineKind.ACTION, gone, None, status="cancelled")
        case ReviewOpened(cycle=cycle):
            yield _Entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="done")
        case CycleClosed(cycle=cycle, actions=settled):
            yield _Entry(DeadlineKind.PLAN, f"plan-{cycle}", None, status="done")
            for item in settled:
                if item.outcome != "completed":
                    yield _Entry(DeadlineKind.ACTION, item.action, None, status="cancelled")
        case DeadlinePassed(kind=kind, about=about, due_on=due):
            yield _Entry(kind, about, due, status="passed")


def _entries(fact: Fact) -> Iterable[tuple[str, _Entry]]:
    place = identity(fact)
    return [(f"{place}/{entry.kind}/{entry.about}", entry) for entry in _said(fact.recorded.data)]


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
    rows=_entries,
)
def calendar_changed(row: CalendarRow | None, fact: Fact, part: _Entry) -> CalendarRow | None:
    recorded = fact.recorded
    if row is not None:
        put_off = row.status == "passed" and part.day not in (None, row.day)
        return replace(
            row,
            day=part.day or row.day,
            version=recorded.version,
            said_at=recorded.recorded_at,
            text=part.text or row.text,
            status=part.status or ("open" if put_off else row.status),
        )
    if part.day is None:
        return None
    return CalendarRow(
        commune=recorded.log,
        framework=identity(fact),
        kind=part.kind,
        about=part.about,
        day=part.day,
        version=recorded.version,
        said_at=recorded.recorded_at,
        text=part.text,
        status=part.status or "open",
    )
