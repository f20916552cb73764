"""What the script of our pages asks for, so that a meeting is held without a line: what to keep, and who it is."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from msgspec import Struct

from cycle.aggregates.framework.state import Stage
from cycle.aggregates.framework.table import triggers
from cycle.catalogue import Language
from cycle.commands import COMMANDS
from cycle.forms.acts import Plain
from cycle.forms.declared import inputs_of, kinds_in, made_by
from cycle.identity.secrets import form_token
from cycle.telling import at_any_time
from cycle_adapters.http.callers import SignInNeeded
from cycle_adapters.http.calling import Calling
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.pages_desk import AtPlace, Place, link
from cycle_adapters.http.pages_doing import OF_THE_COMMUNE, SPECIAL, choices_of
from cycle_adapters.http.pages_meeting import STEPS
from cycle_adapters.http.signing_in import session_id


class Me(Struct, frozen=True):
    """Who has signed in. ``form_token`` goes with every form; empty where no session is (a token, one account)."""

    account: str
    form_token: str
    language: Language


class Kept(Struct, frozen=True):
    """What is kept of a framework. ``pages`` are addresses, each as pages link to it."""

    framework: str
    name: str
    version: int
    pages: list[str]


def offline_pages() -> APIRouter:
    """What is asked for beside the pages."""
    router = APIRouter()

    @router.get("/me.json")
    def me(call: Calling) -> Response:
        if call.caller is None:
            raise SignInNeeded
        secret = session_id(call.request)
        return as_json(Me(call.caller.account, form_token(secret) if secret else "", call.language))

    @router.get("/frameworks/{identity}/offline.json")
    def kept(place: AtPlace) -> Response:
        return as_json(Kept(place.id, place.name, place.state.version, list(addresses(place))))

    return router


def addresses(place: Place) -> Iterator[str]:
    """The framework, its meeting step by step, and every form that the reader may say in and around it."""
    language, hands = place.desk.language, place.desk.hands(place.state.commune)
    meeting, form = f"{place.base}/meeting", f"{place.base}/do/"
    yield link(place.base, language)
    yield link(meeting, language)
    for step in STEPS:
        yield link(meeting, language, step=step.name)
        yield from (link(form + command, language, step=step.name) for command in step.commands if hands.may(command))
    around = commands_around(place.state.stage)
    for command in (*around, *beside(around)):
        if hands.may(command):
            yield from forms(place, command)


def forms(place: Place, command: str) -> Iterator[str]:
    """A form; where what it is about is chosen first, the one of each, and a blank one for what waits in a browser."""
    address, language = f"{place.base}/do/{command}", place.desk.language
    yield link(address, language)
    about = Plain(command).about
    if about is not None:
        numbers = (*(each.value for each in choices_of(place, about)), "")
        yield from (link(address, language, **{about.name: number}) for number in numbers)


def commands_around(stage: Stage | None) -> tuple[str, ...]:
    """What is said in the stage of a framework, in a meeting, and in the stage to which that leads."""
    stages = dict.fromkeys((stage, Stage.MEETING))
    stages |= dict.fromkeys(to for row in triggers(Stage.MEETING) if not at_any_time(row.command.type) for to in row.to)
    found = (row.command.type for each in stages for row in triggers(each))
    return tuple(dict.fromkeys(name for name in found if name not in SPECIAL and not at_any_time(name)))


def beside(commands: tuple[str, ...]) -> tuple[str, ...]:
    """What makes things in the commune to which these commands refer: a new member is an organisation first."""
    wanted = frozenset[str]().union(*(kinds_in(inputs_of(COMMANDS[command])) for command in commands))
    made = {name: made_by(COMMANDS[name]) for name in OF_THE_COMMUNE}
    return tuple(name for name, each in made.items() if each is not None and each.kind in wanted)
