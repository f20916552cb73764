"""Durations beside those of spells: how late actions are, and until needs are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from cycle.projections.base import Projection
from cycle.projections.runs import ActionEnd, action_run, need_run
from cycle.projections.spells import Mark
from cycle.timings.cases import completion, done_of
from cycle.timings.durations import Duration, Ended, Kind, Rows
from cycle.timings.sheets import Sheet, sheets


class Span(Struct, frozen=True):
    """What is measured, as a ``Metric`` is, from the sheets of frameworks."""

    id: str
    of: Callable[[Sheet], Iterable[Duration]]
    projections: tuple[Projection[Any], ...]
    signed: bool = False
    kind: Kind = Kind.SIDE_BY_SIDE
    apart: bool = False
    compared: bool = False
    active: bool = False

    def durations(self, rows: Rows, on: date) -> Iterator[Duration]:
        """All of them as they are on a day, framework by framework, in the order in which they begin."""
        for sheet in sheets(rows, self.projections, on):
            yield from sorted(self.of(sheet), key=lambda each: (each.start.version, each.about or ""))


def lateness(sheet: Sheet) -> Iterator[Duration]:
    """From the day of an action, as its plan said, to its completion; negative: early.

    One that was abandoned, withdrawn or carried over ended otherwise; one whose day is to come is not late yet.
    """
    for row in sheet.of(action_run):
        done = row.outcome is ActionEnd.COMPLETED
        if row.ended or row.due_on < sheet.last_day:
            yield _span(sheet, row.agreed, row.ended, done, row.action, row.due_on)


def until_planned(sheet: Sheet) -> Iterator[Duration]:
    """From a need identified to the first plan that takes it up."""
    for row in sheet.of(need_run):
        yield _span(sheet, row.identified, row.planned or row.withdrawn, row.planned is not None, row.need)


def until_completed(sheet: Sheet) -> Iterator[Duration]:
    """From a need identified to the completion of an action that answers it, or of one that continues that."""
    known = done_of({row.action: row for row in sheet.of(action_run)})
    for row in sheet.of(need_run):
        done = completion(row, known)
        yield _span(sheet, row.identified, done or row.withdrawn, done is not None, row.need)


def _span(
    sheet: Sheet, start: Mark, end: Mark | None, reached: bool, about: str, since: date | None = None
) -> Duration:
    """The time between two facts; where there is no second one, the end of the framework cuts it off."""
    last = end or sheet.dissolved
    ended = Ended.CLOSED if reached else Ended.OTHERWISE if end else Ended.DISSOLVED if last else Ended.RUNNING
    return Duration(
        commune=sheet.commune,
        framework=sheet.framework,
        cycle=sheet.cycle(start),
        policy=sheet.policy(start),
        start=start,
        end=last,
        days=((last.on if last else sheet.on) - (since or start.on)).days,
        ended=ended,
        about=about,
        since=since,
    )


SPANS: Mapping[str, Span] = {
    span.id: span
    for span in (
        Span("M7-late", lateness, (action_run,), signed=True),
        Span("M9-planned", until_planned, (need_run,)),
        Span("M9-completed", until_completed, (need_run, action_run)),
    )
}
"""By id, in the order of the definitions."""
