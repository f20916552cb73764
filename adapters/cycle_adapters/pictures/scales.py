"""From days and dates to places on the sheet, with ticks that are easy to read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from cycle.timings.pictures.base import Counts

STEPS = (1, 2, 5, 10, 20, 30, 60, 90, 180, 365, 730, 1_825, 3_650, 18_250, 36_500, 182_500, 365_000, 1_825_000)
"""Days between two ticks."""
MOST_TICKS = 5
_USUAL = 0.9
"""This share of the days is shown at full scale, where the rest lies far out."""
_FAR = 1.6
"""Farther out than this many times the usual, days are drawn together."""
_BEYOND, _GAP = 56, 8
"""The room for what lies far out, and before it."""


class Days(Struct, frozen=True):
    """From no day at ``left`` to ``limit``; what lies beyond, from ``far`` on, is drawn together up to ``right``."""

    left: float
    right: float
    limit: int
    far: int
    most: int

    @property
    def breaks(self) -> bool:
        """Whether there is something beyond."""
        return self.most > self.limit

    @property
    def end(self) -> float:
        """Where the limit is."""
        return self.right - _BEYOND if self.breaks else self.right

    def at(self, days: float) -> float:
        if days <= self.limit:
            return self.left + (self.end - self.left) * max(days, 0) / self.limit
        begin, wide = self.end + _GAP, self.right - self.end - _GAP
        return self.right if self.far == self.most else begin + wide * max(days - self.far, 0) / (self.most - self.far)

    @property
    def ticks(self) -> range:
        return range(0, self.limit + 1, _step(self.limit))


def days_scale(
    left: float,
    right: float,
    ended: Iterable[Counts],
    others: Iterable[Counts] = (),
    shown: Iterable[int | None] = (),
) -> Days:
    """A scale on which what has ended has room; ``shown``, such as medians and limits, at full scale."""
    inside, outside = _pooled(ended), _pooled(others)
    found = [days for days, _ in (*inside, *outside)]
    most = max(found, default=0)
    usual = max([1, _usual(inside or outside), *(each for each in shown if each is not None)])
    limit = _round_up(max(most, usual) if most <= _FAR * usual else usual)
    return Days(left, right, limit, min((days for days in found if days > limit), default=limit), most)


def _pooled(found: Iterable[Counts]) -> list[tuple[int, int]]:
    return sorted((each.days, each.count) for some in found for each in some)


def _usual(pooled: list[tuple[int, int]]) -> int:
    """The days within which nearly all lie."""
    total, seen = sum(count for _, count in pooled), 0
    for days, count in pooled:
        seen += count
        if seen >= _USUAL * total:
            return days
    return 0


def _step(limit: int) -> int:
    return next((step for step in STEPS if limit / step <= MOST_TICKS), STEPS[-1])


def _round_up(days: int) -> int:
    step = _step(days)
    return -(-days // step) * step


class Dates(Struct, frozen=True):
    """From a day to a day."""

    left: float
    right: float
    first: date
    last: date

    def at(self, day: date) -> float:
        return self.left + (self.right - self.left) * (day - self.first).days / max((self.last - self.first).days, 1)

    @property
    def ticks(self) -> list[tuple[date, str]]:
        """Days with what to call them: years, or months where it is not even two years."""
        if (self.last - self.first).days < 2 * 365:
            firsts = [date(year, month, 1) for year in self._years for month in (1, 4, 7, 10)]
            named = [(day, f"{day:%m/%Y}") for day in firsts]
        else:
            apart = -(-len(self._years) // MOST_TICKS)
            named = [(date(year, 1, 1), str(year)) for year in self._years if year % apart == 0]
        return [(day, name) for day, name in named if self.first <= day <= self.last]

    @property
    def _years(self) -> range:
        return range(self.first.year, self.last.year + 1)
