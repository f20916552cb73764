"""Every picture, by its id; pages, the API, the command line and the report follow from this list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.measuring import DEFINITION, By
from cycle.timings.pictures.base import Asked
from cycle.timings.pictures.series import Series, series
from cycle.timings.pictures.stages import Stages, stages
from cycle.timings.pictures.strips import Strips, strips
from cycle.timings.pictures.waiting import NextPlan, next_plan
from cycle.timings.pictures.ways import Ways, ways

Shown = Stages | NextPlan | Ways | Strips | Series


class Picture(Struct, frozen=True):
    """``compares``: it takes cohorts. ``alone``: it is of one framework, which must be named."""

    id: str
    of: Callable[[Asked], Shown]
    compares: bool = False
    alone: bool = False


PICTURES: Mapping[str, Picture] = {
    picture.id: picture
    for picture in (
        Picture("next-plan", next_plan, compares=True),
        Picture("stages", stages),
        Picture("map", ways),
        Picture("strips", strips),
        Picture("xmr", series, alone=True),
    )
}


class Pictured(Struct, frozen=True):
    """What was asked, and what there is to be seen."""

    picture: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    shown: Shown


def pictured(reader: Reader, picture: Picture, by: By | None, filters: Filters, cutoffs: Cutoffs) -> Pictured:
    """What a picture shows inside some cut-offs; without a day, as of today.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    assert by is None or picture.compares
    assert filters.framework is not None or not picture.alone
    on = cutoffs.as_of or reader.engine.today()
    shown = picture.of(Asked(reader, filters, cutoffs, on, by))
    return Pictured(picture.id, DEFINITION, on, cutoffs.known_at, cutoffs.at, shown)
