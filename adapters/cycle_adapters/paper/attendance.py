"""The sheet that everybody signs when a meeting begins."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cycle.policy import at_least
from cycle.projections.meetings import MeetingRow, meetings
from cycle_adapters.paper.basis import Basis, CannotPrint
from cycle_adapters.paper.typesetting import typeset
from cycle_adapters.paper.witness import Foot, foot
from cycle_adapters.paper.wording import Group, Pair, Wording, grouped

EMPTY_LINES = 10
"""For those who come and are no members."""


class Seat(Struct, frozen=True):
    number: str
    name: str


class AttendanceSheet(Struct, frozen=True):
    """What the template ``attendance.typ`` shows."""

    lang: str
    title: str
    place: str
    page: str
    pairs: tuple[Pair, ...]
    columns: tuple[str, ...]
    groups: tuple[Group[Seat], ...]
    others_title: str
    other_columns: tuple[str, ...]
    empty_lines: int
    keep_safe: str
    foot: Foot


def attendance_sheet(of: Basis, words: Wording, meeting: str | None, note: bytes | None) -> bytes:
    """The sheet to sign at a meeting (None: the one that is convened).

    Raises:
        CannotPrint: no such meeting.
    """
    chosen = _chosen(of.rows(meetings), meeting)
    sitting = [row for row in of.members.values() if row.withdrew_on is None]
    sheet = AttendanceSheet(
        lang=words.language,
        title=words.say("attendance", meeting=chosen.meeting),
        place=words.place(of),
        page=words.raw("page"),
        pairs=words.head(of, *about(chosen, words), _quorum(of, len(sitting), words)),
        columns=words.columns(
            "number", "member", "present", "women", "men", "youth", "represented-by", "signature",
        ),
        groups=grouped(sitting, lambda row: Seat(row.member, row.name), words),
        others_title=words.say("others"),
        other_columns=words.columns("name", "organisation", "signature"),
        empty_lines=EMPTY_LINES,
        keep_safe=words.say("keep-safe"),
        foot=foot(of, note, words),
    )  # fmt: skip
    return typeset("attendance", sheet, of.recorded_at)


def about(meeting: MeetingRow, words: Wording) -> tuple[Pair, ...]:
    """Which meeting it is, when and where."""
    return (
        words.pair("cycle", words.word(meeting.cycle)),
        words.pair("day", words.word(meeting.held_on)),
        words.pair("place", meeting.place),
        words.pair("call", words.word(meeting.call)),
    )


def meeting_named(found: Sequence[MeetingRow], number: str) -> MeetingRow:
    """Raises:
    CannotPrint: there is no such meeting; says which there are.
    """
    for row in found:
        if row.meeting == number:
            return row
    raise CannotPrint("meeting-unknown", meeting=number, known=listed(found))


def listed(found: Sequence[MeetingRow]) -> str:
    return ", ".join(row.meeting for row in found) or "—"


def _chosen(found: Sequence[MeetingRow], number: str | None) -> MeetingRow:
    if number is not None:
        return meeting_named(found, number)
    pending = [row for row in found if row.stage in ("convened", "open")]
    if not pending:
        raise CannotPrint("none-convened", known=listed(found))
    return pending[-1]


def _quorum(of: Basis, members: int, words: Wording) -> Pair:
    policy = of.reader.engine.policy(of.state.policy, of.state.policy_version)
    assert policy is not None, "a framework runs under a published policy"
    required = at_least(policy.meeting_quorum.value, members)
    return words.pair("quorum", words.say("quorum-wanted", required=required, members=members))
