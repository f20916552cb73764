"""One question of an evaluator as tables to take away: its figures, and what is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import asdict

from cycle.exports.columns import Cell, Column, cells_of, columns_of
from cycle.exports.tables import DurationRow, duration_row
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.cases import ActionCase, MeetingCase, NeedCase, PromiseCase, RecordingCase
from cycle.timings.durations import Duration
from cycle.timings.estimators import Quantile
from cycle.timings.listing import Behind, Only, each_behind
from cycle.timings.measuring import By, Group, Measured
from cycle.timings.metrics import asked
from cycle.timings.shares import SHARES
from cycle.timings.sharing import ShareGroup, Shares


class Part(StrEnum):
    """Which of the two tables of a metric."""

    FIGURES = "figures"
    ROWS = "rows"


class Figure(Struct, frozen=True, kw_only=True):
    """A group of durations, estimated; days are empty where there are too few frameworks, or they are not reached."""

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    by: By | None
    cohort: str | None
    about: str | None
    frameworks: int
    intervals: int
    running: int
    dissolved: int
    otherwise: int
    doubtful: int
    median: int | None
    median_lower: int | None
    median_upper: int | None
    quartile_1: int | None
    quartile_3: int | None
    longest: int | None
    active_median: int | None
    active_lower: int | None
    active_upper: int | None
    lag_median: int
    lag_p90: int
    lag_late: Decimal


class ShareFigure(Struct, frozen=True, kw_only=True):
    """A share of a group; it is empty where there are too few frameworks."""

    metric: str
    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    by: By | None
    cohort: str | None
    code: str
    about: str | None
    unit: str | None
    frameworks: int
    part: Decimal
    whole: Decimal
    share: Decimal | None
    share_lower: Decimal | None
    share_upper: Decimal | None


CASES: Mapping[str, type[Struct]] = {
    "M7": ActionCase,
    "M8": PromiseCase,
    "M9": NeedCase,
    "M10": MeetingCase,
    "M11": RecordingCase,
}
"""What is behind the shares, by their metric."""
_ABOUT: Mapping[type[Struct], str] = {
    Figure: "figures",
    ShareFigure: "figures",
    DurationRow: "durations",
    **{case: f"case-{metric}" for metric, case in CASES.items()},
}
"""Under which name the catalogue holds what the columns mean."""
NO_DAYS = Quantile(None, None, None)


class Taken(NamedTuple):
    """A table to take away: its columns, and its rows one by one."""

    columns: tuple[Column, ...]
    rows: Iterator[tuple[Cell, ...]]


def columns(metric: str, part: Part) -> tuple[Column, ...]:
    """The columns of a table of a metric."""
    row = _struct(metric, part)
    return columns_of(row, _ABOUT[row], f"timings {metric}")


def taken(
    reader: Reader, metric: str, part: Part, by: By | None, only: Only, filters: Filters, cutoffs: Cutoffs
) -> Taken:
    """A table of a metric inside some cut-offs; without a day, as of today. ``only`` narrows what is behind.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    if part is Part.FIGURES:
        rows: Iterator[Struct] = _figures(asked(reader, metric, by, filters, cutoffs, 0))
    else:
        behind = each_behind(reader, metric, by, only, filters, cutoffs)
        rows = (_row(metric, each) for _, each in behind)
    return Taken(columns(metric, part), map(cells_of, rows))


def _struct(metric: str, part: Part) -> type[Struct]:
    if part is Part.FIGURES:
        return ShareFigure if metric in SHARES else Figure
    return CASES.get(metric, DurationRow)


def _row(metric: str, each: Behind) -> Struct:
    return duration_row(metric, each) if isinstance(each, Duration) else each


def _figures(found: Measured | Shares) -> Iterator[Struct]:
    head = {name: getattr(found, name) for name in ("metric", "definition", "as_of", "known_at", "at", "by")}
    if isinstance(found, Shares):
        for group in found.groups:
            yield from _shares(head, group)
    else:
        for each in found.groups:
            yield _figure(head, each)


def _figure(head: Mapping[str, object], group: Group) -> Figure:
    curve = group.curve
    median = curve.median if curve else NO_DAYS
    first, third = curve.quartiles if curve else (NO_DAYS, NO_DAYS)
    active = group.active or NO_DAYS
    counts = ("cohort", "about", "frameworks", "intervals", "running", "dissolved", "otherwise", "doubtful")
    return Figure(
        **head,  # type: ignore[arg-type]
        **{name: getattr(group, name) for name in counts},
        median=median.days,
        median_lower=median.lower,
        median_upper=median.upper,
        quartile_1=first.days,
        quartile_3=third.days,
        longest=curve.longest if curve else None,
        active_median=active.days,
        active_lower=active.lower,
        active_upper=active.upper,
        lag_median=group.lag.median,
        lag_p90=group.lag.p90,
        lag_late=_share(group.lag.late) or Decimal(0),
    )


def _shares(head: Mapping[str, object], group: ShareGroup) -> Iterator[ShareFigure]:
    for each in group.shares:
        own = asdict(each)
        yield ShareFigure(
            **head,  # type: ignore[arg-type]
            cohort=group.cohort,
            **{name: own[name] for name in ("code", "about", "unit", "frameworks")},
            part=Decimal(each.part),
            whole=Decimal(each.of),
            share=_share(each.share),
            share_lower=_share(each.lower),
            share_upper=_share(each.upper),
        )


def _share(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")
