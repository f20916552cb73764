"""The obstacle log: every obstacle with its path."""

from __future__ import annotations

from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.obstacles import (
    ObstacleAccepted,
    ObstacleCarriedOver,
    ObstacleCommunicated,
    ObstacleIdentified,
    ObstacleReopened,
    ObstacleResolved,
    ObstacleSolutionAgreed,
)
from cycle.aggregates.framework.state import ObstacleStage
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, one


class Step(Struct, frozen=True, omit_defaults=True, gc=False):
    """One step on the path of an obstacle."""

    stage: str
    on: date
    note: str | None = None


class ObstacleRow(Row):
    framework: str
    obstacle: str
    cycle: int
    description: str
    severity: int
    stage: ObstacleStage
    identified_on: date
    action: str | None = None
    communicated_to: tuple[str, ...] = ()
    solution: str | None = None
    responsible: str | None = None
    due_on: date | None = None
    closed_on: date | None = None
    path: tuple[Step, ...] = ()
    projection = "obstacles"


obstacles = Projection(ObstacleRow)


@obstacles.on(
    ObstacleIdentified,
    ObstacleCommunicated,
    ObstacleSolutionAgreed,
    ObstacleResolved,
    ObstacleAccepted,
    ObstacleReopened,
    ObstacleCarriedOver,
    rows=one("obstacle"),
)
def obstacle_changed(row: ObstacleRow | None, fact: Fact, part: None) -> ObstacleRow | None:
    event, day = fact.recorded.data, fact.recorded.occurred_on
    if isinstance(event, ObstacleIdentified):
        return ObstacleRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            obstacle=event.obstacle,
            cycle=event.cycle,
            description=event.description,
            severity=event.severity,
            stage=ObstacleStage.IDENTIFIED,
            identified_on=day,
            action=event.action,
            path=(Step("identified", day),),
        )
    if row is None:
        return None
    match event:
        case ObstacleCommunicated(members=members):
            told = tuple(dict.fromkeys((*row.communicated_to, *members)))
            settled = row.stage is ObstacleStage.SOLUTION_AGREED
            stage = row.stage if settled else ObstacleStage.COMMUNICATED
            return _step(replace(row, communicated_to=told), stage, "communicated", day, ", ".join(members))
        case ObstacleSolutionAgreed() as agreed:
            row = replace(row, solution=agreed.solution, responsible=agreed.responsible, due_on=agreed.due_on)
            return _step(row, ObstacleStage.SOLUTION_AGREED, "solution-agreed", day, agreed.solution)
        case ObstacleResolved(how=how):
            return _step(replace(row, closed_on=day), ObstacleStage.RESOLVED, "resolved", day, how)
        case ObstacleAccepted(reason=reason):
            return _step(replace(row, closed_on=day), ObstacleStage.ACCEPTED, "accepted", day, reason)
        case ObstacleReopened(reason=reason):
            return _step(replace(row, closed_on=None), ObstacleStage.IDENTIFIED, "reopened", day, reason)
        case ObstacleCarriedOver(cycle=cycle, reason=reason):
            # It goes on where it was: carried over is a step on its path, not its end.
            return _step(replace(row, cycle=cycle + 1), row.stage, "carried-over", day, reason)
    return row


def _step(row: ObstacleRow, stage: ObstacleStage, name: str, day: date, note: str | None) -> ObstacleRow:
    return replace(row, stage=stage, path=(*row.path, Step(name, day, note)))
