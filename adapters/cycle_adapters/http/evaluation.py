"""The evaluator over HTTP: figures, what is behind them, and both as files to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from msgspec.structs import replace

from cycle.exports.figures import Part, Taken, taken
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.comparing import Comparisons, comparisons
from cycle.timings.comparing import side as side_of
from cycle.timings.listing import Listed, Only, listed
from cycle.timings.measuring import By, Measured
from cycle.timings.metrics import DURATIONS, asked
from cycle.timings.risk import Risks, at_risk
from cycle.timings.sharing import Shares
from cycle_adapters.http.answering import Answer, reached
from cycle_adapters.http.calling import AtLeast, Call, Calling, looking_back, one_of
from cycle_adapters.http.chosen import About, Group
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, filed, shaped
from cycle_adapters.http.filtering import Asked, of_frameworks
from cycle_adapters.http.parameters import (
    CohortsBy,
    Cursor,
    DurationId,
    Lang,
    Limit,
    MetricId,
    Moments,
    Sides,
    cursor_of,
)
from cycle_adapters.tabular import FORMS

BLOCK = 65_536


def evaluation_routes() -> APIRouter:
    """Every route that tells what figures are made of."""
    router = APIRouter()
    risks = shaped(Risks, (*PROBLEMS_OF_READING, "busy"), unchanged=True)
    router.get("/timings/risk", responses=risks, summary="Frameworks at risk")(frameworks_at_risk)
    measure = shaped((Measured, Shares), (*PROBLEMS_OF_READING, "busy"), unchanged=True)
    router.get("/timings/{metric}", responses=measure, summary="How long it takes")(timings)
    compare = shaped(Comparisons, (*PROBLEMS_OF_READING, "busy"), unchanged=True)
    router.get("/timings/{metric}/comparison", responses=compare, summary="One metric side by side")(comparison)
    behind = shaped(Listed, (*PROBLEMS_OF_READING, "busy"), unchanged=True)
    router.get("/timings/{metric}/rows", responses=behind, summary="What is behind the figures")(rows)
    for part in Part:
        for form, written in FORMS.items():
            file = filed(written.media, f"The table as {form}.", (*PROBLEMS_OF_READING, "busy"))
            words = f"{'The figures' if part is Part.FIGURES else 'What is behind the figures'} as {form}"
            path = f"/timings/{{metric}}/{part}.{form}"
            router.get(path, name=f"{part}-{form}", responses=file, summary=words)(table_of(part, form))
    return router


def table_of(part: Part, form: str) -> Callable[..., Response]:
    """What answers with a table of a metric as a file, whole before its first byte leaves."""

    def table(
        metric: MetricId,
        call: Calling,
        cutoffs: Moments,
        wanted: Annotated[Asked, Depends(of_frameworks)],
        by: CohortsBy | None = None,
        cohort: Group | None = None,
        about: About | None = None,
        min_position: AtLeast = None,
        lang: Lang = None,
    ) -> Response:
        reader = call.reads("timings", min_position)
        position = reached(reader)
        filters, only = wanted.filters(reader), Only(cohort, about)
        with one_of(call.doors.bundling):
            file = _written(form, taken(reader, metric, part, By(by) if by else None, only, filters, cutoffs))
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{metric}-{part}.{form}"',
            "Content-Length": str(file.seek(0, 2)),
            "Cycle-Position": str(position),
        }
        return StreamingResponse(_blocks(file), 200, headers, FORMS[form].media)

    return table


def _written(form: str, table: Taken) -> IO[bytes]:
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        FORMS[form].write(file, table.columns, table.rows)
        # It is whole: who sends it closes it.
        stack.pop_all()
        return file


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def timings(
    metric: MetricId,
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    by: CohortsBy | None = None,
    after: Cursor | None = None,
    limit: Annotated[Limit, Query(description="How many durations at most.")] = 100,
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    def found(reader: Reader, filters: Filters) -> Measured | Shares:
        return asked(reader, metric, By(by) if by else None, filters, cutoffs, limit, after or "")

    return _told(call, wanted, cutoffs, min_position, found)


def comparison(
    metric: DurationId,
    side: Sides,
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    def found(reader: Reader, filters: Filters) -> Comparisons:
        return comparisons(reader, DURATIONS[metric], [side_of(each) for each in side], filters, cutoffs)

    return _told(call, wanted, cutoffs, min_position, found)


def frameworks_at_risk(
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    after: Cursor | None = None,
    limit: Annotated[Limit, Query(description="How many frameworks at most.")] = 100,
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    def found(reader: Reader, filters: Filters) -> Risks:
        return at_risk(reader, filters, cutoffs, limit, after or "")

    return _told(call, wanted, cutoffs, min_position, found)


def rows(
    metric: MetricId,
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    by: CohortsBy | None = None,
    cohort: Group | None = None,
    about: About | None = None,
    after: Cursor | None = None,
    limit: Annotated[Limit, Query(description="How many rows at most.")] = 100,
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    def found(reader: Reader, filters: Filters) -> Listed:
        only = Only(cohort, about)
        return listed(reader, metric, By(by) if by else None, only, filters, cutoffs, limit, after or "")

    return _told(call, wanted, cutoffs, min_position, found)


Told = Measured | Shares | Comparisons | Risks | Listed


def _told(
    call: Call, wanted: Asked, cutoffs: Cutoffs, at_least: int | None, ask: Callable[[Reader, Filters], Told]
) -> Response:
    """What was asked, and where to go on."""
    reader = call.reads("timings", at_least)
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return unchanged
    filters = wanted.filters(reader)
    with looking_back(call.doors, filters, cutoffs):
        found = ask(reader, filters)
    if isinstance(found, Comparisons):
        return answer.of(found)
    behind = cursor_of(found.next)
    return answer.of(replace(found, next=behind), behind)
