"""Obstacles: named by the committee, handed back to the actors, solved, accepted or carried on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from cycle.aggregates.base import Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import (
    action_is_known,
    list_of,
    member_is_known,
    members_are_known,
    not_twice,
    obstacle_is_open,
)
from cycle.aggregates.framework.state import Framework, Obstacle, ObstacleStage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ActionId, MemberId, Name, ObstacleId, Planned, Text

Severity3 = Annotated[int, Meta(ge=1, le=3)]
"""1 slows an action, 2 endangers it, 3 stops it."""


class ObstacleIdentified(Event):
    obstacle: ObstacleId
    cycle: int
    description: Text
    severity: Severity3
    action: ActionId | None = None
    correctable = frozenset({"description", "severity"})


class ObstacleCommunicated(Event):
    obstacle: ObstacleId
    members: tuple[MemberId, ...]
    channel: Name | None = None
    correctable = frozenset({"members", "channel"})


class ObstacleSolutionAgreed(Event):
    obstacle: ObstacleId
    solution: Text
    responsible: MemberId
    due_on: Planned | None = None
    correctable = frozenset({"solution", "due_on"})


class ObstacleResolved(Event):
    obstacle: ObstacleId
    how: Text
    correctable = frozenset({"how"})


class ObstacleAccepted(Event):
    obstacle: ObstacleId
    reason: Text
    correctable = frozenset({"reason"})


class ObstacleReopened(Event):
    obstacle: ObstacleId
    cycle: int
    reason: Text
    correctable = frozenset({"reason"})


class ObstacleCarriedOver(Event):
    """Still open when cycle ``cycle`` closed; it goes on in ``cycle + 1``."""

    obstacle: ObstacleId
    cycle: int
    reason: Text | None = None
    correctable = frozenset({"reason"})


class RaiseObstacle(Command):
    """Name what stands in the way, and how badly."""

    description: Text
    severity: Severity3
    action: ActionId | None = None
    roles = (Role.COMMITTEE, Role.FACILITATOR, Role.ORGANISATION)
    makes = ObstacleIdentified


class CommunicateObstacle(Command):
    """Note to whom the obstacle was handed back."""

    obstacle: ObstacleId
    members: tuple[MemberId, ...]
    channel: Name | None = None
    roles = (Role.COMMITTEE, Role.FACILITATOR)


class AgreeSolution(Command):
    """Note the solution that was found, and who sees to it."""

    obstacle: ObstacleId
    solution: Text
    responsible: MemberId
    due_on: Planned | None = None
    roles = (Role.FACILITATOR, Role.COMMITTEE)


class ResolveObstacle(Command):
    """Note that the obstacle is out of the way."""

    obstacle: ObstacleId
    how: Text
    roles = (Role.COMMITTEE, Role.FACILITATOR)


class AcceptObstacle(Command):
    """Decide to live with the obstacle."""

    obstacle: ObstacleId
    reason: Text
    roles = (Role.FACILITATOR, Role.COMMITTEE)


class ReopenObstacle(Command):
    """Take up again an obstacle that was thought solved in this cycle."""

    obstacle: ObstacleId
    reason: Text
    roles = (Role.COMMITTEE, Role.FACILITATOR)


CLOSED = (ObstacleStage.RESOLVED, ObstacleStage.ACCEPTED, ObstacleStage.CARRIED_OVER)


def an_obstacle_is_open(state: Framework, known: Known) -> Iterable[Finding]:
    """An obstacle is open."""
    yield Finding("no-open-obstacle", bool(state.open_obstacles()))


def an_obstacle_was_closed(state: Framework, known: Known) -> Iterable[Finding]:
    """An obstacle was resolved, accepted or carried over in this cycle."""
    closed = any(obstacle.stage in CLOSED for obstacle in state.obstacles.values())
    yield Finding("no-closed-obstacle", closed)


@framework.decides(RaiseObstacle)
def raise_obstacle(state: Framework, command: RaiseObstacle, known: Known) -> Iterable[Event]:
    if command.action is not None:
        demand(action_is_known(state, command.action))
    obstacle = ObstacleId(f"O-{state.obstacles_counted + 1}")
    yield ObstacleIdentified(obstacle, state.cycle, command.description, command.severity, command.action)


@framework.decides(CommunicateObstacle)
def communicate_obstacle(state: Framework, command: CommunicateObstacle, known: Known) -> Iterable[Event]:
    demand(
        obstacle_is_open(state, command.obstacle),
        Finding("nobody-named", bool(command.members)),
        not_twice(command.members),
        *members_are_known(state, command.members),
    )
    yield ObstacleCommunicated(command.obstacle, command.members, command.channel)


@framework.decides(AgreeSolution)
def agree_solution(state: Framework, command: AgreeSolution, known: Known) -> Iterable[Event]:
    demand(
        obstacle_is_open(state, command.obstacle),
        member_is_known(state, command.responsible),
    )
    yield ObstacleSolutionAgreed(command.obstacle, command.solution, command.responsible, command.due_on)


@framework.decides(ResolveObstacle)
def resolve_obstacle(state: Framework, command: ResolveObstacle, known: Known) -> Iterable[Event]:
    demand(obstacle_is_open(state, command.obstacle))
    yield ObstacleResolved(command.obstacle, command.how)


@framework.decides(AcceptObstacle)
def accept_obstacle(state: Framework, command: AcceptObstacle, known: Known) -> Iterable[Event]:
    demand(obstacle_is_open(state, command.obstacle))
    yield ObstacleAccepted(command.obstacle, command.reason)


@framework.decides(ReopenObstacle)
def reopen_obstacle(state: Framework, command: ReopenObstacle, known: Known) -> Iterable[Event]:
    closed = tuple(o.id for o in state.obstacles.values() if o.stage in CLOSED)
    values = list_of(obstacle=command.obstacle, known=closed)
    demand(Finding("obstacle-not-closed", command.obstacle in closed, values=values))
    yield ObstacleReopened(command.obstacle, state.cycle, command.reason)


def moved(state: Framework, obstacle: ObstacleId, stage: ObstacleStage) -> Framework:
    """The state with one obstacle in another stage."""
    before = state.obstacles[obstacle]
    after = replace(before, stage=stage, before=before.stage)
    return replace(state, obstacles={**state.obstacles, obstacle: after})


@framework.evolves(ObstacleIdentified)
def obstacle_identified(state: Framework, recorded: Happened[ObstacleIdentified]) -> Framework:
    fact = recorded.data
    obstacle = Obstacle(fact.obstacle, fact.cycle, fact.severity, fact.description, since=recorded.occurred_on)
    return replace(
        state,
        obstacles={**state.obstacles, obstacle.id: obstacle},
        obstacles_counted=state.obstacles_counted + 1,
    )


@framework.evolves(ObstacleCommunicated)
def obstacle_communicated(state: Framework, recorded: Happened[ObstacleCommunicated]) -> Framework:
    # Telling more people of an obstacle that has a solution does not take the solution away.
    if state.obstacles[recorded.data.obstacle].stage is ObstacleStage.SOLUTION_AGREED:
        return state
    return moved(state, recorded.data.obstacle, ObstacleStage.COMMUNICATED)


@framework.evolves(ObstacleSolutionAgreed)
def obstacle_solution_agreed(state: Framework, recorded: Happened[ObstacleSolutionAgreed]) -> Framework:
    return moved(state, recorded.data.obstacle, ObstacleStage.SOLUTION_AGREED)


@framework.evolves(ObstacleResolved)
def obstacle_resolved(state: Framework, recorded: Happened[ObstacleResolved]) -> Framework:
    return moved(state, recorded.data.obstacle, ObstacleStage.RESOLVED)


@framework.evolves(ObstacleAccepted)
def obstacle_accepted(state: Framework, recorded: Happened[ObstacleAccepted]) -> Framework:
    return moved(state, recorded.data.obstacle, ObstacleStage.ACCEPTED)


@framework.evolves(ObstacleReopened)
def obstacle_reopened(state: Framework, recorded: Happened[ObstacleReopened]) -> Framework:
    return moved(state, recorded.data.obstacle, ObstacleStage.IDENTIFIED)


@framework.evolves(ObstacleCarriedOver)
def obstacle_carried_over(state: Framework, recorded: Happened[ObstacleCarriedOver]) -> Framework:
    return moved(state, recorded.data.obstacle, ObstacleStage.CARRIED_OVER)
