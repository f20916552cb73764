"""``/api/v1/catalogue``: every type of event, with its fields, an example, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from msgspec import Struct

from cycle.aggregates.base import EVENTS
from cycle.feed import QUESTION
from cycle.reading import PlaceUnknown
from cycle.tally import Counted, Tally
from cycle.vocabulary import TypeLine, TypePage, lines, page_of
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import PLACE, Lang

TypeName = Annotated[str, Path(pattern="^[a-z-]{1,80}$", description="A type of events, such as plan-agreed.")]
Words = Annotated[str, Query(pattern=f"{PLACE}|^$", description="Words of its name or of its sentence.")]
Area = Annotated[str, Query(pattern="^[a-z-]{0,40}$", description="The part of the domain that it belongs to.")]


class TypeList(Struct, frozen=True):
    """Types of events; ``events``: how many of each you may read, counted up to the position ``to``."""

    items: tuple[TypeLine, ...]
    events: Mapping[str, int]
    to: int
    head: int


class OneType(Struct, frozen=True):
    """One type of event; ``events``: how many you may read, counted up to the position ``to``."""

    item: TypePage
    events: int
    to: int
    head: int


def vocabulary_routes() -> APIRouter:
    """The list, and one type."""
    router = APIRouter(prefix="/catalogue", tags=["event"])
    problems = ("sign-in-needed", "forbidden", "out-of-scope", "invalid")
    router.get("", responses=shaped(TypeList, problems), summary="Every type of event")(catalogue)
    one = shaped(OneType, (*problems, "not-found"))
    router.get("/{type}", responses=one, summary="One type of event")(event_type)
    return router


def catalogue(call: Calling, q: Words = "", area: Area = "", lang: Lang = None) -> Response:
    found, counted = tuple(lines(call.language, q, area)), counted_for(call)
    events = {line.type: counted.events.get(line.type, 0) for line in found}
    return as_json(TypeList(found, events, counted.to, counted.head))


def event_type(type: TypeName, call: Calling, lang: Lang = None) -> Response:
    counted = counted_for(call)
    if type not in EVENTS:
        raise PlaceUnknown(type)
    page = page_of(type, call.language)
    return as_json(OneType(page, counted.events.get(type, 0), counted.to, counted.head))


def counted_for(call: Call) -> Counted:
    """How many events of each type the caller may read."""
    tally: Tally = call.request.app.state.tally
    return tally.read_by(call.reads(QUESTION))
