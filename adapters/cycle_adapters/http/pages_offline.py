"""What the script of our pages asks for, so that forms can be filled in without a line: who it is sent by."""

from __future__ import annotations

from fastapi import APIRouter, Response
from msgspec import Struct

from cycle.catalogue import Language
from cycle.identity.secrets import form_token
from cycle_adapters.http.answering import as_json
from cycle_adapters.http.callers import SignInNeeded
from cycle_adapters.http.calling import Calling
from cycle_adapters.http.signing_in import session_id


class Me(Struct, frozen=True):
    """Who has signed in. ``form_token`` goes with every form; empty where no session is (a token, one account)."""

    account: str
    form_token: str
    language: Language


def offline_pages() -> APIRouter:
    """What is asked for beside the pages."""
    router = APIRouter()

    @router.get("/me.json")
    def me(call: Calling) -> Response:
        if call.caller is None:
            raise SignInNeeded
        secret = session_id(call.request)
        return as_json(Me(call.caller.account, form_token(secret) if secret else "", call.language))

    return router
