"""Histories for the tests of projections, and the rows that they lead to: in the tables, and folded in memory."""

from __future__ import annotations

from itertools import groupby

import msgspec
from sqlalchemy import text

from cycle.aggregates.base import Event, Recorded
from cycle.codec import Leaves, new_leaf
from cycle.history import believed
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Fact
from cycle.store import Append, LogRecorder
from tests.domain.walks import walk

DECODE = Leaves().decode


def walked(seed: int, name: str, steps: int = 70) -> list[Recorded[Event]]:
    """A random accepted history, as a framework of its own."""
    stream = f"framework-{name}"
    return [
        msgspec.structs.replace(
            r, stream=stream, id=f"{name}-{r.version}", causation=f"{name}-{r.causation}", log=f"ML-4-01-{name}"
        )
        for r in walk(seed, steps).history
    ]


def append(store: LogRecorder, facts: list[Recorded[Event]]) -> None:
    for key, save in groupby(facts, key=lambda r: r.causation):
        leaves = tuple(new_leaf(r) for r in save)
        store.append(Append(leaves, f"{key}/{leaves[0].id}", b"d"))


def facts_of(store: LogRecorder) -> list[Fact]:
    return [Fact(row.position, DECODE(row.topic, row.schema, bytes(row.state))) for row in store.read(0, 10**6)]


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
            for key, row in sorted(projection.fold_history(facts if projection.appends else right).items())
        ]
        for name, projection in PROJECTIONS.items()
    }
