"""The event catalogue as pages: looked through by words and area, and one type with all that is promised of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cycle.catalogue import text
from cycle.contracts import TYPES
from cycle.reading import PlaceUnknown
from cycle.vocabulary import areas, lines, page_of
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.parameters import EventType
from cycle_adapters.http.vocabulary import Area, TypeName, Words, counted_for

PER_PAGE = 40


def vocabulary_pages() -> APIRouter:
    """The list and each type."""
    router = APIRouter()

    @router.get("/catalogue", response_class=HTMLResponse)
    def catalogue(
        desk: AtDesk, q: Words = "", area: Area = "", after: Annotated[EventType | None, Query()] = None
    ) -> HTMLResponse:
        found = lines(desk.language, q, area)
        behind = [line for line in found if line.type > (after or "")]
        shown, rest = behind[:PER_PAGE], behind[PER_PAGE:]
        counted = counted_for(desk.call)
        return desk.page(
            "catalogue.html",
            types=[(line, counted.events.get(line.type, 0)) for line in shown],
            count=len(found),
            counted=counted,
            chosen={"q": q or None, "area": area or None},
            areas=offered(desk),
            after=shown[-1].type if rest else None,
        )

    @router.get("/catalogue/{type}", response_class=HTMLResponse)
    def one(type: TypeName, desk: AtDesk) -> HTMLResponse:
        if type not in TYPES:
            raise PlaceUnknown(type)
        counted, page = counted_for(desk.call), page_of(type, desk.language)
        example = msgspec.json.format(msgspec.json.encode(page.example), indent=2).decode()
        return desk.page(
            "event-type.html",
            type=page,
            other=page.english if desk.language == "fr" else page.french,
            example=example,
            events=counted.events.get(type, 0),
            counted=counted,
        )

    return router


def offered(desk: Desk) -> list[tuple[str, str]]:
    """The areas by their words."""
    named = ((area, text(f"area.{area}", desk.language).strip()) for area in areas())
    return sorted(named, key=lambda pair: pair[1])
