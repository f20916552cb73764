"""Histories for the tests of projections, and the rows that they lead to: in the tables, and folded in memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import get_type_hints

import msgspec
from sqlalchemy import text

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.state import Stage
from cycle.codec import Leaves, new_leaf
from cycle.history import Fact, believed
from cycle.leaf import canonical
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import folded
from cycle.store import Append, LogRecorder
from tests.domain.story import Story
from tests.domain.walks import command, replay, tale_begun, value, walk

LEAVES = Leaves(Recorded)


def walked(seed: int, name: str, steps: int = 70) -> list[Recorded[Event]]:
    """A random accepted history, as a framework of its own."""
    return named(walk(seed, steps).history, name)


def named(history: list[Recorded[Event]], name: str) -> list[Recorded[Event]]:
    """The history as that of a framework of its own; what was said at once was recorded at one moment."""
    stream = f"framework-{name}"
    moments: dict[str, datetime] = {}
    return [
        msgspec.structs.replace(
            r,
            stream=stream,
            id=f"{name}-{r.version}",
            causation=f"{name}-{r.causation}",
            log=f"ML-4-01-{name}",
            recorded_at=moments.setdefault(r.causation, r.recorded_at),
        )
        for r in history
    ]


def corrected(seed: int, steps: int = 160) -> list[Recorded[Event]]:
    """A random accepted history in which every fifth try corrects an earlier fact, as the engine decides it."""
    chance, tale = Random(seed), tale_begun()
    for _ in range(steps):
        if tale.state.stage is Stage.DISSOLVED:
            break
        if chance.random() < 0.2:
            tale.when(correction(tale, chance), on=tale.now)
            tale.state = replay(list(believed(tale.history)))
        else:
            said, on = command(tale, chance)
            tale.when(said, on=on)
    return tale.history


def correction(tale: Story, chance: Random) -> CorrectFact:
    """One or all of the fields of a fact that may be corrected, with values of their types."""
    fact = chance.choice(believed(tale.history)[-chance.choice((5, 20, 1000)) :])
    hints = get_type_hints(type(fact.data), include_extras=True)
    fields = sorted(fact.data.correctable)
    changes: dict[str, object] = {
        field: value(hints[field], tale.state, tale.now, chance)
        for field in chance.sample(fields, chance.randint(0, len(fields)))
    }
    if not changes or chance.random() < 0.2:
        changes["occurred_on"] = fact.occurred_on - timedelta(days=chance.randint(1, 9))
    said = {field: msgspec.Raw(canonical(now)) for field, now in changes.items() if now is not None}
    return CorrectFact(fact_version=fact.version, changes=said, reason="Faute de frappe")


def append(store: LogRecorder, facts: Iterable[Recorded[Event]]) -> None:
    """Save by save, at the times at which they were recorded, so that the same facts make the same log."""
    for key, save in groupby(facts, key=lambda r: r.causation):
        whole = list(save)
        leaves = tuple(new_leaf(r) for r in whole)
        store.append(Append(leaves, f"{key}/{leaves[0].id}", b"d", recorded_at=whole[0].recorded_at))


def facts_of(store: LogRecorder) -> list[Fact]:
    return [Fact(position, LEAVES[topic, schema](leaf)) for position, topic, schema, leaf in store.read(0)]


def tables(store: LogRecorder) -> dict[str, list[tuple[object, ...]]]:
    with store.database.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}" ORDER BY key'))]
            for name in PROJECTIONS
        }


def in_memory(facts: list[Fact]) -> dict[str, list[tuple[object, ...]]]:
    positions = [fact.position for fact in facts]
    right = [Fact(p, r) for p, r in zip(positions, believed([f.recorded for f in facts]), strict=True)]
    return {
        name: [
            tuple(projection.to_columns(key, row))
            for key, row in sorted(folded(projection, facts if projection.appends else right).items())
        ]
        for name, projection in PROJECTIONS.items()
    }
