"""``/api/v1/session``: a program that acts for a person signs in, asks who it is, and signs out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.base import Role
from cycle.engine import Engine
from cycle.identity.shapes import Stage
from cycle.shapes import understood
from cycle_adapters.http.bodies import Body, bad_json
from cycle_adapters.http.callers import Caller, SignInNeeded
from cycle_adapters.http.calling import Calling
from cycle_adapters.http.declaring import answer, problems, ref
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.problems import Stopped
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import LONGEST_FORM, address, cookie_name, drop, keep, session_id

REFUSED_SIGN_IN = (
    "bad-json", "bad-form", "wrong-credential", "second-factor-needed", "second-factor-to-set-up", "cross-origin",
    "too-large", "media-type", "no-second-factor-here",
)  # fmt: skip


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``code``: a one-time code or a recovery code, where the account has a second factor."""

    account: str
    password: str
    code: str = ""

    def __repr__(self) -> str:
        return "SignIn()"


class HeldGrant(Struct, frozen=True):
    """A role in a territory, from a day on, and until one (null: until it is revoked)."""

    role: Role
    territory: str
    since: date
    until: date | None


class SignedInAs(Struct, frozen=True):
    """Who has signed in, what a token is good for (null: it is no token), and what he may be where."""

    account: str
    scope: tuple[str, ...] | None
    grants: tuple[HeldGrant, ...]


def sessions_routes(door: SigningIn) -> APIRouter:
    """The three routes of one's own session."""
    router = APIRouter(prefix="/session", tags=["session"])
    body = {"required": True, "content": {"application/json": {"schema": ref(SignIn)}}}
    begun = {201: answer(SignedInAs, "Signed in; the cookie is the session."), **problems(REFUSED_SIGN_IN)}
    router.post("", status_code=201, responses=begun, openapi_extra={"requestBody": body}, summary="Sign in")(
        begins(door)
    )
    asked = {200: answer(SignedInAs, "Who has signed in."), **problems(("sign-in-needed",))}
    router.get("", responses=asked, summary="Who has signed in")(who)
    ended = {204: {"description": "Signed out."}, **problems(("cross-origin", "bad-form"))}
    router.delete("", status_code=204, responses=ended, summary="Sign out")(ends(door))
    return router


def begins(door: SigningIn) -> Callable[..., Response]:
    def begin(request: Request, body: Body) -> Response:
        cookie, said, sessions = cookie_name(request), read(body), door.sessions
        session = sessions.with_password(said.account, said.password, address(request))
        if session.stage is Stage.CODE and said.code:
            session = sessions.with_code(session.id, said.code, address(request))
        if session.stage is not Stage.IN:
            sessions.sign_out(session.id)
            raise Stopped(f"second-factor-{'needed' if session.stage is Stage.CODE else 'to-set-up'}")
        response = as_json(described(door.engine, Caller(session.account)), 201)
        keep(response, cookie, session.id)
        return response

    return begin


def read(body: bytes) -> SignIn:
    """Raises:
    Stopped: without its words, which would quote what was given.
    """
    try:
        if len(body) <= LONGEST_FORM:
            return msgspec.json.decode(body, type=understood(SignIn))
    except (msgspec.ValidationError, msgspec.DecodeError):
        pass
    raise bad_json()


def who(call: Calling) -> Response:
    """Who has signed in, and what he may be where."""
    if call.caller is None:
        raise SignInNeeded
    return as_json(described(call.engine, call.caller))


def ends(door: SigningIn) -> Callable[..., Response]:
    def end(request: Request) -> Response:
        cookie = cookie_name(request)
        if own := session_id(request):
            door.sessions.sign_out(own)
        response = Response(status_code=204)
        drop(response, cookie)
        return response

    return end


def described(engine: Engine, caller: Caller) -> SignedInAs:
    grants = engine.door.now.grants(caller.account, engine.today())
    return SignedInAs(
        caller.account,
        tuple(sorted(caller.actions)) if caller.actions is not None else None,
        tuple(HeldGrant(each.role, territory_of(each.territory), each.since, each.until) for each in grants),
    )
