"""Doing something on a page: a form for every command, its check, its confirmation."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from cycle.access import Forbidden
from cycle.aggregates.base import LogName, Recorded, Refused, VersionMoved
from cycle.aggregates.deliberation import deliberation
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.organisation import organisation
from cycle.aggregates.person import PersonRecorded, RecordPerson
from cycle.aggregates.request import ActRequested
from cycle.board import mine_first
from cycle.catalogue import text, verbatim
from cycle.commands import BY_COMMAND, COMMANDS, FOUNDING, SELF_NAMED
from cycle.engine import Busy
from cycle.failures import Failure
from cycle.forms.acts import Act, Correcting, Plain, correctable
from cycle.forms.choices import Choice, Held
from cycle.forms.declared import Input, Kind, inputs_of
from cycle.forms.typed import Posted
from cycle.leaf import LeafError
from cycle.naming import Names
from cycle.reading import PlaceUnknown
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.telling import refusal_lines, sentence, steps, whom_to_call, with_names
from cycle_adapters.http.pages_desk import AtDesk, AtPlace, Desk, Fields, Place
from cycle_adapters.http.pages_form import ADD, CHANGE, CHECKED, Form, Sent, Subject, fresh, sent
from cycle_adapters.http.problems import Stopped

SPECIAL = frozenset({CorrectFact.type, "record-deadline-passed", ProposeFramework.type})
"""Commands that have their form elsewhere, or that the system says by itself."""
OF_THE_COMMUNE = tuple(
    name
    for name, command in COMMANDS.items()
    if (BY_COMMAND[name] in (deliberation, organisation) and "fact_version" not in command.__struct_fields__)
    or command is RecordPerson
)
"""Commands about what lies in the commune of a framework: its organisations, its council's deliberations, people."""
OF_A_FRAMEWORK = tuple(n for n, c in COMMANDS.items() if BY_COMMAND[n] is framework and c is not ProposeFramework)
STEP = "_step"


def doing_pages() -> APIRouter:
    """Every form."""
    router = APIRouter()

    @router.get("/do/propose-framework", response_class=HTMLResponse)
    def propose(request: Request, desk: AtDesk) -> HTMLResponse:
        form = proposing(desk)
        return form.page(fresh(form.act, form.today, None, dict(request.query_params)))

    @router.post("/do/propose-framework")
    def proposed(desk: AtDesk, posted: Fields) -> Response:
        return carried_out(desk, proposing(desk), posted)

    @router.get("/frameworks/{identity}/do/{command}", response_class=HTMLResponse)
    def begin(command: str, request: Request, place: AtPlace) -> HTMLResponse:
        asked = dict(request.query_params)
        form = form_of(place, command, asked.get("fact_version", ""))
        return form.page(fresh(form.act, form.today, form.subject.version, asked), step=asked.get("step", ""))

    @router.post("/frameworks/{identity}/do/{command}")
    def do(command: str, request: Request, place: AtPlace, posted: Fields) -> Response:
        form = form_of(place, command, request.query_params.get("fact_version", ""))
        return carried_out(place.desk, form, posted)

    @router.get("/frameworks/{identity}/done/{key}", response_class=HTMLResponse)
    def done(key: str, place: AtPlace) -> HTMLResponse:
        return confirmation(place, key)

    return router


def form_of(place: Place, command: str, fact_version: str) -> Form:
    """The form of a command about a framework, or about something of its commune.

    Raises:
        Stopped: there is no such form here.
        Forbidden: the reader may not say it.
    """
    action = f"{place.base}/do/{command}"
    if command == CorrectFact.type:
        fact = fact_to_correct(place, fact_version)
        return _form(place, Correcting(fact), f"{action}?fact_version={fact.version}")
    if command in OF_A_FRAMEWORK:
        return _form(place, Plain(command), action)
    if command not in OF_THE_COMMUNE:
        raise Stopped("not-found", list="/")
    declared = COMMANDS[command]
    own = {"commune": place.state.commune} if "commune" in declared.__struct_fields__ else {}
    founds = declared in FOUNDING or command in SELF_NAMED
    return _form(place, Plain(command, own), action, None if founds else targets(place, command))


def _form(place: Place, act: Act, action: str, targets: tuple[Choice, ...] | None = None) -> Form:
    about_framework = act.command.type in OF_A_FRAMEWORK
    subject = Subject(
        place.base,
        place.base,
        place.name,
        place.state.commune,
        place.state,
        place.id if about_framework else None,
        targets,
        place.state.version if about_framework else None,
    )
    roles = place.desk.hands(place.state.commune).demanded(act.command.type)
    return Form(place.desk, subject, act, roles, action)


def targets(place: Place, command: str) -> tuple[Choice, ...]:
    """What a command about a deliberation or an organisation can be about."""
    kind = "DeliberationId" if BY_COMMAND[command] is deliberation else "OrganisationId"
    asked = Input("target", Kind.CHOICE, inputs_of(ProposeFramework)[0].type, True, refers=kind)
    return Held(place.desk.reader, place.state, place.state.commune, place.desk.language).offered(asked)


def fact_to_correct(place: Place, version: str) -> Recorded[Any]:
    """The fact that is to be set right, as it is believed now.

    Raises:
        Stopped: there is none, or nothing of it can be.
    """
    facts = place.desk.reader.history(place.id)
    fact = next((fact for fact in facts if str(fact.version) == version), None)
    if fact is None or not correctable(fact):
        raise Stopped("not-found", list="/")
    return fact


