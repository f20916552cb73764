"""What every page is told: who reads, in which language, and the framework that its address names."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, quote, urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from cycle.access import ACTING, READING, Action
from cycle.aggregates.framework.decision import Option, wrong_stage
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.terms import FrameworkId
from cycle.board import Hands
from cycle.catalogue import Language, text
from cycle.commands import COMMANDS
from cycle.engine import Engine
from cycle.forms.typed import Posted
from cycle.identity.secrets import form_token, same
from cycle.projections.places import CommuneRow
from cycle.telling import brief, reason
from cycle_adapters.http.calling import Calling, PageReader
from cycle_adapters.http.problems import Stopped
from cycle_adapters.http.signing_in import bad_form, session_id

if TYPE_CHECKING:
    from cycle_adapters.http.pages import Pages

FORM = "application/x-www-form-urlencoded"
TOKEN = "_form"
"""Says that a form was given to this session, and by us."""
MOST_FIELDS = 5_000
WHOSE = "Cycle-Account"
"""Says for whom a page was made: a browser keeps it for nobody else."""


def link(path: str, language: Language, **more: object) -> str:
    """An address as pages link to it: whatever keeps a page finds it under the same."""
    asked = urlencode({"lang": language, **{key: value for key, value in more.items() if value is not None}})
    return f"{path}{'&' if '?' in path else '?'}{asked}"


class Desk:
    """One page for one reader."""

    def __init__(self, call: Calling, reader: PageReader) -> None:
        self.call, self.reader = call, reader
        self.language: Language = call.language

    @property
    def engine(self) -> Engine:
        return self.reader.engine

    @property
    def actor(self) -> str:
        return self.reader.actor

    @cached_property
    def homes(self) -> dict[str, CommuneRow]:
        """The communes by their code."""
        return {row.code: row for row in self.reader.communes()}

    def hands(self, commune: str) -> Hands:
        """What the reader may do in a commune."""
        return Hands.of(self.reader, commune)

    def is_led_to(self, action: Action) -> bool:
        """Whether the reader holds a role that may do this anywhere."""
        door = self.engine.door
        held = {grant.role for grant in door.now.grants(self.actor, door.today())}
        return not held.isdisjoint(action.roles)

    def say(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def page(self, name: str, *, status: int = 200, path: str = "", **values: Any) -> HTMLResponse:
        """A page under its own address, which is nobody else's to keep."""
        look: Pages = self.call.request.app.state.look
        secret = session_id(self.call.request)
        values |= {"account": self.actor, "owner": self.actor, "token": form_token(secret) if secret else ""}
        values["seen"] = self.engine.today()
        values["console"] = self.is_led_to(ACTING["list-webhooks"])
        values["evaluates"] = self.is_led_to(READING["timings"])
        found = look.page(name, self.language, status=status, path=path or self.address, **values)
        found.headers["Cache-Control"] = "private, no-cache"
        found.headers[WHOSE] = quote(self.actor)
        return found

    @property
    def address(self) -> str:
        """Where this page is, without its language."""
        url = self.call.request.url
        asked = {key: value for key, value in parse_qs(url.query).items() if key != "lang"}
        return f"{url.path}?{urlencode(asked, doseq=True)}" if asked else url.path

    def go_to(self, path: str) -> RedirectResponse:
        """After something was done: look there."""
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}lang={self.language}", 303)


AtDesk = Annotated[Desk, Depends(Desk)]


class Place:
    """The framework that an address names, for whoever may read it."""

    def __init__(self, identity: FrameworkId, desk: AtDesk) -> None:
        self.desk, self.id = desk, desk.reader.find_framework(identity)
        self.state: Framework = desk.reader.framework(self.id)
        self.base = f"/frameworks/{self.id}"
        # For the answer to who is refused here: whom to call.
        desk.call.request.state.commune = self.state.commune

    @property
    def name(self) -> str:
        """The name of its commune."""
        home = self.desk.homes.get(self.state.commune)
        return home.name if home else self.state.commune

    @cached_property
    def options(self) -> dict[str, Option]:
        """What may be tried in the stage, by command."""
        return {option.command: option for option in self.desk.reader.options(self.id)}

    def not_yet(self, command: str) -> list[str]:
        """Why a command about the framework is not possible now; nothing where it is."""
        option, language = self.options.get(command), self.desk.language
        if option is None:
            return [reason(wrong_stage(self.state, COMMANDS[command]), language)]
        return [brief(finding, self.state.members, language) for finding in option.refused_by]

    def beware(self, command: str) -> list[str]:
        """What a rule only warns of, where a command about the framework is possible."""
        option, language = self.options.get(command), self.desk.language
        warnings = option.warnings if option else ()
        return [brief(finding, self.state.members, language) for finding in warnings]


AtPlace = Annotated[Place, Depends(Place)]


async def typed(request: Request) -> Posted:
    """The fields of a form, to whomever it was given; a page that says why it is not taken gives them back.

    Raises:
        Stopped: it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Stopped("not-a-form")
    body = await request.body()
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Stopped("not-a-form") from error
    request.state.typed = {name: values for name, values in fields.items() if name != TOKEN}
    return fields


Typed = Annotated[Posted, Depends(typed)]
READ_FIRST = [Depends(typed)]
"""A form is read before it is asked who sends it: nobody loses what he has typed while his session ended."""


def posted(request: Request, fields: Typed) -> Posted:
    """The fields of a form that this session was given.

    Raises:
        Stopped: it was not.
    """
    secret, token = session_id(request), fields.get(TOKEN, [""])[0]
    if secret and not same(form_token(secret).encode(), token.encode()):
        raise bad_form("stale", request)
    return {name: values for name, values in fields.items() if name != TOKEN}


Fields = Annotated[Posted, Depends(posted)]
