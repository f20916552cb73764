"""What timings are made of: visits to stages, intervals between plans, and the spells of obstacles.

Each end of a spell is a ``Mark``: from a number one can walk to its two facts. What ends a spell ends it for good;
whatever comes later begins another one, so that a later look never changes what was closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Event
from cycle.aggregates.framework.adjustment import CycleClosed, ReviewOpened
from cycle.aggregates.framework.council import CouncilDeliberated
from cycle.aggregates.framework.needs import NeedsReopened
from cycle.aggregates.framework.obstacles import (
    ObstacleAccepted,
    ObstacleCommunicated,
    ObstacleIdentified,
    ObstacleReopened,
    ObstacleResolved,
    ObstacleSolutionAgreed,
)
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.setup import FrameworkProposed, PolicyAdopted
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import Outcome, ReviewKind
from cycle.history import Fact
from cycle.projections.base import Part, Projection, Row, identity, one
from cycle.projections.frameworks import MOVES, entered


class Mark(Part, frozen=True, gc=False):
    """A fact as an end of a spell: its version in the stream, the day on which it happened, when it was recorded."""

    event: str
    version: int
    on: date
    recorded_at: datetime

    @property
    def lag(self) -> int:
        """Days from when it happened to when it was recorded."""
        return (self.recorded_at.date() - self.on).days


class StageVisitRow(Row):
    """One entry into a stage; the visit lasts until the next entry of the framework, by version."""

    framework: str
    stage: Stage
    entered: Mark
    projection = "stage_visit"


class CycleIntervalRow(Row):
    """From plan ``cycle`` agreed until the next one is; cycle 0 is the time from the proposal to the first plan.

    A plan that is withdrawn and agreed anew was agreed when it first was. ``adopted``, of cycle 0: the first
    deliberation that adopted the framework. ``review``: the one that was opened at the end of the plan, or earlier
    and closed the cycle. ``due_on``: the last day of the plan.
    """

    framework: str
    cycle: int
    began: Mark
    due_on: date | None = None
    adopted: Mark | None = None
    mid_term: Mark | None = None
    review: Mark | None = None
    ended: Mark | None = None
    projection = "cycle_interval"


class PolicyRunRow(Row):
    """The policy under which a framework goes on from a fact on."""

    framework: str
    policy: str
    since: Mark
    projection = "policy_run"


class Spell(Struct, frozen=True, omit_defaults=True, gc=False):
    """An obstacle from when it was identified to its end. ``kept``: accepted, not resolved."""

    identified: Mark
    communicated: Mark | None = None
    solution: Mark | None = None
    ended: Mark | None = None
    kept: bool = False


class ObstacleSpellRow(Row):
    """An obstacle, and ``again`` for each time that it came up anew."""

    framework: str
    obstacle: str
    cycle: int
    severity: int
    identified: Mark
    communicated: Mark | None = None
    solution: Mark | None = None
    ended: Mark | None = None
    kept: bool = False
    again: tuple[Spell, ...] = ()
    projection = "obstacle_spell"

    @property
    def spells(self) -> tuple[Spell, ...]:
        """All of them, the first one first."""
        return Spell(self.identified, self.communicated, self.solution, self.ended, self.kept), *self.again


stage_visit = Projection(StageVisitRow)
cycle_interval = Projection(CycleIntervalRow)
policy_run = Projection(PolicyRunRow)
obstacle_spell = Projection(ObstacleSpellRow)


def marked(fact: Fact) -> Mark:
    """A fact as an end."""
    recorded = fact.recorded
    return Mark(recorded.id, recorded.version, recorded.occurred_on, recorded.recorded_at)


def _first(before: Mark | None, mark: Mark) -> Mark:
    """The earlier day, whichever was recorded first: these facts do not stand on each other."""
    return before if before and before.on <= mark.on else mark


def _at_version(fact: Fact) -> Iterable[tuple[str, int]]:
    recorded = fact.recorded
    if isinstance(recorded.data, NeedsReopened):
        # The same act has just opened the cycle in the meeting, where nobody has been.
        yield f"{identity(fact)}/{recorded.version - 1:08}", -1
    yield f"{identity(fact)}/{recorded.version:08}", 0


@stage_visit.on(*MOVES, rows=_at_version)
def visited(row: StageVisitRow | None, fact: Fact, part: int) -> StageVisitRow | None:
    if part:
        return None
    recorded = fact.recorded
    return StageVisitRow(
        commune=recorded.log,
        framework=identity(fact),
        stage=entered(fact),
        entered=marked(fact),
    )


@policy_run.on(FrameworkProposed, PolicyAdopted, rows=_at_version)
def adopted(row: PolicyRunRow | None, fact: Fact, part: int) -> PolicyRunRow:
    recorded, event = fact.recorded, fact.recorded.data
    return PolicyRunRow(
        commune=recorded.log,
        framework=identity(fact),
        policy=f"{event.policy}-{event.policy_version}",  # type: ignore[attr-defined]
        since=marked(fact),
    )


def _interval(fact: Fact) -> Iterable[tuple[str, int]]:
    """The interval that a fact ends (-1), and the one that it begins or is about."""
    cycle: int = getattr(fact.recorded.data, "cycle", 0)
    if isinstance(fact.recorded.data, PlanAgreed):
        yield f"{identity(fact)}/{cycle - 1:06}", -1
    yield f"{identity(fact)}/{cycle:06}", cycle


@cycle_interval.on(FrameworkProposed, CouncilDeliberated, PlanAgreed, ReviewOpened, CycleClosed, rows=_interval)
def counted(row: CycleIntervalRow | None, fact: Fact, part: int) -> CycleIntervalRow | None:
    event = fact.recorded.data
    if row is None:
        return _begun(fact, part) if isinstance(event, (FrameworkProposed, PlanAgreed)) and part >= 0 else None
    match event:
        case PlanAgreed() if part < 0:
            return row if row.ended else replace(row, ended=marked(fact))
        case PlanAgreed(window=window):
            return replace(row, due_on=window.ends_on)
        case CouncilDeliberated(outcome=Outcome.ADOPTED):
            return row if row.adopted else replace(row, adopted=marked(fact))
        case ReviewOpened(kind=ReviewKind.MID_TERM):
            return replace(row, mid_term=marked(fact))
        case ReviewOpened():
            return row if row.review else replace(row, review=marked(fact))
        case CycleClosed():
            return row if row.review else replace(row, review=row.mid_term)
    return row


def _begun(fact: Fact, cycle: int) -> CycleIntervalRow:
    recorded = fact.recorded
    due_on = recorded.data.window.ends_on if isinstance(recorded.data, PlanAgreed) else None
    return CycleIntervalRow(
        commune=recorded.log,
        framework=identity(fact),
        cycle=cycle,
        began=marked(fact),
        due_on=due_on,
    )


@obstacle_spell.on(
    ObstacleIdentified,
    ObstacleCommunicated,
    ObstacleSolutionAgreed,
    ObstacleResolved,
    ObstacleAccepted,
    ObstacleReopened,
    rows=one("obstacle"),
)
def obstacle_moved(row: ObstacleSpellRow | None, fact: Fact, part: None) -> ObstacleSpellRow | None:
    event, mark = fact.recorded.data, marked(fact)
    if isinstance(event, ObstacleIdentified):
        return ObstacleSpellRow(
            commune=fact.recorded.log,
            framework=identity(fact),
            obstacle=event.obstacle,
            cycle=event.cycle,
            severity=event.severity,
            identified=mark,
        )
    if row is None:
        return None
    if isinstance(event, ObstacleReopened):
        return replace(row, again=(*row.again, Spell(mark)))
    if row.again:
        return replace(row, again=(*row.again[:-1], _moved(row.again[-1], event, mark)))
    return _moved(row, event, mark)


S = TypeVar("S", ObstacleSpellRow, Spell)


def _moved(spell: S, event: Event, mark: Mark) -> S:
    match event:
        case ObstacleCommunicated():
            return replace(spell, communicated=_first(spell.communicated, mark))
        case ObstacleSolutionAgreed():
            return replace(spell, solution=_first(spell.solution, mark))
        case ObstacleResolved() | ObstacleAccepted() if spell.ended is None:
            return replace(spell, ended=mark, kept=isinstance(event, ObstacleAccepted))
    return spell
