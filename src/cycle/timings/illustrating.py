"""Which pictures stand beside the figures of which metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.measuring import By
from cycle.timings.pictures.all import PICTURES, Picture, Pictured, pictured

ILLUSTRATES: Mapping[str, tuple[Picture, ...]] = {
    "M1": (PICTURES["next-plan"], PICTURES["strips"], PICTURES["xmr"]),
    "M2": (PICTURES["stages"], PICTURES["map"]),
}
"""By the id of a metric, in the order in which they are looked at."""


def illustrations(reader: Reader, metric: str, by: By | None, filters: Filters, cutoffs: Cutoffs) -> Iterator[Pictured]:
    """The pictures of a metric inside some cut-offs: those of one framework where one is named, or else the others.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    for picture in ILLUSTRATES.get(metric, ()):
        if filters.framework is not None or not picture.alone:
            yield pictured(reader, picture, by if picture.compares else None, filters, cutoffs)
