"""Meetings and deadlines as RFC 5545 wants them: an agenda that is read again shows what has moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.terms import DeadlineKind, PolicyId
from cycle.catalogue import Language, printable
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.base import identity
from cycle.projections.frameworks import FrameworkRow, frameworks
from cycle.projections.meetings import CalendarRow, calendar
from cycle.projections.places import CommuneRow
from cycle.reading import Filters, Reader
from cycle_adapters.paper.wording import Wording

if TYPE_CHECKING:
    from icalendar import Alarm, Event

REMIND_AT = timedelta(hours=9)
"""On a day without hours, when people are up."""
DAY_BEFORE = 1
SPEAK_OF_DAYS = frozenset(event.type for event in calendar.steps)
"""The facts whose correction may move a day."""


class Known(NamedTuple):
    """What the days of one framework are told with."""

    framework: FrameworkRow
    commune: CommuneRow
    warn_days: int
    corrected: tuple[int, datetime] | None
    """The last correction of a day in it: some day is another one since, though no later fact spoke of it."""


def calendar_ics(
    reader: Reader, filters: Filters, language: Language, *, cutoffs: Cutoffs = EVERYTHING, of: str | None = None
) -> bytes:
    """Every meeting and deadline of some frameworks, of all that the account may read where none is named.

    Args:
        of: what the calendar is called after; nothing where it is everything.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    return days_ics(days(reader, filters, cutoffs), reader, filters, Wording(language), cutoffs, of)


def days(reader: Reader, filters: Filters, cutoffs: Cutoffs) -> list[CalendarRow]:
    """What has a day, in its order."""
    rows = cast("list[CalendarRow]", reader.rows(calendar.name, filters, cutoffs))
    return sorted(rows, key=lambda row: (row.day, row.framework, row.kind, row.about))


def days_ics(
    rows: Iterable[CalendarRow], reader: Reader, filters: Filters, words: Wording, cutoffs: Cutoffs, of: str | None
) -> bytes:
    """The same, of the days that have been read already."""
    # Its parser of dates is slow to load: only who exports days loads it.
    import icalendar

    known = _known(reader, filters, cutoffs)
    name = words.say("calendar") if of is None else words.say("calendar-of", place=of)
    file = icalendar.Calendar()
    file.add("prodid", f"-//cycle//calendar//{words.language.upper()}")
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("method", "PUBLISH")
    file.add("name", printable(name))
    file.add("x-wr-calname", printable(name))
    file.add("refresh-interval", timedelta(days=1), parameters={"VALUE": "DURATION"})
    for row in rows:
        file.add_component(_event(row, known[row.framework], words))
    return bytes(file.to_ical())


def _known(reader: Reader, filters: Filters, cutoffs: Cutoffs) -> dict[str, Known]:
    places = {row.code: row for row in reader.communes(cutoffs)}
    corrected = {
        identity(fact): (fact.recorded.version, fact.recorded.recorded_at)
        for fact in reader.corrections(filters.commune, cutoffs)
        if isinstance(fact.recorded.data, FactCorrected) and fact.recorded.data.fact_type in SPEAK_OF_DAYS
    }
    rows = cast("list[FrameworkRow]", reader.rows(frameworks.name, filters, cutoffs))
    return {
        row.framework: Known(row, places[row.commune], _warn_days(reader, row), corrected.get(row.framework))
        for row in rows
    }


def _warn_days(reader: Reader, row: FrameworkRow) -> int:
    name, _, version = row.policy.rpartition("-")
    policy = reader.engine.policy(PolicyId(name), int(version))
    assert policy is not None, "a framework runs under a published policy"
    return policy.deadline_warning_days.value


def _event(row: CalendarRow, known: Known, words: Wording) -> Event:
    import icalendar

    sequence, said_at = row.version, row.said_at
    if known.corrected is not None and known.corrected[0] > sequence:
        sequence, said_at = known.corrected
    event = icalendar.Event()
    # Never made of what may be corrected or moved: the same day is the same entry for ever.
    event.add("uid", f"{row.kind}-{row.about}-{row.framework}")
    event.add("sequence", sequence)
    event.add("dtstamp", said_at)
    event.add("last-modified", said_at)
    event.add("dtstart", row.day)
    event.add("dtend", _day_after(row.day))
    event.add("summary", printable(_summary(row, known, words)))
    event.add("description", printable(_description(row, known, words)))
    event.add("categories", [words.word(row.kind)])
    event.add("status", "CANCELLED" if row.status == "cancelled" else "CONFIRMED")
    # Nobody is busy all day because a plan ends.
    event.add("transp", "OPAQUE" if row.kind is DeadlineKind.MEETING else "TRANSPARENT")
    if row.kind is DeadlineKind.MEETING and row.text:
        event.add("location", printable(f"{row.text}, {known.commune.name}"))
    if row.status == "open":
        for before in sorted({DAY_BEFORE, known.warn_days}, reverse=True):
            event.add_component(_alarm(before, printable(_summary(row, known, words))))
    return event


def _day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _summary(row: CalendarRow, known: Known, words: Wording) -> str:
    place = known.commune.name
    match row.kind:
        case DeadlineKind.ACTION:
            return words.say("day-action", about=row.about, text=row.text, place=place)
        case DeadlineKind.MEETING | DeadlineKind.CONTRIBUTION:
            return words.say(f"day-{row.kind}", about=row.about, place=place)
        case _:
            return words.say(f"day-{row.kind}", place=place)


def _description(row: CalendarRow, known: Known, words: Wording) -> str:
    status = words.word(row.status)
    return words.say("day-about", title=known.framework.title, id=row.framework, status=status)


def _alarm(days_before: int, summary: str) -> Alarm:
    import icalendar

    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", REMIND_AT - timedelta(days=days_before))
    return alarm
