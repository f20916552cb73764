"""What is behind a figure, one after the other: durations or cases, each with the facts that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import cast

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.cases import AnyCase
from cycle.timings.durations import Duration
from cycle.timings.measuring import By, cohorts_of, place_of
from cycle.timings.metrics import DURATIONS
from cycle.timings.paging import Some
from cycle.timings.shares import SHARES

Behind = Duration | AnyCase


class Only(Struct, frozen=True):
    """One group of those in which a metric is told; absent: whatever it is."""

    cohort: str | None = None
    about: str | None = None


EVERY_GROUP = Only()


class Listed(Struct, frozen=True, kw_only=True):
    """Some of what a metric is made of, in the order of frameworks: durations, or the cases of shares.

    ``next`` is behind which to go on, where there are more.
    """

    metric: str
    as_of: date
    known_at: datetime | None
    at: int | None
    durations: Sequence[Duration] = ()
    cases: Sequence[AnyCase] = ()
    next: str | None = None


def each_behind(
    reader: Reader, metric: str, by: By | None, only: Only, filters: Filters, cutoffs: Cutoffs
) -> Iterator[tuple[str, Behind]]:
    """All of a group, each at its place; what belongs to two groups is told in both, and once where none is named.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
        KeyError: there is no such metric.
    """
    belongs = cast("Callable[[Behind], Iterable[str | None]]", cohorts_of(reader, by, filters, cutoffs))
    for place, each in _all(reader, metric, filters, cutoffs):
        if only.about not in (None, getattr(each, "about", None)):
            continue
        if only.cohort is None or only.cohort in belongs(each):
            yield place, each


def _all(reader: Reader, metric: str, filters: Filters, cutoffs: Cutoffs) -> Iterator[tuple[str, Behind]]:
    on = cutoffs.as_of or reader.engine.today()
    if metric in SHARES:
        yield from SHARES[metric].placed(reader.together(filters, cutoffs), on)
    else:
        for each in DURATIONS[metric].durations(reader.together(filters, cutoffs), on):
            yield place_of(each), each


def listed(
    reader: Reader,
    metric: str,
    by: By | None,
    only: Only,
    filters: Filters,
    cutoffs: Cutoffs,
    limit: int,
    after: str = "",
) -> Listed:
    """At most so many of them, behind a place: whoever goes on meets each once.

    Raises:
        Forbidden, KeyError: as ``each_behind``.
    """
    told = Some[Behind](limit, after)
    for place, each in each_behind(reader, metric, by, only, filters, cutoffs):
        told.take(place, each)
        if told.is_full:
            break
    return Listed(
        metric=metric,
        as_of=cutoffs.as_of or reader.engine.today(),
        known_at=cutoffs.known_at,
        at=cutoffs.at,
        durations=[each for each in told.found if isinstance(each, Duration)],
        cases=[each for each in told.found if not isinstance(each, Duration)],
        next=told.next,
    )
