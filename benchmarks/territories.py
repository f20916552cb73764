"""A log of many frameworks, each at a pace of its own, in the order in which their facts were recorded.

A framework has one to fifteen cycles behind it and one under way. What happens is recorded days later, and what
comes from the field may lie in a bag for weeks; one framework in ten was suspended for a while, one in twenty
dissolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from heapq import merge
from itertools import islice
from operator import attrgetter
from random import Random

from msgspec.structs import replace

from benchmarks.histories import CYCLE_DAYS, life, recorded
from cycle.aggregates.base import Event, LogName, Recorded, StreamId
from cycle.aggregates.commune import CommuneRegistered
from cycle.aggregates.framework.anytime import FrameworkDissolved, FrameworkResumed, FrameworkSuspended
from cycle.aggregates.framework.contributions import ContributionReceived
from cycle.aggregates.framework.monitoring import ActionCompleted, ProgressReported
from cycle.aggregates.framework.obstacles import ObstacleResolved
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import CommuneCode, DeliberationId
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.leaf import rfc3339
from cycle.store import RECORDED_AT_HOLE, Claimed

TODAY = date(2026, 11, 1)
EACH = 430
"""Events of a framework, about: eight cycles and a half of fifty."""
IN_ONE_COMMUNE = 3
REGIONS = ("Kayes", "Koulikoro", "Sikasso", "Ségou", "Mopti", "Tombouctou", "Gao", "Kidal")
IN_ONE_SAVE = 50
AT_ONCE = 200_000
"""Events in one transaction, whole saves."""
FROM_THE_FIELD = (ProgressReported, ContributionReceived)


def fill(engine: Engine, events: int) -> None:
    """A log of so many events."""
    frameworks, goal = events // EACH + 1, engine.store.head().position + events
    facts = merge(_communes(frameworks), *map(facts_of, range(frameworks)), key=attrgetter("recorded_at"))
    claimed, position = _claimed(islice(facts, events)), 0
    while position < goal:
        with engine.store.loading() as loading:
            position = loading.write(islice(claimed, AT_ONCE), lambda done: None)


def _claimed(facts: Iterable[Recorded[Event]]) -> Iterator[Claimed]:
    for number, fact in enumerate(facts):
        leaf, key = new_leaf(fact), f"fill-{number // IN_ONE_SAVE}"
        at = rfc3339(fact.recorded_at).encode()
        state = leaf.state[: leaf.hole] + at + leaf.state[leaf.hole + len(RECORDED_AT_HOLE) :]
        yield Claimed(key, sha256(key.encode()).digest(), replace(leaf, state=state, hole=0))


def commune_of(framework: int) -> CommuneCode:
    return CommuneCode(f"ML-4-{framework // IN_ONE_COMMUNE:06}")


def _communes(frameworks: int) -> Iterator[Recorded[Event]]:
    """Each of them registered before anything else."""
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    for number, framework in enumerate(range(0, frameworks, IN_ONE_COMMUNE)):
        code = commune_of(framework)
        said = CommuneRegistered(code, f"Commune {number}", REGIONS[number % len(REGIONS)], f"Cercle {number % 50}")
        fact = recorded(code, code, 1, begin.date(), said, begin + timedelta(seconds=number))
        yield replace(fact, stream=StreamId(f"commune-{code}"), log=LogName(code))


def facts_of(number: int) -> Iterator[Recorded[Event]]:
    """One framework: the days on which it happened, and later ones on which it was recorded."""
    random = Random(number)
    framework, commune = f"0185958b-1c00-7000-8000-{number:012x}", commune_of(number)
    at = datetime(2000, 6, 1, tzinfo=UTC)
    for version, (day, event) in enumerate(_lived(random, framework, commune), 1):
        bagged = isinstance(event, FROM_THE_FIELD) and random.random() < 0.3
        lag = timedelta(days=random.randint(5, 40) if bagged else random.randint(0, 3), minutes=random.randint(1, 900))
        # What lies in a bag is late for the day on which it happened, not for those that are recorded after it.
        at = max(at + timedelta(seconds=1), datetime.combine(day, time(), UTC) + (timedelta(0) if bagged else lag))
        happened = day - lag if bagged else day
        yield recorded(framework, commune, version, happened, event, at)


def _lived(random: Random, framework: str, commune: str) -> Iterator[tuple[date, Event]]:
    """Its facts up to today, its suspension and its end."""
    behind, own = random.randint(1, 15), random.gammavariate(4, 0.25)
    paces = [own * random.gammavariate(25, 0.04) for _ in range(behind + 1)]
    days = [round(CYCLE_DAYS * pace) for pace in paces]
    begin = TODAY - timedelta(days=sum(days[:-1]) + random.randint(0, days[-1]))
    told = ((day, event) for day, event in life(framework, commune, begin, paces) if day <= TODAY)
    if random.random() < 0.1:
        told = _suspended(told, f"O-{random.randint(1, behind)}")
    yield from told
    if random.random() < 0.05:
        council = DeliberationId("d-1")
        yield TODAY, FrameworkDissolved(council, "o-MB-2", "Le cadre a fait son temps")


def _suspended(told: Iterable[tuple[date, Event]], obstacle: str) -> Iterator[tuple[date, Event]]:
    """Suspended once an obstacle is out of the way, until actions are completed again."""
    away, stage = False, Stage.MONITORING.value
    for day, event in told:
        if away and isinstance(event, ActionCompleted):
            away = False
            yield day, FrameworkResumed(stage, "Les pluies sont passées")
        yield day, event
        if isinstance(event, ObstacleResolved) and event.obstacle == obstacle:
            away = True
            yield day, FrameworkSuspended(stage, "Les pluies")
