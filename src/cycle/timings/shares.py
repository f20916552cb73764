"""The shares M7 to M11 of the evaluator: which case adds what to which of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import Struct

from cycle.projections.base import Projection
from cycle.projections.frameworks import members
from cycle.projections.runs import ActionEnd, action_run, meeting_run, need_run, promise_run, recording_run
from cycle.timings.cases import (
    ActionCase,
    AnyCase,
    MeetingCase,
    NeedCase,
    PromiseCase,
    RecordingCase,
    actions_of,
    meetings_of,
    needs_of,
    promises_of,
    recordings_of,
)
from cycle.timings.durations import Rows
from cycle.timings.measuring import LATE_DAYS
from cycle.timings.sheets import Sheet, sheets

Amount = int | Decimal
MANY_CYCLES = 3
"""Needs that waited for so many plans and more are told together."""


class Part(NamedTuple):
    """What one case adds to a share. ``about``: of which things, such as a nature or a constituency."""

    code: str
    part: Amount
    of: Amount
    about: str | None = None
    unit: str | None = None


class Count(NamedTuple):
    """What one case adds to a plain number."""

    code: str
    many: int = 1


class Measure(Struct, frozen=True):
    """What shares are taken of. ``cases``: those of one framework, made from the rows of ``projections``.

    ``codes`` and ``counted`` are what parts and counts are called, in the order in which they are told. ``series``:
    what of a case is told against the framework's own first; None: nothing of it.
    """

    id: str
    codes: tuple[str, ...]
    counted: tuple[str, ...]
    projections: tuple[Projection[Any], ...]
    cases: Callable[[Sheet], Iterable[AnyCase]]
    parts: Callable[[Any], Iterable[Part]]
    counts: Callable[[Any], Iterable[Count]]
    series: Callable[[Any], int | None] | None = None

    def placed(self, rows: Rows, on: date) -> Iterator[tuple[str, AnyCase]]:
        """All cases as they are on a day, framework by framework, each with where it stands among all."""
        for sheet in sheets(rows, self.projections, on):
            for number, case in enumerate(self.cases(sheet), 1):
                yield f"{case.framework}/{number:08}", case


def _parts_of_action(case: ActionCase) -> Iterator[Part]:
    about = "added" if case.added else "agreed"
    if case.due:
        kept = case.outcome is ActionEnd.COMPLETED and case.ended is not None and case.ended.on <= case.due_on
        yield Part("completed-by-due", kept, 1, about)
    if case.closed:
        for outcome in ActionEnd:
            yield Part(outcome.value, case.outcome is outcome, 1, about)


def _counts_of_action(case: ActionCase) -> Iterator[Count]:
    yield Count("added" if case.added else "agreed")
    if not case.due:
        yield Count("not-due")
    if not case.closed:
        yield Count("plan-running")
    if case.carried > 1:
        yield Count("carried-again")


def _parts_of_promise(case: PromiseCase) -> Iterator[Part]:
    if case.due_promises:
        yield Part("in-full-by-due", case.in_full_by_due, case.due_promises)
        yield Part("received-by-due", case.received_by_due, case.due, case.nature.value, case.unit)
    yield Part("received", case.received, case.pledged, case.nature.value, case.unit)


def _counts_of_promise(case: PromiseCase) -> Iterator[Count]:
    yield Count("promises", case.promises)
    yield Count("not-due", case.promises - case.due_promises - case.undated)
    yield Count("undated", case.undated)
    yield Count("waived", case.waived)
    yield Count("reneged", case.reneged)


def _parts_of_need(case: NeedCase) -> Iterator[Part]:
    if case.asked and (case.planned or not case.withdrawn):
        yield Part("planned-at-once", case.planned is not None and case.waited == 0, 1)
    if case.planned and case.closed:
        done = case.completed is not None and case.completed.version < case.closed.version
        yield Part("completed-in-cycle", done, 1)


def _counts_of_need(case: NeedCase) -> Iterator[Count]:
    yield Count("identified")
    if case.planned:
        many = case.waited >= MANY_CYCLES
        yield Count(f"waited-{MANY_CYCLES}-or-more" if many else f"waited-{case.waited}")
    elif case.withdrawn:
        yield Count("withdrawn")
    else:
        yield Count("waiting")
    if case.completed:
        yield Count("completed")


def _parts_of_meeting(case: MeetingCase) -> Iterator[Part]:
    if not case.listed:
        return
    yield Part("women", case.women, case.people)
    # Whoever typed more young people than people has made a slip; a share is at most all of them.
    yield Part("youth", min(case.youth, case.people), case.people)
    yield Part("members", case.present, case.members)
    for constituency, there in case.constituencies.items():
        yield Part("constituency", there, 1, constituency)


def _counts_of_meeting(case: MeetingCase) -> Iterator[Count]:
    yield Count("meetings")
    yield Count("opened" if case.opened else "not-opened")
    if not case.listed:
        yield Count("without-list")


def _people(case: MeetingCase) -> int | None:
    return case.people if case.listed else None


def _parts_of_recording(case: RecordingCase) -> Iterator[Part]:
    yield Part("late", sum(count for days, count in case.lags if days > LATE_DAYS), case.facts)


def _counts_of_recording(case: RecordingCase) -> Iterator[Count]:
    yield Count("facts", case.facts)


SHARES: Mapping[str, Measure] = {
    measure.id: measure
    for measure in (
        Measure(
            "M7",
            ("completed-by-due", *map(str, ActionEnd)),
            ("agreed", "added", "not-due", "plan-running", "carried-again"),
            (action_run,),
            actions_of,
            _parts_of_action,
            _counts_of_action,
        ),
        Measure(
            "M8",
            ("in-full-by-due", "received-by-due", "received"),
            ("promises", "not-due", "undated", "waived", "reneged"),
            (promise_run,),
            promises_of,
            _parts_of_promise,
            _counts_of_promise,
        ),
        Measure(
            "M9",
            ("planned-at-once", "completed-in-cycle"),
            ("identified", "waited-0", "waited-1", "waited-2", "waited-3-or-more", "completed", "waiting", "withdrawn"),
            (need_run, action_run),
            needs_of,
            _parts_of_need,
            _counts_of_need,
        ),
        Measure(
            "M10",
            ("women", "youth", "members", "constituency"),
            ("meetings", "opened", "not-opened", "without-list"),
            (meeting_run, members),
            meetings_of,
            _parts_of_meeting,
            _counts_of_meeting,
            _people,
        ),
        Measure(
            "M11",
            ("late",),
            ("facts",),
            (recording_run,),
            recordings_of,
            _parts_of_recording,
            _counts_of_recording,
        ),
    )
}
"""By id, in the order of the definitions."""
