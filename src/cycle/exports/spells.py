"""The three tables that timings are made of, each spell with its days, its two facts, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from cycle.aggregates.framework.state import Stage
from cycle.exports.facts import Facts
from cycle.exports.still import Still
from cycle.projections.spells import CycleIntervalRow, Mark, ObstacleSpellRow, cycle_interval, obstacle_spell
from cycle.timings.durations import METRICS, Duration, Ended


class CycleInterval(Struct, frozen=True, kw_only=True):
    """From plan ``cycle`` agreed until the next one is; cycle 0 is the time from the proposal to the first plan."""

    commune: str
    framework: str
    cycle: int
    policy: str
    began: Mark
    due_on: date | None
    adopted: Mark | None
    mid_term: Mark | None
    review: Mark | None
    ended: Mark | None
    days: int
    active_days: int | None
    state: Ended


class StageVisit(Struct, frozen=True, kw_only=True):
    """One entry into a stage, until the next entry of the framework."""

    commune: str
    framework: str
    stage: Stage
    cycle: int
    policy: str
    entered: Mark
    left: Mark | None
    days: int
    state: Ended


class ObstacleSpell(Struct, frozen=True, kw_only=True):
    """An obstacle from when it came up to its end; ``spell`` counts how often it came up."""

    commune: str
    framework: str
    obstacle: str
    spell: int
    cycle: int
    severity: int
    identified: Mark
    communicated: Mark | None
    solution: Mark | None
    ended: Mark | None
    accepted: bool
    days_to_communication: int | None
    days_to_solution: int | None
    days_to_end: int | None


def visits(at: Still, facts: Facts) -> Iterator[StageVisit]:
    """Every visit to a stage: what M2 measures."""
    for each in METRICS["M2"].durations(at.each_of, at.on):
        yield StageVisit(
            commune=each.commune,
            framework=each.framework,
            stage=Stage(each.about or ""),
            cycle=each.cycle,
            policy=each.policy,
            entered=each.start,
            left=each.end,
            days=each.days,
            state=each.ended,
        )


def intervals(at: Still, facts: Facts) -> Iterator[CycleInterval]:
    """Every interval between plans, with the days of M1, or of M3 before the first plan."""
    set_up, between = (METRICS[name].durations(at.each_of, at.on) for name in ("M3", "M1"))
    following = {True: _Following(set_up), False: _Following(between)}
    for row in at.each_of(cycle_interval.name):
        assert isinstance(row, CycleIntervalRow)
        measured = following[row.cycle == 0].of(row)
        if measured is not None:
            yield CycleInterval(
                commune=row.commune,
                framework=row.framework,
                cycle=row.cycle,
                policy=measured.policy,
                began=row.began,
                due_on=row.due_on,
                adopted=row.adopted,
                mid_term=row.mid_term,
                review=row.review,
                ended=row.ended,
                days=measured.days,
                active_days=measured.active_days,
                state=measured.ended,
            )


class _Following:
    """Durations that stand in the order of the rows that they are of."""

    def __init__(self, durations: Iterator[Duration]) -> None:
        self._durations = durations
        self._next = next(durations, None)

    def of(self, row: CycleIntervalRow) -> Duration | None:
        found = self._next
        if found is None or found.start.event != row.began.event:
            return None
        self._next = next(self._durations, None)
        return found


def obstacles(at: Still, facts: Facts) -> Iterator[ObstacleSpell]:
    """Every time that an obstacle came up."""
    for row in at.each_of(obstacle_spell.name):
        assert isinstance(row, ObstacleSpellRow)
        for number, spell in enumerate(row.spells, 1):
            yield ObstacleSpell(
                commune=row.commune,
                framework=row.framework,
                obstacle=row.obstacle,
                spell=number,
                cycle=row.cycle,
                severity=row.severity,
                identified=spell.identified,
                communicated=spell.communicated,
                solution=spell.solution,
                ended=spell.ended,
                accepted=spell.kept,
                days_to_communication=_days(spell.identified, spell.communicated),
                days_to_solution=_days(spell.identified, spell.solution),
                days_to_end=_days(spell.identified, spell.ended),
            )


def _days(start: Mark, end: Mark | None) -> int | None:
    return None if end is None else (end.on - start.on).days
