"""Sheets to print, and the days for an agenda, over HTTP: whatever leaves is recorded before its first byte does."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from cycle.aggregates.acts import CalendarExported
from cycle.aggregates.terms import Sheet
from cycle.history import Cutoffs
from cycle.timings.measuring import By
from cycle_adapters.http.answering import VARY, matches
from cycle_adapters.http.calling import AtLeast, Call, Calling, looking_back, one_of
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, filed
from cycle_adapters.http.filtering import Asked, of_frameworks
from cycle_adapters.http.parameters import NAME, CohortsBy, Identity, Lang, Moments, Position

Cycle = Annotated[Position | None, Query(description="Which cycle; the newest when left out.")]
Meeting = Annotated[
    str | None, Query(pattern=NAME, description="Which meeting; the one that is meant now if left out.")
]
SECURITY: dict[str, Any] = {"security": [{"token": []}, {"session": []}, {"calendar": []}]}
PROBLEMS_OF_DAYS = (*PROBLEMS_OF_READING, "busy")
PROBLEMS_OF_SHEETS = (*PROBLEMS_OF_READING, "nothing-to-print", "busy")


def paper_routes() -> APIRouter:
    """Every route that hands out paper or days."""
    router = APIRouter()
    sheets = (
        (plan, "plan", "The plan as pages to print"),
        (attendance, "attendance", "The sheet to sign at a meeting"),
        (minutes, "minutes", "The minutes of a meeting"),
    )
    for sheet, name, words in sheets:
        declared = filed("application/pdf", "Pages to print, A4.", PROBLEMS_OF_SHEETS)
        router.get(f"/frameworks/{{identity}}/{name}.pdf", responses=declared, summary=words)(sheet)
    pages = filed("application/pdf", "Pages to print, A4.", PROBLEMS_OF_SHEETS)
    router.get("/report.pdf", responses=pages, summary="The evaluator's report as pages to print")(report)
    days = filed("text/calendar", "Meetings and deadlines (RFC 5545).", PROBLEMS_OF_DAYS, unchanged=True)
    router.get("/calendar.ics", responses=days, summary="Meetings and deadlines", openapi_extra=SECURITY)(calendar)
    return router


def plan(
    identity: Identity, call: Calling, cutoffs: Moments, cycle: Cycle = None, min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:  # fmt: skip
    return handed_out(call, Sheet.PLAN, identity, cycle, cutoffs, min_position)


def attendance(
    identity: Identity, call: Calling, cutoffs: Moments, meeting: Meeting = None, min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:  # fmt: skip
    return handed_out(call, Sheet.ATTENDANCE, identity, meeting, cutoffs, min_position)


def minutes(
    identity: Identity, call: Calling, cutoffs: Moments, meeting: Meeting = None, min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:  # fmt: skip
    return handed_out(call, Sheet.MINUTES, identity, meeting, cutoffs, min_position)


def handed_out(
    call: Call, sheet: Sheet, identity: str, which: str | int | None, cutoffs: Cutoffs, at_least: int | None
) -> Response:
    """Print a sheet for whoever may carry it out of the house."""
    reader, engine, rooms = call.acts("export-paper", at_least), call.engine, call.doors.rooms
    framework = reader.find_framework(identity)
    log = call.about(reader.find(framework).commune)
    engine.act(reader.actor, "export-paper", log)
    with one_of(call.doors.printing):
        found = rooms.prints(
            sheet, reader, framework, call.language, which=which, cutoffs=cutoffs, published=rooms.seals.published
        )
    engine.act(reader.actor, "export-paper", log, found.fact)
    return _pages(call, f"{sheet}-{log}", found.pages, found.fact.up_to)


def report(
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    by: CohortsBy | None = None,
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    reader, engine, rooms = call.acts("export-paper", min_position), call.engine, call.doors.rooms
    filters = wanted.filters(reader)
    log = None if filters.commune is None else call.about(filters.commune)
    engine.act(reader.actor, "export-paper", log)
    with one_of(call.doors.printing), looking_back(call.doors, filters, cutoffs):
        found = rooms.reports(
            reader,
            By(by) if by else None,
            filters,
            call.language,
            place=wanted.named or wanted.sector,
            cutoffs=cutoffs,
            published=rooms.seals.published,
        )
    engine.act(reader.actor, "export-paper", log, found.fact)
    return _pages(call, "report", found.pages, found.fact.up_to)


def _pages(call: Call, name: str, pages: bytes, position: int) -> Response:
    """Pages to print, as a file of this name."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.pdf"',
        "Content-Language": call.language,
        "Cycle-Position": str(position),
    }
    return Response(pages, 200, headers, "application/pdf")


def calendar(
    call: Calling,
    cutoffs: Moments,
    wanted: Annotated[Asked, Depends(of_frameworks)],
    min_position: AtLeast = None,
    lang: Lang = None,
) -> Response:
    reader, engine = call.acts("export-calendar", min_position), call.engine
    filters = wanted.filters(reader)
    home = filters.commune or (reader.find(filters.framework).commune if filters.framework else None)
    log = None if home is None else call.about(home)
    engine.act(reader.actor, "export-calendar", log)
    up_to = min(reader.runner.positions().values())
    with looking_back(call.doors, filters, cutoffs):
        days = call.doors.rooms.days(reader, filters, call.language, cutoffs=cutoffs, of=wanted.named)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Language": call.language,
        "Cycle-Position": str(up_to),
        "ETag": f'"{sha256(days).hexdigest()[:32]}"',
        "Vary": VARY,
    }
    # Agendas ask every hour: nothing leaves where nothing has changed since, and nothing is recorded.
    if matches(call.request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(None, 304, headers)
    engine.act(reader.actor, "export-calendar", log, CalendarExported(up_to, log))
    return Response(days, 200, headers, "text/calendar; charset=utf-8")
