"""The evaluator's page of two groups or two periods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse
from msgspec import Struct
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cycle.projections.frameworks import FrameworkRow
from cycle.reading import Reader
from cycle.timings.comparing import Period, Side, comparisons, side
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, By
from cycle.timings.metrics import DURATIONS
from cycle.timings.side_by_side import side_by_side
from cycle.timings.telling import Words
from cycle_adapters.http.calling import looking_back
from cycle_adapters.http.chosen import ChosenDay
from cycle_adapters.http.evaluating import FIRST, Question, Questioned
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.pages_timings import form
from cycle_adapters.http.parameters import MOST_SIDES

PAGE = "/timings/compare"
TWO = 2


def _sides(written: Any) -> Any:
    """The sides that are chosen, as they are written; a select in which nothing is chosen sends none."""
    try:
        return [str(side(each)) for each in written if each][:MOST_SIDES]
    except ValueError:
        raise PydanticCustomError("side", "not a {takes}", {"takes": "side"}) from None


ChosenSides = Annotated[list[str], BeforeValidator(_sides), Query()]
ChosenDays = Annotated[list[ChosenDay], Query()]


class Sides(Struct, frozen=True):
    """Groups and periods out of the form, and what stands in its fields."""

    groups: Sequence[str]
    periods: Sequence[Period]
    backward: bool

    @property
    def all(self) -> list[Side]:
        return [*map(side, self.groups), *self.periods]

    def address(self, question: Question) -> str:
        """Where the same stands as JSON."""
        asked = [("side", str(each)) for each in self.all] + list(question.narrowed.items())
        return f"/api/v1/timings/{metric_of(question)}/comparison?{urlencode(asked)}"


def sides(
    side: ChosenSides = [], since: ChosenDays = [], last: ChosenDays = []  # noqa: B006
) -> Sides:  # fmt: skip
    """The sides of the form; a period that ends before it begins is none, and is said to be."""
    chosen = [(begin, end) for begin, end in zip(since, last, strict=False) if begin and end]
    periods = [Period(begin, end + timedelta(days=1)) for begin, end in chosen if begin <= end]
    return Sides(side, periods, backward=len(periods) < len(chosen))


def comparison_pages() -> APIRouter:
    """One page: a form until two sides are chosen, then what came of it."""
    router = APIRouter()

    @router.get(PAGE, response_class=HTMLResponse)
    def compare(desk: AtDesk, question: Questioned, chosen: Annotated[Sides, Depends(sides)]) -> HTMLResponse:
        reader = desk.call.reads("timings")
        metric, filters, words = metric_of(question), question.asked.filters(reader), Words(desk.language)
        table = None
        if len(chosen.all) >= TWO:
            with looking_back(desk.call.doors, filters, question.cutoffs):
                found = comparisons(reader, DURATIONS[metric], chosen.all, filters, question.cutoffs)
            table = side_by_side(found, words)
        return desk.page(
            "comparison.html",
            **{**form(desk, reader, question), "metrics": [(each, words.name(each)) for each in DURATIONS]},
            json=chosen.address(question) if table else question.json(),
            words=words,
            metric=metric,
            table=table,
            least=AT_LEAST_FRAMEWORKS,
            chosen=chosen,
            cohorts=cohorts(reader, desk, words),
            periods=[(each.since, each.before - timedelta(days=1)) for each in chosen.periods],
        )

    return router


def metric_of(question: Question) -> str:
    """The metric that is compared: of those in days."""
    return question.metric if question.metric in DURATIONS else FIRST


def cohorts(reader: Reader, desk: Desk, words: Words) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every group that may be a side, by what groups are made of."""
    rows: list[FrameworkRow] = reader.frameworks()
    homes = [home for row in rows if (home := desk.homes.get(row.commune))]
    names = {
        By.REGION: {home.region for home in homes},
        By.CIRCLE: {home.circle for home in homes},
        By.SECTOR: {sector for row in rows for sector in row.sectors},
        By.POLICY: {row.policy for row in rows},
    }
    return [
        (words.by(by), sorted(((f"{by}={name}", words.cohort(by, name)) for name in own), key=lambda pair: pair[1]))
        for by, own in names.items()
    ]
