"""``/api/v1/session``: a program that acts for a person signs in, asks who it is, and signs out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.catalogue import text
from cycle.failures import Failure
from cycle.identity.failures import NotSignedIn, Wait
from cycle.identity.shapes import Stage
from cycle_adapters.http.callers import Caller, Callers, SignInNeeded
from cycle_adapters.http.problems import problem, spoken
from cycle_adapters.http.sign_in_pages import SigningIn, status_of
from cycle_adapters.http.signing_in import (
    LONGEST_FORM,
    FormRefused,
    address,
    cookie_name,
    demand_from_here,
    drop,
    keep,
    session_id,
)

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``code``: a one-time code or a recovery code, where the account has a second factor."""

    account: str
    password: str
    code: str = ""

    def __repr__(self) -> str:
        return "SignIn()"


async def given(request: Request) -> SignIn:
    """Raises:
    FormRefused: it comes from elsewhere, is no JSON of this shape, or is too long.
    """
    demand_from_here(request)
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise FormRefused("no-json")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > LONGEST_FORM:
            raise FormRefused("no-json")
    try:
        return msgspec.json.decode(data, type=SignIn)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        # Without its words: they would quote what was given.
        raise FormRefused("no-json") from error


def sessions_api(door: SigningIn, callers: Callers) -> APIRouter:
    """The three routes of one's own session."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/session", status_code=201)
    def begin(request: Request, said: Annotated[SignIn, Depends(given)]) -> Response:
        cookie = cookie_name(request)
        try:
            begun = door.sessions.with_password(said.account, said.password, address(request))
            if begun.stage is Stage.CODE and said.code:
                begun = door.sessions.with_code(begun.id, said.code, address(request))
        except (NotSignedIn, Wait) as failed:
            return refused(failed, request)
        if begun.stage is not Stage.IN:
            door.sessions.sign_out(begun.id)
            kind = f"second-factor-{'needed' if begun.stage is Stage.CODE else 'to-set-up'}"
            return problem(403, kind, text(f"message.{kind}", spoken(request)))
        response = answer(door, Caller(begun.account), 201)
        keep(response, cookie, begun.id)
        return response

    @router.get("/session")
    def who(request: Request) -> Response:
        caller = callers.caller(request)
        if caller is None:
            raise SignInNeeded
        return answer(door, caller)

    @router.delete("/session", status_code=204)
    def end(request: Request) -> Response:
        demand_from_here(request)
        if own := session_id(request):
            door.sessions.sign_out(own)
        response = Response(status_code=204)
        drop(response, cookie_name(request))
        return response

    return router


def refused(failed: Failure, request: Request) -> Response:
    response = problem(status_of(failed), failed.code, failed.told(spoken(request)))
    if isinstance(failed, Wait):
        response.headers["Retry-After"] = str(failed.seconds)
    return response


def answer(door: SigningIn, caller: Caller, status: int = 200) -> Response:
    """Who somebody is, and what he may be where."""
    grants = door.engine.door.now.grants(caller.account, door.engine.today())
    body = {
        "account": caller.account,
        "scope": sorted(caller.actions) if caller.actions is not None else None,
        "grants": [
            {"role": each.role, "territory": territory_of(each.territory), "since": each.since, "until": each.until}
            for each in grants
        ],
    }
    return Response(_encode(body), status, media_type="application/json", headers={"Cache-Control": "no-store"})