def proposing(desk: Desk) -> Form:
    """The form by which a framework begins: in any commune for which the reader may."""
    hands = {code: desk.hands(code).roles(ProposeFramework.type) for code in desk.homes}
    roles = tuple(dict.fromkeys(role for found in hands.values() for role in found))
    if not roles:
        roles = desk.hands(next(iter(desk.homes), "")).demanded(ProposeFramework.type)
    subject = Subject("", "/", "", "", Framework())
    return Form(desk, subject, Plain(ProposeFramework.type), roles, "/do/propose-framework")


def carried_out(desk: Desk, form: Form, posted: Posted) -> Response:
    """What was sent: shown again with what is wrong, checked where it binds, or recorded."""
    filled, step = sent(form.act, posted), posted.get(STEP, [""])[-1]
    if ADD in posted or CHANGE in posted:
        return form.page(filled, step=step)
    errors = form.faults(filled)
    if errors:
        return form.page(filled, errors, status=422, step=step)
    if form.act.command.binds and CHECKED not in posted:
        return form.check_page(filled, posted)
    said = form.saying(filled)
    if isinstance(said.command, ProposeFramework):
        desk.call.request.state.commune = said.command.commune
    try:
        receipt = desk.engine.execute(said)
    except (Refused, KeyReused, Busy, Conflict, Unavailable, Failure, LeafError) as error:
        return not_recorded(desk, form, filled, error, step)
    kind, _, identity = receipt.stream.partition("-")
    base = f"/frameworks/{identity}" if kind == framework.name else form.subject.base
    return desk.go_to(f"{base}/done/{receipt.key}" + (f"?step={step}" if step else ""))


def not_recorded(desk: Desk, form: Form, filled: Sent, error: Exception, step: str) -> Response:
    """The form with all that was typed, and why it was not recorded."""
    language = desk.language
    match error:
        case VersionMoved():
            again = replace(filled, version=str(error.version))
            since = recorded_since(desk, form.subject, filled.version)
            return form.page(
                again, status=412, notices=(text("message.changed-since", language),), since=since, step=step
            )
        case Forbidden():
            raise error
        case Refused():
            lines = (with_names(line, form.subject.state.members) for line in refusal_lines(error, language))
            return form.page(filled, status=422, notices=tuple(lines), step=step)
        case KeyReused():
            again = replace(filled, key=fresh(form.act, form.today, None, {}).key)
            return form.page(again, status=409, notices=(text("message.sent-before", language),), step=step)
        case LeafError():
            why = verbatim("message.bad-text", language, why=error.told(language))
            return form.page(filled, status=422, notices=(why,), step=step)
        case Unavailable() | Failure():
            return form.page(filled, status=503, notices=(text("message.kept-try-again", language),), step=step)
    return form.page(filled, status=409, notices=(text("message.kept-try-again", language),), step=step)


def recorded_since(desk: Desk, subject: Subject, version: str) -> tuple[str, ...]:
    """What others have recorded since a version, fact by fact."""
    seen = int(version) if version.isdecimal() else 0
    names, told = Names(desk.language), []
    for fact in desk.reader.history(subject.state.id):
        names.learn(fact)
        if fact.version > seen:
            told.append(names.beside(fact, sentence(fact, desk.language)))
    return tuple(told)


def confirmation(place: Place, key: str) -> HTMLResponse:
    """What a command has recorded, where it stands, and what comes next.

    Raises:
        PlaceUnknown: nothing of this commune was recorded with this key.
    """
    desk, language = place.desk, place.desk.language
    found = desk.engine.store.receipt(key)
    if found is None or found[1].events[-1].log != LogName(place.state.commune):
        raise PlaceUnknown(key)
    receipt = found[1]
    versions = {line.version for line in receipt.events if line.stream == receipt.stream}
    facts = [fact.recorded for fact in desk.reader.facts(place.state.commune)]
    told = [fact for fact in facts if fact.stream == receipt.stream and fact.version in versions]
    names = Names(language)
    for fact in desk.reader.history(place.id):
        names.learn(fact)
    asked = receipt.events[-1].type == ActRequested.type
    ahead = steps(desk.reader.options(place.id))
    hands = desk.hands(place.state.commune)
    mine = mine_first(ahead, hands)
    others = [option for option in ahead.moves if not hands.may(option.command)]
    return desk.page(
        "done.html",
        place=place,
        receipt=receipt,
        sentences=[names.beside(fact, sentence(fact, language)) for fact in told],
        asked=receipt.stream.partition("-")[2] if asked else "",
        made=_made(receipt.events[-1].type, receipt.stream),
        mine=[(option.command, text(f"command.{option.command}", language)) for option in mine[:4]],
        waits_for=[
            (text(f"command.{option.command}", language), whom_to_call(option.roles, language)) for option in others
        ],
        step=desk.call.request.query_params.get("step", ""),
    )


def _made(topic: str, stream: str) -> str:
    """The id of a person that was recorded: seats are given to it."""
    return stream.partition("-")[2] if topic == PersonRecorded.type else ""


def beside(place: Place) -> list[dict[str, str]]:
    """What can be done beside the framework in its commune, of what the reader may."""
    hands = place.desk.hands(place.state.commune)
    return [
        {"command": name, "label": text(f"command.{name}", place.desk.language)}
        for name in OF_THE_COMMUNE
        if hands.may(name)
    ]
