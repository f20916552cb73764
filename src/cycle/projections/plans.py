"""Plans, their actions, what was promised for them, and the needs that they answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from cycle.aggregates.framework.adjustment import ActionCarriedOver, CycleClosed, PlanAdjusted
from cycle.aggregates.framework.contributions import (
    ContributionPledged,
    ContributionReceived,
    ContributionReneged,
    ContributionWaived,
)
from cycle.aggregates.framework.monitoring import ActionAbandoned, ActionCompleted, ActionStarted, ProgressReported
from cycle.aggregates.framework.needs import NeedAmended, NeedIdentified, NeedWithdrawn
from cycle.aggregates.framework.plan import ActionRegisteredInPdesc, AgreedAction, PlanAgreed, PlanWithdrawn
from cycle.aggregates.framework.proposals import ActionAmended, ActionProposed, ActionWithdrawn
from cycle.aggregates.framework.state import ActionStage
from cycle.aggregates.terms import DecisionMode, Ledger, Nature, NeedKind, Use, Worth
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, one


class PlanRow(Row):
    framework: str
    cycle: int
    plan_version: int
    starts_on: date
    ends_on: date
    agreed_on: date
    mode: DecisionMode
    meeting: str
    in_force: bool = True
    causes: tuple[str, ...] = ()
    projection = "plans"


class ActionRow(Row):
    framework: str
    action: str
    cycle: int
    description: str
    stage: ActionStage = ActionStage.PROPOSED
    responsible: str | None = None
    due_on: date | None = None
    percent: int = 0
    needs: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    continues: str | None = None
    pdesc: str | None = None
    settled_on: date | None = None
    projection = "actions"


class CommitmentRow(Row):
    """``amount`` and ``received`` are XOF for cash, else in ``unit``: never added to each other."""

    framework: str
    contribution: str
    cycle: int
    member: str
    ledger: Ledger
    nature: Nature
    use: Use
    unit: str
    pledged: Decimal
    received: Decimal = Decimal(0)
    status: str = "pledged"
    action: str | None = None
    due_on: date | None = None
    pledged_on: date | None = None
    closed_on: date | None = None
    projection = "commitments"


class NeedRow(Row):
    framework: str
    need: str
    cycle: int
    profession: str
    kind: NeedKind
    description: str
    estimate_xof: int | None = None
    status: str = "open"
    identified_on: date | None = None
    answered_by: tuple[str, ...] = ()
    answered_in_cycle: int | None = None
    answered_on: date | None = None
    projection = "needs"


plans = Projection(PlanRow)
actions = Projection(ActionRow)
commitments = Projection(CommitmentRow)
needs = Projection(NeedRow)


@plans.on(PlanAgreed, PlanAdjusted, PlanWithdrawn, CycleClosed, rows=one("cycle"))
def plan_changed(row: PlanRow | None, fact: Fact, part: None) -> PlanRow | None:
    match fact.recorded.data:
        case PlanAgreed() as event:
            return PlanRow(
                commune=fact.recorded.log,
                framework=identity(fact),
                cycle=event.cycle,
                plan_version=event.plan_version,
                starts_on=event.window.starts_on,
                ends_on=event.window.ends_on,
                agreed_on=fact.recorded.occurred_on,
                mode=event.mode,
                meeting=event.meeting,
            )
        case PlanAdjusted(plan_version=version, causes=causes):
            return row and replace(row, plan_version=version, causes=causes)
        case PlanWithdrawn():
            return None
        case CycleClosed():
            return row and replace(row, in_force=False)
    return row


@actions.on(
    ActionProposed,
    ActionAmended,
    ActionWithdrawn,
    ActionRegisteredInPdesc,
    ActionStarted,
    ProgressReported,
    ActionCompleted,
    ActionAbandoned,
    ActionCarriedOver,
    rows=one("action"),
)
def action_changed(row: ActionRow | None, fact: Fact, part: None) -> ActionRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, ActionProposed):
        return ActionRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            action=event.action,
            cycle=event.cycle,
            description=event.description,
            responsible=event.responsible,
            due_on=event.due_on,
            needs=event.needs,
            obstacles=event.obstacles,
            continues=event.continues,
        )
    if row is None:
        return None
    match event:
        case ActionAmended():
            return replace(
                row,
                description=event.description or row.description,
                needs=row.needs if event.needs is None else event.needs,
                obstacles=row.obstacles if event.obstacles is None else event.obstacles,
                responsible=event.responsible or row.responsible,
                due_on=event.due_on or row.due_on,
            )
        case ActionRegisteredInPdesc(reference=reference):
            return replace(row, pdesc=reference)
        case ActionStarted():
            return replace(row, stage=ActionStage.STARTED)
        case ProgressReported(percent=percent):
            return replace(row, percent=percent)
        case ActionCompleted():
            return replace(row, stage=ActionStage.COMPLETED, percent=100, settled_on=day)
        case ActionAbandoned():
            return replace(row, stage=ActionStage.ABANDONED, settled_on=day)
        case ActionCarriedOver():
            return replace(row, stage=ActionStage.CARRIED_OVER, settled_on=day)
    return None


def _of_actions(fact: Fact) -> Iterable[tuple[str, AgreedAction | None]]:
    """What a plan says of each action: None when it takes the action out."""
    event, place = fact.recorded.data, identity(fact)
    match event:
        case PlanAdjusted(actions=agreed, dropped=dropped):
            return [*((f"{place}/{a.action}", a) for a in agreed), *((f"{place}/{a}", None) for a in dropped)]
        case PlanAgreed(actions=agreed):
            return [(f"{place}/{a.action}", a) for a in agreed]
        case PlanWithdrawn(actions=withdrawn):
            return [(f"{place}/{a}", None) for a in withdrawn]
    return ()


@actions.on(PlanAgreed, PlanAdjusted, PlanWithdrawn, rows=_of_actions)
def plan_of_action_changed(row: ActionRow | None, fact: Fact, part: AgreedAction | None) -> ActionRow | None:
    event = fact.recorded.data
    if isinstance(event, PlanWithdrawn):
        return row and replace(row, stage=ActionStage.PROPOSED)
    assert isinstance(event, PlanAgreed | PlanAdjusted)
    if part is None:
        return None
    if row is None:
        row = ActionRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            action=part.action,
            cycle=event.cycle,
            description=part.description,
            needs=part.needs,
            obstacles=part.obstacles,
        )
    stage = ActionStage.AGREED if row.stage is ActionStage.PROPOSED else row.stage
    return replace(row, stage=stage, description=part.description, responsible=part.responsible, due_on=part.due_on)


@commitments.on(
    ContributionPledged,
    ContributionReceived,
    ContributionWaived,
    ContributionReneged,
    rows=one("contribution"),
)
def commitment_changed(row: CommitmentRow | None, fact: Fact, part: None) -> CommitmentRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, ContributionPledged):
        return CommitmentRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            contribution=event.contribution,
            cycle=event.cycle,
            member=event.member,
            ledger=event.ledger,
            nature=event.nature,
            use=event.use,
            unit=event.worth.unit or "XOF",
            pledged=_amount(event.worth),
            action=event.action,
            due_on=event.due_on,
            pledged_on=day,
        )
    if row is None:
        return None
    match event:
        case ContributionReceived(worth=worth):
            received = row.received + _amount(worth)
            complete = received >= row.pledged
            status = "received" if complete else "partly-received"
            return replace(row, received=received, status=status, closed_on=day if complete else None)
        case ContributionWaived():
            return replace(row, status="waived", closed_on=day)
        case _:
            return replace(row, status="reneged", closed_on=day)


def _amount(worth: Worth) -> Decimal:
    return Decimal(worth.amount_xof) if worth.amount_xof is not None else worth.quantity or Decimal(0)


@needs.on(NeedIdentified, NeedAmended, NeedWithdrawn, rows=one("need"))
def need_changed(row: NeedRow | None, fact: Fact, part: None) -> NeedRow | None:
    event = fact.recorded.data
    if isinstance(event, NeedIdentified):
        return NeedRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            need=event.need,
            cycle=event.cycle,
            profession=event.profession,
            kind=event.kind,
            description=event.description,
            estimate_xof=event.estimate_xof,
            identified_on=fact.recorded.occurred_on,
        )
    if row is None:
        return None
    match event:
        case NeedAmended(kind=kind, description=description, estimate_xof=estimate):
            estimate = row.estimate_xof if estimate is None else estimate
            return replace(
                row, kind=kind or row.kind, description=description or row.description, estimate_xof=estimate
            )
        case _:
            return replace(row, status="withdrawn")


def _answered(fact: Fact) -> Iterable[tuple[str, list[str]]]:
    """Each need with the actions that answer it."""
    event, place = fact.recorded.data, identity(fact)
    assert isinstance(event, PlanAgreed | PlanAdjusted)
    found: dict[str, list[str]] = {}
    for action in event.actions:
        for need in action.needs:
            found.setdefault(f"{place}/{need}", []).append(action.action)
    return found.items()


@needs.on(PlanAgreed, PlanAdjusted, rows=_answered)
def need_answered(row: NeedRow | None, fact: Fact, part: list[str]) -> NeedRow | None:
    event = fact.recorded.data
    assert isinstance(event, PlanAgreed | PlanAdjusted)
    if row is None:
        return None
    return replace(
        row,
        status="answered",
        answered_by=tuple(dict.fromkeys((*row.answered_by, *part))),
        answered_in_cycle=row.answered_in_cycle or event.cycle,
        answered_on=row.answered_on or fact.recorded.occurred_on,
    )
