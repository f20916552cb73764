"""How the tests of timings look at a history: rows folded in memory, as held on a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

from cycle.aggregates.base import Event, Recorded
from cycle.history import Cutoffs, Fact
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Row
from cycle.projections.folding import folded
from cycle.timings.shares import SHARES
from cycle.timings.sheets import sheets
from tests.domain.story import Story
from tests.projections.rows import corrected, walked

STEPS = 260


@cache
def walk_of(seed: int) -> list[Fact]:
    """A random accepted history; every third one with corrections."""
    return facts(corrected(seed, STEPS) if seed % 3 == 0 else walked(seed, "f", STEPS))


def facts(history: Iterable[Recorded[Event]]) -> list[Fact]:
    return [Fact(n, recorded) for n, recorded in enumerate(history, 1)]


def rows_of(history: Sequence[Fact], cutoffs: Cutoffs) -> Callable[[str], list[Row]]:
    """The rows of a projection inside some cut-offs, by its name."""
    held = cutoffs.cut(history)
    return lambda name: [row for _, row in sorted(folded(PROJECTIONS[name], held).items())]


def cases(metric: str, told: Story | Sequence[Fact], on: date, cutoffs: Cutoffs | None = None) -> list[Any]:
    """The cases of a measure as they are on a day."""
    history = facts(told.history) if isinstance(told, Story) else told
    rows = rows_of(history, cutoffs or Cutoffs(as_of=on))
    measure = SHARES[metric]
    return [case for sheet in sheets(rows, measure.projections, on) for case in measure.cases(sheet)]


def parts(metric: str, found: list[Any]) -> dict[str, tuple[Any, Any]]:
    """Each share of some cases: its sums."""
    sums: dict[str, tuple[Any, Any]] = {}
    for case in found:
        for part in SHARES[metric].parts(case):
            name = "/".join(filter(None, (part.code, part.about, part.unit)))
            before = sums.get(name, (0, 0))
            sums[name] = before[0] + part.part, before[1] + part.of
    return sums


def counts(metric: str, found: list[Any]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for case in found:
        for each in SHARES[metric].counts(case):
            counted[each.code] += each.many
    return {code: count for code, count in counted.items() if count}
