"""What shares are made of: actions of plans, promises, needs and meetings, each with its facts; and recording lags.

As with spells, each step is a ``Mark``: from a number one can walk to its facts. What ended once stays ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.adjustment import ActionCarriedOver, CycleClosed, PlanAdjusted
from cycle.aggregates.framework.attendance import came
from cycle.aggregates.framework.contributions import (
    ContributionPledged,
    ContributionReceived,
    ContributionReneged,
    ContributionWaived,
)
from cycle.aggregates.framework.meetings import MeetingAdjourned, MeetingOpened
from cycle.aggregates.framework.monitoring import ActionAbandoned, ActionCompleted
from cycle.aggregates.framework.needs import NeedIdentified, NeedWithdrawn
from cycle.aggregates.framework.plan import AgreedAction, PlanAgreed, PlanWithdrawn
from cycle.aggregates.framework.root import framework
from cycle.aggregates.terms import Nature, Worth
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, one
from cycle.projections.spells import Mark, marked


class ActionEnd(StrEnum):
    """How an action of a plan ended."""

    COMPLETED = "completed"
    CARRIED_OVER = "carried-over"
    ABANDONED = "abandoned"
    WITHDRAWN = "withdrawn"


class ActionRunRow(Row):
    """An action from the plan that took it up to its end.

    ``due_on`` as that plan said, ``moved_to`` as a later version says. ``added``: taken up by an adjustment.
    ``closed``: the cycle was.
    """

    framework: str
    action: str
    cycle: int
    due_on: date
    agreed: Mark
    needs: tuple[str, ...] = ()
    continues: str | None = None
    added: bool = False
    moved_to: date | None = None
    ended: Mark | None = None
    outcome: ActionEnd | None = None
    closed: Mark | None = None
    projection = "action_run"


class Delivery(Struct, frozen=True, gc=False):
    """What arrived of a promise at once."""

    received: Mark
    amount: Decimal


class PromiseRunRow(Row):
    """A promise and what arrived of it; XOF for cash, else in ``unit``. ``reneged``: it was said not to come."""

    framework: str
    contribution: str
    cycle: int
    member: str
    nature: Nature
    unit: str
    amount: Decimal
    pledged: Mark
    due_on: date | None = None
    deliveries: tuple[Delivery, ...] = ()
    ended: Mark | None = None
    reneged: bool = False
    projection = "promise_run"


class NeedRunRow(Row):
    """A need; ``planned``: the first plan that took it up. ``actions`` are all that a plan took up for it."""

    framework: str
    need: str
    cycle: int
    identified: Mark
    planned: Mark | None = None
    planned_in: int | None = None
    actions: tuple[str, ...] = ()
    withdrawn: Mark | None = None
    projection = "need_run"


class MeetingRunRow(Row):
    """A meeting to which people came, whether it could be ``opened`` or not.

    ``youth`` are among women and men; ``came`` are the members for whom somebody came. ``listed``: there is an
    attendance list.
    """

    framework: str
    meeting: str
    held: Mark
    opened: bool
    listed: bool
    women: int = 0
    men: int = 0
    youth: int = 0
    came: tuple[str, ...] = ()
    members: int = 0
    projection = "meeting_run"


class RecordingRunRow(Row):
    """How late the facts of a framework were recorded that were recorded in one month.

    ``lags`` holds days and how many facts. They are those with the versions from ``first`` to ``last``.
    """

    framework: str
    month: str
    first: Mark
    last: Mark
    slowest: Mark
    lags: tuple[tuple[int, int], ...]
    projection = "recording_run"


action_run = Projection(ActionRunRow)
promise_run = Projection(PromiseRunRow)
need_run = Projection(NeedRunRow)
meeting_run = Projection(MeetingRunRow)
recording_run = Projection(RecordingRunRow)


def _of_plan(fact: Fact) -> Iterable[tuple[str, AgreedAction | None]]:
    """What a plan says of each action; None: it is not in it any more, or how it ended stands in the fact."""
    event, place = fact.recorded.data, identity(fact)
    match event:
        case PlanAgreed(actions=agreed):
            return [(f"{place}/{each.action}", each) for each in agreed]
        case PlanAdjusted(actions=agreed, dropped=dropped):
            stay = [(f"{place}/{each.action}", each) for each in agreed]
            return [*stay, *((f"{place}/{each}", None) for each in dropped)]
        case PlanWithdrawn(actions=withdrawn):
            return [(f"{place}/{each}", None) for each in withdrawn]
        case CycleClosed(actions=settled):
            return [(f"{place}/{each.action}", None) for each in settled]
    return ()


@action_run.on(PlanAgreed, PlanAdjusted, PlanWithdrawn, CycleClosed, rows=_of_plan)
def planned(row: ActionRunRow | None, fact: Fact, part: AgreedAction | None) -> ActionRunRow | None:
    event, mark = fact.recorded.data, marked(fact)
    match event:
        case PlanAgreed(cycle=cycle) | PlanAdjusted(cycle=cycle) if part is not None:
            if row is not None and isinstance(event, PlanAdjusted):
                moved = part.due_on if part.due_on != row.due_on else None
                return replace(row, moved_to=moved)
            return ActionRunRow(
                commune=fact.recorded.log,
                framework=identity(fact),
                action=part.action,
                cycle=cycle,
                due_on=part.due_on,
                agreed=mark,
                needs=part.needs,
                continues=part.continues,
                added=isinstance(event, PlanAdjusted),
            )
        case PlanAdjusted():
            return row and _ended(row, mark, ActionEnd.WITHDRAWN)
        case CycleClosed():
            return row and replace(row, closed=mark)
    # The whole plan was taken back before anything had started: its actions are proposals again.
    return None


@action_run.on(ActionCompleted, ActionAbandoned, ActionCarriedOver, rows=one("action"))
def settled(row: ActionRunRow | None, fact: Fact, part: None) -> ActionRunRow | None:
    outcomes = {
        ActionCompleted: ActionEnd.COMPLETED,
        ActionAbandoned: ActionEnd.ABANDONED,
        ActionCarriedOver: ActionEnd.CARRIED_OVER,
    }
    return row and _ended(row, marked(fact), outcomes[type(fact.recorded.data)])


def _ended(row: ActionRunRow, mark: Mark, outcome: ActionEnd) -> ActionRunRow:
    return row if row.ended else replace(row, ended=mark, outcome=outcome)


@promise_run.on(
    ContributionPledged, ContributionReceived, ContributionWaived, ContributionReneged, rows=one("contribution")
)
def promised(row: PromiseRunRow | None, fact: Fact, part: None) -> PromiseRunRow | None:
    event, mark = fact.recorded.data, marked(fact)
    if isinstance(event, ContributionPledged):
        return PromiseRunRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            contribution=event.contribution,
            cycle=event.cycle,
            member=event.member,
            nature=event.nature,
            unit=event.worth.unit or "XOF",
            amount=_amount(event.worth),
            pledged=mark,
            due_on=event.due_on,
        )
    if row is None:
        return None
    match event:
        case ContributionReceived(worth=worth):
            # Where the unit of a pledge was set right, a delivery counts once it has followed.
            fits = (worth.unit or "XOF") == row.unit
            return replace(row, deliveries=(*row.deliveries, Delivery(mark, _amount(worth)))) if fits else row
        case _ if row.ended is None:
            return replace(row, ended=mark, reneged=isinstance(event, ContributionReneged))
    return row


def _amount(worth: Worth) -> Decimal:
    return Decimal(worth.amount_xof) if worth.amount_xof is not None else worth.quantity or Decimal(0)


@need_run.on(NeedIdentified, NeedWithdrawn, rows=one("need"))
def named(row: NeedRunRow | None, fact: Fact, part: None) -> NeedRunRow | None:
    event = fact.recorded.data
    if isinstance(event, NeedIdentified):
        return NeedRunRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            need=event.need,
            cycle=event.cycle,
            identified=marked(fact),
        )
    return row and replace(row, withdrawn=marked(fact))


def _answering(fact: Fact) -> Iterable[tuple[str, list[str]]]:
    """Each need with the actions by which a plan answers it."""
    found: dict[str, list[str]] = {}
    for action in fact.recorded.data.actions:  # type: ignore[attr-defined]
        for need in action.needs:
            found.setdefault(f"{identity(fact)}/{need}", []).append(action.action)
    return found.items()


@need_run.on(PlanAgreed, PlanAdjusted, rows=_answering)
def answered(row: NeedRunRow | None, fact: Fact, part: list[str]) -> NeedRunRow | None:
    if row is None:
        return None
    row = replace(row, actions=tuple(dict.fromkeys((*row.actions, *part))))
    cycle: int = fact.recorded.data.cycle  # type: ignore[attr-defined]
    return row if row.planned else replace(row, planned=marked(fact), planned_in=cycle)


@meeting_run.on(MeetingOpened, MeetingAdjourned, rows=one("meeting"))
def met(row: MeetingRunRow | None, fact: Fact, part: None) -> MeetingRunRow | None:
    event = fact.recorded.data
    assert isinstance(event, MeetingOpened | MeetingAdjourned)
    there, opened = event.attendance, isinstance(event, MeetingOpened)
    if row is not None and row.listed:
        # Who came is who was there at the beginning.
        return row
    return MeetingRunRow(
        commune=fact.recorded.log,
        framework=identity(fact),
        meeting=event.meeting,
        held=marked(fact) if row is None else row.held,
        opened=opened or (row is not None and row.opened),
        listed=bool(there),
        women=sum(each.women for each in there),
        men=sum(each.men for each in there),
        youth=sum(each.youth for each in there),
        came=tuple(each.member for each in there if came(each)),
        members=(event.quorum.of if isinstance(event, MeetingOpened) else 0) or len(there),
    )


def _month(fact: Fact) -> Iterable[tuple[str, str]]:
    at = fact.recorded.recorded_at
    month = f"{at.year}-{at.month:02}"
    return ((f"{identity(fact)}/{month}", month),)


@recording_run.on(*framework.events, rows=_month)
def recorded(row: RecordingRunRow | None, fact: Fact, part: str) -> RecordingRunRow:
    mark = marked(fact)
    if row is None:
        return RecordingRunRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            month=part,
            first=mark,
            last=mark,
            slowest=mark,
            lags=((mark.lag, 1),),
        )
    lags = dict(row.lags)
    lags[mark.lag] = lags.get(mark.lag, 0) + 1
    slowest = mark if mark.lag > row.slowest.lag else row.slowest
    return replace(row, last=mark, slowest=slowest, lags=tuple(sorted(lags.items())))
