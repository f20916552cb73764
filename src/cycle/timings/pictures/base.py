"""What every picture is asked with, and what several of them are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from operator import attrgetter

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.durations import Duration, Metric
from cycle.timings.measuring import By


class Asked(Struct, frozen=True):
    """Of what a picture is wanted, and as it is on which day."""

    reader: Reader
    filters: Filters
    cutoffs: Cutoffs
    on: date
    by: By | None = None

    def durations(self, metric: Metric) -> Iterator[Duration]:
        """The durations of a metric, framework by framework; never all of them at once."""
        return metric.durations(self.reader.together(self.filters, self.cutoffs), self.on)


class Count(Struct, frozen=True, gc=False):
    """How many took so many days."""

    days: int
    count: int


Counts = tuple[Count, ...]
"""From the fewest days to the most."""


def counts(days: Counter[int]) -> Counts:
    return tuple(Count(each, days[each]) for each in sorted(days))


def how_many(found: Counts) -> int:
    return sum(each.count for each in found)


framework_of: Callable[[Duration], str] = attrgetter("framework")
