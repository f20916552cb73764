"""Frameworks whose stages and days are given: their facts in a real log, and the pictures that they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cycle.aggregates.base import By, Event, LogName, Recorded, Role, StreamId
from cycle.aggregates.commune import CommuneRegistered
from cycle.aggregates.framework.adjustment import CycleOpened, PlanAdjusted, ReviewOpened
from cycle.aggregates.framework.anytime import FrameworkDissolved, FrameworkResumed, FrameworkSuspended
from cycle.aggregates.framework.council import FrameworkFormalised
from cycle.aggregates.framework.monitoring import MonitoringStarted
from cycle.aggregates.framework.needs import NeedsIdentificationClosed, NeedsReopened
from cycle.aggregates.framework.plan import PlanAgreed, PlanWithdrawn
from cycle.aggregates.framework.setup import FrameworkProposed
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import (
    CommuneCode,
    DecisionMode,
    DeliberationId,
    FrameworkId,
    MeetingId,
    PolicyId,
    ReviewKind,
    Window,
)
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.history import EVERYTHING, Cutoffs
from cycle.reading import Filters, Reader
from cycle.store import Append
from cycle.timings.measuring import By as Cohorts
from cycle.timings.pictures.all import PICTURES, Pictured, pictured
from tests.people import everybody

D, N, M, P, O, A, S, X = Stage  # noqa: E741
BEGIN, TODAY = date(2024, 1, 1), date(2026, 3, 1)
Lived = Iterable[tuple[Stage, int]]
"""The stages of a framework, each with the days that it stays there; those of the last one do not matter."""
TURN: Lived = ((N, 10), (M, 20), (P, 5), (O, 80), (A, 3))
IN_A_COMMUNE = 3


def moves(lived: Lived, title: str, identity: str, commune: str) -> Iterator[tuple[date, Event]]:
    """The facts by which the stages are entered."""
    stays, cycle, before, on = list(lived), 1, D, BEGIN
    deliberation = DeliberationId("d-1")
    policy = (PolicyId("wocat-pact"), 1, "0" * 64)
    yield on, FrameworkProposed(FrameworkId(identity), CommuneCode(commune), title, "Africa/Bamako", *policy)
    for (last, days), (stage, _) in pairwise(stays):
        on += timedelta(days=days)
        if last is S and stage is not X:
            yield on, FrameworkResumed(stage.value, "La pluie est passée")
            before = stage
            continue
        if before is A and stage in (N, M):
            cycle += 1
            yield on, CycleOpened(cycle)
        match stage:
            case Stage.NEEDS_IDENTIFICATION:
                yield on, NeedsReopened(cycle, "Campagne") if before is A else FrameworkFormalised(1, deliberation)
            case Stage.MEETING if before is N:
                yield on, NeedsIdentificationClosed(cycle, ())
            case Stage.MEETING if before is P:
                yield on, PlanWithdrawn(cycle, 1, (), "Mieux vaut en reparler")
            case Stage.PLAN:
                window = Window(on, on + timedelta(days=80))
                yield on, PlanAgreed(cycle, 1, window, DecisionMode.CONSENSUS, MeetingId("M-1"), ())
            case Stage.MONITORING:
                yield on, PlanAdjusted(cycle, 2, ("Crue",), ()) if before is A else MonitoringStarted(cycle)
            case Stage.ADJUSTMENT:
                yield on, ReviewOpened(cycle, ReviewKind.END, on)
            case Stage.SUSPENDED:
                yield on, FrameworkSuspended(before.value, "La pluie")
            case Stage.DISSOLVED:
                yield on, FrameworkDissolved(deliberation, "o-1", "Fusion de communes")
        before = before if stage is S else stage


def fact(stream: str, log: str, version: int, on: date, event: Event) -> Recorded[Event]:
    key = f"{stream}-{version:04}"
    return Recorded(
        by=By("facilitator-1", Role.FACILITATOR),
        causation=key,
        command="told",
        correlation=key,
        data=event,
        id=key,
        log=LogName(log),
        occurred_on=on,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        schema=event.schema,
        stream=StreamId(stream),
        type=event.type,
        version=version,
    )


def lived_by(engine: Engine, frameworks: Mapping[str, Lived]) -> None:
    """Frameworks by their titles, three to a commune; communes lie in two regions by turns."""
    everybody(engine)
    facts = []
    for number, (title, lived) in enumerate(frameworks.items()):
        place = number // IN_A_COMMUNE
        commune, identity = f"ML-4-{place:04}", f"0185958b-1c00-7000-8000-{number:012}"
        if number % IN_A_COMMUNE == 0:
            region = ("Ségou", "Koulikoro")[place % 2]
            registered = CommuneRegistered(CommuneCode(commune), f"Commune {place}", region, "Cercle")
            facts.append(fact(f"commune-{commune}", commune, 1, BEGIN, registered))
        for version, (on, event) in enumerate(moves(lived, title, identity, commune), 1):
            facts.append(fact(f"framework-{identity}", commune, version, on, event))
    for begin in range(0, len(facts), 200):
        leaves = tuple(new_leaf(each) for each in facts[begin : begin + 200])
        engine.store.append(Append(leaves, f"told {begin}", b"d"))


def town(path: Path, frameworks: Mapping[str, Lived]) -> Engine:
    """An engine on these frameworks, on the day of the look."""
    engine = Engine(f"sqlite:///{path}", clock=lambda: datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    lived_by(engine, frameworks)
    return engine


def pictures(engine: Engine, by: Cohorts | None = None, cutoffs: Cutoffs = EVERYTHING) -> Iterator[Pictured]:
    """Every picture; of one alone, where there is one."""
    reader = Reader(engine, "auditor")
    reader.catch_up()
    for each in PICTURES.values():
        first = next((row.framework for row in reader.frameworks()), None) if each.alone else None
        if first or not each.alone:
            cohorts = by if each.compares else None
            yield pictured(reader, each, cohorts, Filters(framework=first), cutoffs)


def picture(engine: Engine, name: str, **more: Cohorts | None) -> Pictured:
    return next(each for each in pictures(engine, **more) if each.picture == name)  # type: ignore[arg-type]
