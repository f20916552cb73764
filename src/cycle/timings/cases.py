"""What shares are taken of: each action, promise, need, meeting and month of recording, with its facts.

A case leads to its facts by their ids, as a duration does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby

from msgspec import Struct

from cycle.aggregates.terms import Nature
from cycle.projections.frameworks import MemberRow, members
from cycle.projections.runs import (
    ActionEnd,
    ActionRunRow,
    NeedRunRow,
    PromiseRunRow,
    action_run,
    meeting_run,
    need_run,
    promise_run,
    recording_run,
)
from cycle.projections.spells import Mark, cycle_interval
from cycle.timings.sheets import Sheet


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="case"):
    """One of what shares are taken of. ``policy``: the one in force when it began."""

    commune: str
    framework: str
    policy: str


class ActionCase(Case, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="action"):
    """An action of a plan.

    ``due``: its day had come by the day of the look, or before its framework was dissolved. ``late_days``: from its
    day to its completion, negative: early. ``carried``: how often what it is about has been carried over, itself
    included. ``added``: taken up by an adjustment, not by the plan as it was agreed.
    """

    cycle: int
    action: str
    due_on: date
    due: bool
    agreed: Mark
    added: bool = False
    moved_to: date | None = None
    outcome: ActionEnd | None = None
    ended: Mark | None = None
    closed: Mark | None = None
    late_days: int | None = None
    carried: int = 0

    @property
    def marks(self) -> Iterable[Mark]:
        return filter(None, (self.agreed, self.ended))


class PromiseCase(Case, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="promise"):
    """What one member promised of one nature, in one unit: XOF for cash.

    ``due``: as much of it had its day, and ``received_by_due`` of that had arrived by then. ``undated`` has no day.
    Deliveries count up to what was promised. ``events``: the pledges, what arrived of them, and how they ended.
    """

    member: str
    nature: Nature
    unit: str
    promises: int
    pledged: Decimal
    received: Decimal
    due_promises: int
    due: Decimal
    received_by_due: Decimal
    in_full_by_due: int
    undated: int = 0
    waived: int = 0
    reneged: int = 0
    events: tuple[Mark, ...] = ()

    @property
    def marks(self) -> Iterable[Mark]:
        return self.events


class NeedCase(Case, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="need"):
    """A need. ``waited``: how many plans were agreed without it since it was identified, so far or until one had it.

    ``asked``: a plan has been agreed since. ``closed``: the cycle in which it was planned first.
    """

    cycle: int
    need: str
    identified: Mark
    asked: bool
    waited: int
    planned: Mark | None = None
    planned_in: int | None = None
    completed: Mark | None = None
    withdrawn: Mark | None = None
    closed: Mark | None = None

    @property
    def marks(self) -> Iterable[Mark]:
        return filter(None, (self.identified, self.planned, self.completed, self.withdrawn))


class MeetingCase(Case, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="meeting"):
    """Who came to a meeting. ``opened`` False: it was put off because too few had come, or for another reason.

    ``listed`` False: there is no attendance list, and nothing is counted. ``constituencies``: those that have a
    member, and whether somebody of it came.
    """

    cycle: int
    meeting: str
    held: Mark
    opened: bool
    listed: bool
    women: int
    men: int
    youth: int
    present: int
    members: int
    constituencies: dict[str, bool]

    @property
    def people(self) -> int:
        return self.women + self.men

    @property
    def marks(self) -> Iterable[Mark]:
        return (self.held,)


class RecordingCase(Case, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="recording"):
    """The facts of a framework that were recorded in one month: those with the versions from ``first`` to ``last``.

    ``lags``: days, and how many facts. ``slowest``: the one that was recorded latest after it happened.
    """

    month: str
    facts: int
    first: Mark
    last: Mark
    slowest: Mark
    lags: tuple[tuple[int, int], ...]

    @property
    def marks(self) -> Iterable[Mark]:
        return ()


AnyCase = ActionCase | PromiseCase | NeedCase | MeetingCase | RecordingCase


def actions_of(sheet: Sheet) -> Iterator[ActionCase]:
    """Each action of each plan."""
    known = {row.action: row for row in sheet.of(action_run)}
    for row in sorted(known.values(), key=lambda each: (each.agreed.version, _number(each.action))):
        done = row.ended if row.outcome is ActionEnd.COMPLETED else None
        yield ActionCase(
            commune=row.commune,
            framework=row.framework,
            policy=sheet.policy(row.agreed),
            cycle=row.cycle,
            action=row.action,
            due_on=row.due_on,
            due=row.due_on <= sheet.last_day,
            agreed=row.agreed,
            added=row.added,
            moved_to=row.moved_to,
            outcome=row.outcome,
            ended=row.ended,
            closed=row.closed,
            late_days=(done.on - row.due_on).days if done else None,
            carried=sum(each.outcome is ActionEnd.CARRIED_OVER for each in _line(row, known)),
        )


def _line(row: ActionRunRow, known: Mapping[str, ActionRunRow]) -> Iterator[ActionRunRow]:
    """An action, what it continues, what that continues …"""
    seen: ActionRunRow | None = row
    while seen is not None:
        yield seen
        seen = known.get(seen.continues) if seen.continues else None


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def promises_of(sheet: Sheet) -> Iterator[PromiseCase]:
    """What each member promised, by nature and unit."""

    def place(row: PromiseRunRow) -> tuple[int, str, str]:
        return _number(row.member), row.nature.value, row.unit

    for _, rows in groupby(sorted(sheet.of(promise_run), key=place), place):
        yield _promised(sheet, sorted(rows, key=lambda row: row.pledged.version))


def _promised(sheet: Sheet, rows: list[PromiseRunRow]) -> PromiseCase:
    first = rows[0]
    due = [(row, row.due_on) for row in rows if row.due_on is not None and row.due_on <= sheet.last_day]
    by_due = [_arrived(row, day) for row, day in due]
    return PromiseCase(
        commune=first.commune,
        framework=first.framework,
        policy=sheet.policy(first.pledged),
        member=first.member,
        nature=first.nature,
        unit=first.unit,
        promises=len(rows),
        pledged=sum((row.amount for row in rows), Decimal(0)),
        received=sum((_arrived(row, sheet.on) for row in rows), Decimal(0)),
        due_promises=len(due),
        due=sum((row.amount for row, _ in due), Decimal(0)),
        received_by_due=sum(by_due, Decimal(0)),
        in_full_by_due=sum(arrived >= row.amount for arrived, (row, _) in zip(by_due, due, strict=True)),
        undated=sum(row.due_on is None for row in rows),
        waived=sum(row.ended is not None and not row.reneged for row in rows),
        reneged=sum(row.reneged for row in rows),
        events=tuple(mark for row in rows for mark in _steps(row)),
    )


def _arrived(row: PromiseRunRow, by: date) -> Decimal:
    """What had arrived by a day, up to what was promised."""
    return min(row.amount, sum((each.amount for each in row.deliveries if each.received.on <= by), Decimal(0)))


def _steps(row: PromiseRunRow) -> Iterable[Mark]:
    return filter(None, (row.pledged, *(each.received for each in row.deliveries), row.ended))


def needs_of(sheet: Sheet) -> Iterator[NeedCase]:
    """Each need, and how far it has come."""
    actions = {row.action: row for row in sheet.of(action_run)}
    done = done_of(actions)
    for row in sorted(sheet.of(need_run), key=lambda each: each.identified.version):
        until = min((mark.version for mark in (row.planned, row.withdrawn) if mark), default=None)
        asked = [
            each.cycle
            for each in sheet.of(cycle_interval)
            if each.cycle
            and each.began.version > row.identified.version
            and (until is None or each.began.version <= until)
        ]
        own = [actions[each] for each in row.actions if each in actions]
        first = [each for each in own if each.cycle == row.planned_in]
        # A plan that was taken back and agreed anew with it is the same plan; one that took it up later is not.
        later = bool(first) and all(each.added for each in first)
        waited = sum(row.planned_in is None or cycle < row.planned_in + later for cycle in asked)
        yield NeedCase(
            commune=row.commune,
            framework=row.framework,
            policy=sheet.policy(row.identified),
            cycle=row.cycle,
            need=row.need,
            identified=row.identified,
            asked=bool(asked) or row.planned is not None,
            waited=waited,
            planned=row.planned,
            planned_in=row.planned_in,
            completed=completion(row, done),
            withdrawn=row.withdrawn,
            closed=next((each.closed for each in first if each.closed), None),
        )


Done = Mapping[str, Sequence[Mark]]
"""By action, its completion and those of whatever continues it."""


def done_of(actions: Mapping[str, ActionRunRow]) -> Done:
    """What was completed of the actions of a framework."""
    found: dict[str, list[Mark]] = {}
    for row in actions.values():
        if row.outcome is ActionEnd.COMPLETED and row.ended:
            for each in _line(row, actions):
                found.setdefault(each.action, []).append(row.ended)
    return found


def completion(row: NeedRunRow, done: Done) -> Mark | None:
    """The first completion of an action that answers a need, or of one that continues such an action."""
    found = (mark for action in row.actions for mark in done.get(action, ()))
    return min(found, key=lambda mark: (mark.on, mark.version), default=None)


def meetings_of(sheet: Sheet) -> Iterator[MeetingCase]:
    """Each meeting that people came to, in order."""
    known = sheet.of(members)
    for row in sorted(sheet.of(meeting_run), key=lambda each: each.held.version):
        there = {each.constituency.value for each in known if each.member in row.came}
        asked = {each.constituency.value for each in known if _belonged(each, row.held.on)}
        yield MeetingCase(
            commune=row.commune,
            framework=row.framework,
            policy=sheet.policy(row.held),
            cycle=sheet.cycle(row.held),
            meeting=row.meeting,
            held=row.held,
            opened=row.opened,
            listed=row.listed,
            women=row.women,
            men=row.men,
            youth=row.youth,
            present=len(row.came),
            members=max(row.members, len(row.came)),
            constituencies={each: each in there for each in sorted(there | asked)},
        )


def _belonged(member: MemberRow, on: date) -> bool:
    """Whether a member was one on a day."""
    came, left = member.admitted_on, member.withdrew_on
    return (came is None or came <= on) and (left is None or left > on)


def recordings_of(sheet: Sheet) -> Iterator[RecordingCase]:
    """Each month in which facts were recorded."""
    for row in sheet.of(recording_run):
        yield RecordingCase(
            commune=row.commune,
            framework=row.framework,
            policy=sheet.policy(row.first),
            month=row.month,
            facts=sum(count for _, count in row.lags),
            first=row.first,
            last=row.last,
            slowest=row.slowest,
            lags=row.lags,
        )
