"""The evaluator over HTTP, beside the figures: what is behind them, and both as files to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from msgspec.structs import replace

from cycle.exports.figures import Part, Taken, taken
from cycle.timings.listing import Listed, Only, listed
from cycle.timings.measuring import By
from cycle_adapters.http.answering import Answer, reached
from cycle_adapters.http.calling import AtLeast, Calling, looking_back, one_of
from cycle_adapters.http.chosen import About, Group
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, filed, shaped
from cycle_adapters.http.filtering import Asked, of_frameworks
from cycle_adapters.http.parameters import CohortsBy, Cursor, Lang, Limit, MetricId, Moments, cursor_of
from cycle_adapters.tabular import FORMS

BLOCK = 65_536


def evaluation_routes() -> APIRouter:
    """Every route that tells what figures are made of."""
    router = APIRouter()
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
    reader = call.reads("timings", min_position)
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return unchanged
    filters, only = wanted.filters(reader), Only(cohort, about)
    with looking_back(call.doors, filters, cutoffs):
        found = listed(reader, metric, By(by) if by else None, only, filters, cutoffs, limit, after or "")
    behind = cursor_of(found.next)
    return answer.of(replace(found, next=behind), behind)
