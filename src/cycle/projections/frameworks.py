"""Frameworks at a glance, and their members."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from cycle.aggregates.framework.adjustment import CycleOpened, PlanAdjusted, ReviewOpened
from cycle.aggregates.framework.anytime import FrameworkDissolved, FrameworkResumed, FrameworkSuspended
from cycle.aggregates.framework.council import FrameworkFormalised
from cycle.aggregates.framework.monitoring import MonitoringStarted
from cycle.aggregates.framework.needs import NeedsIdentificationClosed, NeedsReopened
from cycle.aggregates.framework.obstacles import (
    ObstacleAccepted,
    ObstacleIdentified,
    ObstacleReopened,
    ObstacleResolved,
)
from cycle.aggregates.framework.plan import PlanAgreed, PlanWithdrawn
from cycle.aggregates.framework.setup import (
    FrameworkProposed,
    MemberAdmitted,
    MemberWithdrew,
    PolicyAdopted,
    SectorsPrioritised,
)
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import Constituency
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, itself, one

MOVES = (
    FrameworkProposed,
    FrameworkFormalised,
    NeedsIdentificationClosed,
    NeedsReopened,
    PlanAgreed,
    PlanWithdrawn,
    MonitoringStarted,
    ReviewOpened,
    PlanAdjusted,
    CycleOpened,
    FrameworkSuspended,
    FrameworkResumed,
    FrameworkDissolved,
)
"""The facts by which a framework enters a stage."""


def entered(fact: Fact) -> Stage:
    """The stage that a move leads to."""
    match fact.recorded.data:
        case FrameworkProposed():
            return Stage.DELIBERATION
        case FrameworkFormalised() | NeedsReopened():
            return Stage.NEEDS_IDENTIFICATION
        case NeedsIdentificationClosed() | PlanWithdrawn() | CycleOpened():
            return Stage.MEETING
        case PlanAgreed():
            return Stage.PLAN
        case MonitoringStarted() | PlanAdjusted():
            return Stage.MONITORING
        case ReviewOpened():
            return Stage.ADJUSTMENT
        case FrameworkSuspended():
            return Stage.SUSPENDED
        case FrameworkResumed(stage=stage):
            return Stage(stage)
        case _:
            return Stage.DISSOLVED


class FrameworkRow(Row):
    framework: str
    title: str
    policy: str
    stage: Stage
    since: date
    cycle: int = 0
    sectors: tuple[str, ...] = ()
    members: int = 0
    plan_starts_on: date | None = None
    plan_ends_on: date | None = None
    open_obstacles: tuple[str, ...] = ()
    projection = "frameworks"


class MemberRow(Row):
    framework: str
    member: str
    organisation: str
    name: str
    constituency: Constituency
    sector: str | None = None
    admitted_on: date | None = None
    withdrew_on: date | None = None
    projection = "members"


frameworks = Projection(FrameworkRow)
members = Projection(MemberRow)


@frameworks.on(*MOVES, rows=itself)
def moved(row: FrameworkRow | None, fact: Fact, part: None) -> FrameworkRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, FrameworkProposed):
        policy = f"{event.policy}-{event.policy_version}"
        return FrameworkRow(
            commune=fact.recorded.log,
            framework=event.framework,
            title=event.title,
            policy=policy,
            stage=Stage.DELIBERATION,
            since=day,
        )
    if row is None:
        return None
    row = replace(row, stage=entered(fact), since=day)
    match event:
        case FrameworkFormalised(cycle=cycle) | CycleOpened(cycle=cycle):
            return replace(row, cycle=cycle)
        case PlanAgreed(window=window):
            return replace(row, plan_starts_on=window.starts_on, plan_ends_on=window.ends_on)
        case PlanWithdrawn():
            return replace(row, plan_starts_on=None, plan_ends_on=None)
    return row


@frameworks.on(
    PolicyAdopted,
    SectorsPrioritised,
    MemberAdmitted,
    MemberWithdrew,
    ObstacleIdentified,
    ObstacleResolved,
    ObstacleAccepted,
    ObstacleReopened,
    rows=itself,
)
def changed(row: FrameworkRow | None, fact: Fact, part: None) -> FrameworkRow | None:
    if row is None:
        return None
    match fact.recorded.data:
        case PolicyAdopted(policy=policy, policy_version=version):
            return replace(row, policy=f"{policy}-{version}")
        case SectorsPrioritised(sectors=sectors):
            return replace(row, sectors=sectors)
        case MemberAdmitted():
            return replace(row, members=row.members + 1)
        case MemberWithdrew():
            return replace(row, members=row.members - 1)
        case ObstacleIdentified(obstacle=obstacle) | ObstacleReopened(obstacle=obstacle):
            return replace(row, open_obstacles=(*dict.fromkeys((*row.open_obstacles, obstacle)),))
        case ObstacleResolved(obstacle=obstacle) | ObstacleAccepted(obstacle=obstacle):
            return replace(row, open_obstacles=tuple(o for o in row.open_obstacles if o != obstacle))
    return row


@members.on(MemberAdmitted, MemberWithdrew, rows=one("member"))
def member_changed(row: MemberRow | None, fact: Fact, part: None) -> MemberRow | None:
    day = fact.recorded.occurred_on
    match fact.recorded.data:
        case MemberAdmitted() as event:
            return MemberRow(
                commune=fact.recorded.log,
                framework=identity(fact),
                member=event.member,
                organisation=event.organisation,
                name=event.name,
                constituency=event.constituency,
                sector=event.sector,
                admitted_on=day,
            )
        case MemberWithdrew():
            return row and replace(row, withdrew_on=day)
    return row
