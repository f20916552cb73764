"""All that an evaluator is told, metric by metric: what a report is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.illustrating import illustrations
from cycle.timings.measuring import By
from cycle.timings.metrics import IDS, asked
from cycle.timings.pictures.all import Pictured
from cycle.timings.tables import Table, table
from cycle.timings.telling import Words


class Section(Struct, frozen=True):
    """One metric."""

    metric: str
    standing: str
    table: Table
    pictures: Sequence[Pictured]


def sections(reader: Reader, by: By | None, filters: Filters, cutoffs: Cutoffs, words: Words) -> Iterator[Section]:
    """Every metric of which there is something, in the order of the definitions.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    for metric in IDS:
        found = asked(reader, metric, by, filters, cutoffs, 0)
        if found.groups:
            pictures = list(illustrations(reader, metric, by, filters, cutoffs))
            yield Section(metric, words.standing(found), table(found, words), pictures)
