"""Doing something on a page: a form for every command, its check, its confirmation."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from cycle.access import Forbidden
from cycle.aggregates.base import LogName, Recorded, Role
from cycle.aggregates.deliberation import deliberation
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.organisation import organisation
from cycle.aggregates.person import PersonRecorded, RecordPerson
from cycle.aggregates.request import ActRequested
from cycle.board import mine_first
from cycle.catalogue import shown, text
from cycle.commands import BY_COMMAND, COMMANDS, FOUNDING, KEY, SELF_NAMED
from cycle.forms.acts import Act, Correcting, Plain, correctable
from cycle.forms.choices import Choice, Held
from cycle.forms.declared import Input, Kind, inputs_of
from cycle.forms.typed import Posted
from cycle.naming import Names
from cycle.reading import PlaceUnknown
from cycle.telling import sentence, steps, whom_to_call
from cycle_adapters.http.pages_desk import READ_FIRST, AtDesk, AtPlace, Desk, Fields, Place, Typed
from cycle_adapters.http.pages_form import SENT, Form, Subject, fresh
from cycle_adapters.http.pages_recorded import recorded
from cycle_adapters.http.pages_replay import lines
from cycle_adapters.http.pages_sent import carried_out, given_back
from cycle_adapters.http.problems import Stopped
from cycle_adapters.http.saying import role_before

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


def doing_pages() -> APIRouter:
    """Every form."""
    router = APIRouter()

    @router.get("/do/propose-framework", response_class=HTMLResponse)
    def propose(request: Request, desk: AtDesk) -> HTMLResponse:
        form = proposing(desk)
        return form.page(fresh(form.act, form.today, None, dict(request.query_params)))

    @router.post("/do/propose-framework", dependencies=READ_FIRST)
    def proposed(desk: AtDesk, posted: Fields) -> Response:
        return carried_out(desk, proposing(desk), posted)

    @router.post("/do/propose-framework/again", dependencies=READ_FIRST)
    def propose_again(desk: AtDesk, typed: Typed) -> Response:
        return given_back(proposing(desk), typed)

    @router.get("/frameworks/{identity}/do/{command}", response_class=HTMLResponse)
    def begin(command: str, request: Request, place: AtPlace) -> HTMLResponse:
        asked = dict(request.query_params)
        form = form_of(place, command, asked.get("fact_version", ""))
        if form.act.about and form.act.about.name not in asked:
            return chosen_first(place, form, form.act.about, asked.get("step"))
        begun = fresh(form.act, form.today, form.subject.version, asked)
        not_yet = place.not_yet(command) if command in OF_A_FRAMEWORK else ()
        return form.page(begun, not_yet=not_yet, beware=place.beware(command), step=asked.get("step", ""))

    @router.post("/frameworks/{identity}/do/{command}", dependencies=READ_FIRST)
    def do(command: str, request: Request, place: AtPlace, posted: Fields) -> Response:
        form = form_of(place, command, request.query_params.get("fact_version", ""))
        return carried_out(place.desk, form, posted)

    @router.post("/frameworks/{identity}/do/{command}/again", dependencies=READ_FIRST)
    def again(command: str, request: Request, place: AtPlace, typed: Typed) -> Response:
        return given_back(form_of(place, command, request.query_params.get("fact_version", "")), typed)

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
        return _form(place, Correcting(fact), f"{action}?fact_version={fact.version}", line=in_words(place, fact))
    if command in OF_A_FRAMEWORK:
        return _form(place, Plain(command, state=place.state), action)
    if command not in OF_THE_COMMUNE:
        raise Stopped("not-found", list="/")
    declared = COMMANDS[command]
    own = {"commune": place.state.commune} if "commune" in declared.__struct_fields__ else {}
    founds = declared in FOUNDING or command in SELF_NAMED
    return _form(place, Plain(command, own), action, None if founds else targets(place, command))


def _form(place: Place, act: Act, action: str, targets: tuple[Choice, ...] | None = None, line: str = "") -> Form:
    command = act.command.type
    about_framework = command in OF_A_FRAMEWORK
    subject = Subject(
        place.base,
        place.base,
        place.name,
        place.state.commune,
        place.state,
        target=place.id if about_framework else None,
        targets=targets,
        refers="" if targets is None else _kind_of_target(command),
        version=place.state.version if about_framework else None,
        line=line,
    )
    return Form(place.desk, subject, act, _roles(place, command), action)


def _roles(place: Place, command: str) -> tuple[Role, ...]:
    """The roles in which the reader may say a command.

    Raises:
        Forbidden: in none.
    """
    desk = place.desk
    try:
        return desk.hands(place.state.commune).demanded(command)
    except Forbidden:
        # Whoever has lost the right since still hears what his first sending did: the engine says it, or no more.
        typed: Posted = getattr(desk.call.request.state, "typed", {})
        key = typed.get(SENT, [""])[-1].strip()
        before = role_before(desk.engine, desk.actor, key) if re.fullmatch(KEY, key) else None
        if before is None:
            raise
        return (before,)


def targets(place: Place, command: str) -> tuple[Choice, ...]:
    """What a command about a deliberation or an organisation can be about."""
    kind = _kind_of_target(command)
    asked = Input("target", Kind.CHOICE, inputs_of(ProposeFramework)[0].type, True, refers=kind)
    return choices_of(place, asked)


def _kind_of_target(command: str) -> str:
    return "DeliberationId" if BY_COMMAND[command] is deliberation else "OrganisationId"


def chosen_first(place: Place, form: Form, about: Input, step: str | None) -> HTMLResponse:
    """What a command can say anew: each leads to the form with what holds of it now."""
    return place.desk.page(
        "choose.html",
        place=place,
        title=text(f"command.{form.name}", place.desk.language),
        action=form.action,
        about=about.name,
        choices=choices_of(place, about),
        not_yet=place.not_yet(form.name),
        step=step,
    )


def choices_of(place: Place, about: Input) -> tuple[Choice, ...]:
    """What an input of a form about a framework offers."""
    return Held(place.desk.reader, place.state, place.state.commune, place.desk.language).offered(about)


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


def in_words(place: Place, fact: Recorded[Any]) -> str:
    """A fact as the history tells it: when it happened, and what."""
    language, names = place.desk.language, Names(place.desk.language)
    for each in place.desk.reader.history(place.id):
        names.learn(each)
    return f"{shown(fact.occurred_on, language)} · {names.beside(fact, sentence(fact, language))}"


def proposing(desk: Desk) -> Form:
    """The form by which a framework begins: in any commune for which the reader may."""
    hands = {code: desk.hands(code).roles(ProposeFramework.type) for code in desk.homes}
    roles = tuple(dict.fromkeys(role for found in hands.values() for role in found))
    if not roles:
        roles = desk.hands(next(iter(desk.homes), "")).demanded(ProposeFramework.type)
    subject = Subject("", "/", "", "", Framework())
    return Form(desk, subject, Plain(ProposeFramework.type), roles, "/do/propose-framework")


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
    asked = receipt.events[-1].type == ActRequested.type
    ahead = steps(desk.reader.options(place.id))
    hands = desk.hands(place.state.commune)
    mine = mine_first(ahead, hands)
    others = [option for option in ahead.moves if not hands.may(option.command)]
    return desk.page(
        "done.html",
        place=place,
        receipt=receipt,
        facts=lines(recorded(desk, receipt), desk.reader.framework_facts(place.id), language),
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
