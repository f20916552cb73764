"""Shares measured: their cases in cohorts, with what a reader needs in order to doubt them.

A share is a sum over a sum, and never a mean of shares: who has one action counts once, who has ten, ten times. Its
confidence is that of a thousand samples of whole communes, drawn from one seed, as for durations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, cast

from msgspec import Struct

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.cases import AnyCase, RecordingCase
from cycle.timings.estimators import Ratio, Recurrence, paired_ratios, ratio_interval
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, DEFINITION, By, Lag, cohorts_of, lag_of
from cycle.timings.paging import Some
from cycle.timings.shares import Amount, Measure


class Share(Struct, frozen=True, omit_defaults=True):
    """A sum over a sum. ``share`` None: fewer than five frameworks have a part in it.

    ``lower`` and ``upper`` hold 95 in 100 samples of communes; None: there is none of it, or all, or one commune.
    """

    code: str
    part: Amount
    of: Amount
    frameworks: int
    about: str | None = None
    unit: str | None = None
    share: float | None = None
    lower: float | None = None
    upper: float | None = None


class ShareGroup(Struct, frozen=True):
    """One cohort: how many frameworks and cases, what is counted, what is left out of which share and why.

    ``changes``: people at the second meeting and each later one, against the framework's own first. ``lag``: how late
    the facts behind the cases were recorded.
    """

    cohort: str | None
    frameworks: int
    cases: int
    counts: Mapping[str, int]
    shares: Sequence[Share]
    lag: Lag | None = None
    changes: Sequence[Ratio] = ()


class Shares(Struct, frozen=True):
    """What was asked, from what, and what came of it; ``next`` is behind which to go on, where there are more."""

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    by: By | None
    groups: Sequence[ShareGroup]
    cases: Sequence[AnyCase]
    next: str | None


def shared(
    reader: Reader,
    measure: Measure,
    by: By | None,
    filters: Filters,
    cutoffs: Cutoffs,
    limit: int | None = None,
    after: str = "",
) -> Shares:
    """Shares inside some cut-offs, by cohorts; without a day, as of today.

    Args:
        limit: how many cases to tell at most, of those behind ``after``.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    on = cutoffs.as_of or reader.engine.today()
    # It asks a case for what a duration has too: commune, framework and policy.
    cohorts = cast("Callable[[AnyCase], Iterable[str | None]]", cohorts_of(reader, by, filters, cutoffs))
    found: dict[str, _Gathering] = {}
    told = Some[AnyCase](limit, after)
    for place, case in measure.placed(reader.together(filters, cutoffs), on):
        for cohort in cohorts(case):
            found.setdefault(cohort or "", _Gathering(measure, cohort)).take(case)
        told.take(place, case)
    groups = [found[key].group() for key in (sorted(found) if by else found)]
    return Shares(measure.id, DEFINITION, on, cutoffs.known_at, cutoffs.at, by, groups, told.found, told.next)


_Key = tuple[str, str | None, str | None]
"""Code, about what, in which unit."""


class _Sum(NamedTuple):
    """A share while its cases come: parts and wholes by commune, and the frameworks that have a part in it."""

    communes: dict[str, list[Amount]]
    frameworks: set[str]


class _Gathering:
    """One cohort while its cases come, framework by framework."""

    def __init__(self, measure: Measure, cohort: str | None) -> None:
        self._measure, self._cohort = measure, cohort
        self._frameworks: set[str] = set()
        self._cases = 0
        self._counts: Counter[str] = Counter()
        self._sums: dict[_Key, _Sum] = {}
        self._lags: Counter[int] = Counter()
        self._series: dict[str, Recurrence] = {}

    def take(self, case: AnyCase) -> None:
        self._frameworks.add(case.framework)
        self._cases += 1
        for count in self._measure.counts(case):
            self._counts[count.code] += count.many
        for part in self._measure.parts(case):
            if part.of:
                own = self._sums.setdefault((part.code, part.about, part.unit), _Sum({}, set()))
                own.frameworks.add(case.framework)
                both = own.communes.setdefault(case.commune, [0, 0])
                both[0] += part.part
                both[1] += part.of
        if isinstance(case, RecordingCase):
            for days, many in case.lags:
                self._lags[days] += many
        for mark in case.marks:
            self._lags[mark.lag] += 1
        value = self._measure.series(case) if self._measure.series else None
        if value is not None:
            before = self._series.setdefault(case.framework, Recurrence(case.commune, ()))
            self._series[case.framework] = before._replace(closed=(*before.closed, value))

    def group(self) -> ShareGroup:
        """What they come to."""
        enough = len(self._frameworks) >= AT_LEAST_FRAMEWORKS
        return ShareGroup(
            cohort=self._cohort,
            frameworks=len(self._frameworks),
            cases=self._cases,
            counts={code: self._counts[code] for code in self._measure.counted},
            shares=[_share(*key, own) for key, own in sorted(self._sums.items(), key=self._order)],
            lag=lag_of(self._lags) if self._lags else None,
            changes=paired_ratios(list(self._series.values())) if enough else (),
        )

    def _order(self, item: tuple[_Key, _Sum]) -> tuple[int, bool, str, str]:
        code, about, unit = item[0]
        # What was agreed comes before what was added.
        return self._measure.codes.index(code), about != "agreed", about or "", unit or ""


def _share(code: str, about: str | None, unit: str | None, own: _Sum) -> Share:
    part, of = (sum((both[n] for both in own.communes.values()), 0) for n in (0, 1))
    if len(own.frameworks) < AT_LEAST_FRAMEWORKS:
        return Share(code, part, of, len(own.frameworks), about, unit)
    parts, wholes = ([float(both[n]) for both in own.communes.values()] for n in (0, 1))
    lower, upper = (ratio_interval(parts, wholes) if 0 < part < of else None) or (None, None)
    return Share(code, part, of, len(own.frameworks), about, unit, float(Decimal(part) / Decimal(of)), lower, upper)
