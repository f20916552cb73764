"""Dots in a row: one for each that there is, or for every so many where there are thousands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from cycle.timings.pictures.base import Counts, how_many
from cycle_adapters.pictures.scales import Days
from cycle_adapters.pictures.sheet import INK, PAPER, Sheet, at

MOST = 80
"""Dots in a row: more would hide each other."""
RADIUS = 2
LANES = (0, -4, 4)
"""Above and below the middle of a row, for dots that would hide each other."""
DOT = f"a{RADIUS} {RADIUS} 0 1 0 {2 * RADIUS} 0 {RADIUS} {RADIUS} 0 1 0-{2 * RADIUS} 0"


def thinning(rows: Iterable[Counts]) -> int:
    """How many each dot stands for: the same in all rows, so that they can be compared."""
    return max(1, -(-max(map(how_many, rows), default=0) // MOST))


def kept(found: Counts, each: int) -> Iterator[int]:
    """Days to draw: of every so many the first one, and the last of all."""
    days = list(chain.from_iterable([one.days] * one.count for one in found))
    yield from days[::each]
    if each > 1 and days and (len(days) - 1) % each:
        yield days[-1]


def row_of_dots(sheet: Sheet, scale: Days, y: float, closed: Counts, running: Counts, each: int) -> None:
    """What has ended as full dots, what still runs as hollow ones."""
    marks = sorted([(days, False) for days in kept(closed, each)] + [(days, True) for days in kept(running, each)])
    until = [float("-inf")] * len(LANES)
    full, hollow = list[str](), list[str]()
    for days, open_ in marks:
        x = scale.at(days) - RADIUS
        lane = next((n for n, last in enumerate(until) if last <= x), until.index(min(until)))
        until[lane] = x + 2 * RADIUS
        (hollow if open_ else full).append(f"M{at(x)} {at(y + LANES[lane])}{DOT}")
    if full:
        sheet.add(f'<path d="{"".join(full)}"/>')
    if hollow:
        sheet.add(f'<path d="{"".join(hollow)}" fill="{PAPER}" stroke="{INK}"/>')


def crosses(sheet: Sheet, scale: Days, y: float, found: Counts, each: int) -> None:
    """What was cut off."""
    if found:
        marks = "".join(f"M{at(scale.at(days) - 3)} {at(y - 3)}l6 6m0-6l-6 6" for days in kept(found, each))
        sheet.add(f'<path d="{marks}" stroke="{INK}" stroke-width="1.4"/>')
