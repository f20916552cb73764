"""What takes two people: what is asked for, and the second person's answer."""

from __future__ import annotations

from typing import cast

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.request import ConfirmRequest, Request, WithdrawRequest, request
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import text
from cycle.commands import COMMANDS
from cycle.engine import stream_of
from cycle.forms.acts import Plain
from cycle.forms.choices import Held
from cycle.forms.declared import inputs_of
from cycle.forms.shown import Sheet, answers
from cycle.projections.requests import RequestRow
from cycle.reading import PlaceUnknown
from cycle.telling import request_lines, request_status
from cycle_adapters.http.pages_desk import READ_FIRST, AtDesk, Desk, Fields, Place, Typed
from cycle_adapters.http.pages_form import Form, Subject, fresh
from cycle_adapters.http.pages_sent import carried_out, given_back
from cycle_adapters.http.problems import Stopped

ANSWERS = (ConfirmRequest.type, WithdrawRequest.type)


def request_pages() -> APIRouter:
    """One request, and its two answers."""
    router = APIRouter()

    @router.get("/requests/{identity}", response_class=HTMLResponse)
    def one(identity: str, desk: AtDesk) -> HTMLResponse:
        row = waiting(desk, identity)
        place = Place(FrameworkId(row.framework or ""), desk)
        today = desk.engine.today(place.state.zone)
        return desk.page(
            "request.html",
            place=place,
            row=row,
            lines=request_lines(row, desk.language),
            outcome=request_status(row, today, desk.language),
            waits=row.waits(today),
            answers=asked_for(place, identity),
            mine=desk.hands(row.commune).confirms(row),
            own=desk.actor == row.asked_by,
            what=text(f"command.{row.act}", desk.language),
        )

    @router.get("/requests/{identity}/do/{command}", response_class=HTMLResponse)
    def begin(identity: str, command: str, desk: AtDesk) -> HTMLResponse:
        form = answering(desk, identity, command)
        return form.page(fresh(form.act, form.today, form.subject.version, {}))

    @router.post("/requests/{identity}/do/{command}", dependencies=READ_FIRST)
    def do(identity: str, command: str, desk: AtDesk, posted: Fields) -> Response:
        return carried_out(desk, answering(desk, identity, command), posted)

    @router.post("/requests/{identity}/do/{command}/again", dependencies=READ_FIRST)
    def again(identity: str, command: str, desk: AtDesk, typed: Typed) -> Response:
        return given_back(answering(desk, identity, command), typed)

    return router


def waiting(desk: Desk, identity: str) -> RequestRow:
    """A request about a framework that the reader may read.

    Raises:
        PlaceUnknown: there is none.
    """
    for row in cast("list[RequestRow]", desk.reader.rows("requests")):
        if row.request == identity and row.framework is not None:
            return row
    raise PlaceUnknown(identity)


def asked_for(place: Place, identity: str) -> list[tuple[str, str]]:
    """What is asked for, field by field."""
    desk = place.desk
    state: Request = request.fold(request.initial, _facts(place, identity))
    held = Held(desk.reader, place.state, place.state.commune, desk.language)
    sheet = Sheet(state.act, desk.language, held, desk.engine.today(place.state.zone))
    shown = sheet.lay_out(inputs_of(COMMANDS[state.act]), msgspec.json.decode(state.said))
    return list(answers(shown, desk.language))


def _facts(place: Place, identity: str) -> list[Recorded[Event]]:
    """What was recorded of a request."""
    stream = stream_of(request, identity)
    facts = (fact.recorded for fact in place.desk.reader.facts(place.state.commune))
    return [fact for fact in facts if fact.stream == stream]


def answering(desk: Desk, identity: str, command: str) -> Form:
    """The form of an answer, for whoever has the right to what is asked for.

    Raises:
        Stopped: it is no answer to a request.
        Forbidden: the reader may not do what is asked for.
    """
    if command not in ANSWERS:
        raise Stopped("not-found", list="/")
    row = waiting(desk, identity)
    place = Place(FrameworkId(row.framework or ""), desk)
    roles = tuple(role for role in desk.hands(row.commune).demanded(row.act) if role in COMMANDS[command].roles)
    version = len(_facts(place, identity))
    back = f"/requests/{identity}"
    subject = Subject(place.base, back, place.name, row.commune, place.state, identity, version=version)
    return Form(desk, subject, Plain(command), roles, f"/requests/{identity}/do/{command}")
