"""Reading over HTTP: every projection, and the frameworks one by one; live or as of a past moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from cycle.access import READING
from cycle.aggregates.framework.root import framework
from cycle.aggregates.terms import FrameworkId
from cycle.engine import stream_of
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.reading import Filters, PlaceUnknown, Reader
from cycle.states import compared, compared_as_json
from cycle.telling import corrected, fact_as_json, option_as_json, request_as_json
from cycle_adapters.http.answering import Answer
from cycle_adapters.http.calling import AtLeast, Call, Calling, looking_back
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, page_of, shaped
from cycle_adapters.http.filtering import Asked, of_frameworks, of_places
from cycle_adapters.http.parameters import (
    Cursor,
    Identity,
    Instant,
    Lang,
    Limit,
    Moments,
    cursor_of,
)
from cycle_adapters.http.shapes import ChangesAnswer, HistoryAnswer, NextAnswer

ROUTES = {name.replace("_", "-"): name for name in PROJECTIONS}
"""Route under ``/api/v1`` -> projection."""
HOW_MANY = Annotated[Limit, Query(description="How many at most.")]


def reading_routes() -> APIRouter:
    """Every route that asks."""
    router = APIRouter()
    for route, name in ROUTES.items():
        declared = shaped(page_of(name), (*PROBLEMS_OF_READING, "busy"), unchanged=True)
        public: dict[str, Any] | None = {"security": []} if READING[name].anybody else None
        words = name.replace("_", " ").capitalize()
        router.get(f"/{route}", name=route, summary=words, responses=declared, openapi_extra=public)(rows_of(name))
    one = shaped(PROJECTIONS["frameworks"].row, PROBLEMS_OF_READING, unchanged=True)
    router.get("/frameworks/{identity}", responses=one, summary="One framework")(framework_alone)
    steps = shaped(NextAnswer, PROBLEMS_OF_READING, unchanged=True)
    router.get("/frameworks/{identity}/next", responses=steps, summary="What may happen next")(framework_next)
    told = shaped(HistoryAnswer, PROBLEMS_OF_READING, unchanged=True)
    router.get("/frameworks/{identity}/history", responses=told, summary="Its history, told")(framework_history)
    changes = shaped(ChangesAnswer, PROBLEMS_OF_READING, unchanged=True)
    router.get("/frameworks/{identity}/changes", responses=changes, summary="What changed between two moments")(
        framework_changes
    )
    return router


def rows_of(name: str) -> Callable[..., Response]:
    """What answers with the rows of a projection: each is narrowed to what its rows know of."""
    own = PROJECTIONS[name].row.__struct_fields__
    narrowed = of_frameworks if {"framework", "stream"} & set(own) else of_places

    def rows(
        call: Calling,
        cutoffs: Moments,
        wanted: Asked = Depends(narrowed),  # noqa: B008
        after: Cursor | None = None,
        limit: HOW_MANY = 100,
        min_position: AtLeast = None,
        lang: Lang = None,
    ) -> Response:
        reader = call.reads(name, min_position)
        return page(name, call, reader, wanted.filters(reader), cutoffs, limit, after)

    return rows


def page(
    name: str, call: Call, reader: Reader, filters: Filters, cutoffs: Cutoffs, limit: int, after: str | None
) -> Response:
    """Some rows, and where to go on."""
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return unchanged
    with looking_back(call.doors, filters, cutoffs):
        found = reader.page(name, filters, cutoffs, limit, after or "")
    behind = cursor_of(found.after)
    return answer.of({"items": found.rows, "next": behind}, behind)


def framework_alone(
    identity: Identity, call: Calling, cutoffs: Moments, min_position: AtLeast = None, lang: Lang = None
) -> Response:
    reader = call.reads("frameworks", min_position)
    found = reader.find_framework(identity)
    # Of a past moment no command rests on a version.
    answer = Answer(call, reader, stream_of(framework, found) if cutoffs == EVERYTHING else None)
    rows = reader.rows("frameworks", Filters(framework=found), cutoffs)
    if not rows:
        raise PlaceUnknown(identity)
    return answer.unchanged() or answer.of(rows[0])


def framework_next(identity: Identity, call: Calling, min_position: AtLeast = None, lang: Lang = None) -> Response:
    reader, found = _named(call, "next", identity, min_position)
    answer = Answer(call, reader)
    state = reader.framework(found)
    today = reader.engine.today(state.zone)
    late = reader.overdue(today, Filters(framework=found))
    asked = [request_as_json(row) for row in reader.requests(found, today)]
    options = [option_as_json(option) for option in reader.options(found)]
    of = {"framework": found, "stage": state.stage}
    return answer.unchanged() or answer.of({**of, "overdue": late, "requests": asked, "options": options})


def framework_history(
    identity: Identity,
    call: Calling,
    cutoffs: Moments,
    after: Cursor | None = None,
    limit: HOW_MANY = 100,
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    reader, found = _named(call, "replay", identity, min_position)
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return unchanged
    facts = reader.framework_facts(found, cutoffs)
    later, begin = corrected(facts), int(after) if after and after.isdecimal() else 0
    rest = [fact for fact in facts if fact.position > begin]
    told = [fact_as_json(fact, call.language, later) for fact in rest[:limit]]
    behind = cursor_of(str(rest[limit - 1].position)) if len(rest) > limit else None
    return answer.of({"items": told, "next": behind}, behind)


def framework_changes(
    identity: Identity,
    call: Calling,
    before: Annotated[Instant, Query(alias="from", description="A position, or a day.")],
    to: Annotated[Instant, Query(description="A position, or a day.")],
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    reader, found = _named(call, "replay", identity, min_position)
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return unchanged
    earlier, later = (reader.framework_facts(found, each) for each in (before, to))
    return answer.of(compared_as_json(compared(earlier, later, call.language), call.language))


def _named(call: Call, question: str, identity: str, at_least: int | None) -> tuple[Reader, FrameworkId]:
    """The framework that an address names, for whoever may ask this of it."""
    assert not READING[question].anybody
    reader = call.reads(question, at_least)
    return reader, reader.find_framework(identity)
