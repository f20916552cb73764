"""Who came and who stayed away, of how many members there were that day."""

from __future__ import annotations

from cycle.aggregates.framework.meetings import ConveneMeeting, MeetingOpened, OpenMeeting
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.terms import Presence
from cycle.engine import Engine
from cycle.projections.meetings import AttendanceRow, MeetingRow
from tests.domain.dioro import FISH, MAIRIE, MET, PARTNER, RICE, SERVICE, at_the_meeting
from tests.domain.story import Story, correct
from tests.people import an_auditor
from tests.projections.rows import append, named

THREE = tuple(Presence(member, men=1) for member in (MAIRIE, RICE, FISH))


def opened() -> Story:
    """Three of five members came; later one of the others leaves."""
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    return told.given(OpenMeeting(attendance=THREE), on=MET).given(WithdrawMember(member=PARTNER, reason="Fin"))


def read(engine: Engine, told: Story) -> tuple[MeetingRow, dict[str, AttendanceRow]]:
    reader = an_auditor(engine)
    append(engine.store, named(told.history, "f"))
    reader.catch_up()
    [meeting] = reader.rows("meetings")
    rows = {row.member: row for row in reader.rows("attendance")}  # type: ignore[attr-defined]
    return meeting, rows  # type: ignore[return-value]


def test_who_stays_away_is_seen_and_the_members_are_those_of_that_day(engine: Engine) -> None:
    meeting, rows = read(engine, opened())
    assert (meeting.present, meeting.members, meeting.required) == (3, 5, 3)
    assert {member: row.men for member, row in rows.items()} == {MAIRIE: 1, RICE: 1, FISH: 1, SERVICE: 0, PARTNER: 0}


def test_those_present_are_counted_from_the_attendance_as_it_is_set_right(engine: Engine) -> None:
    told = correct(opened(), MeetingOpened, attendance=[{"member": "MB-1", "women": 2}])
    meeting, rows = read(engine, told)
    assert (meeting.present, meeting.members) == (1, 5)
    assert {member: row.women + row.men for member, row in rows.items()} == {
        MAIRIE: 2,
        RICE: 0,
        FISH: 0,
        SERVICE: 0,
        PARTNER: 0,
    }
