"""The pages on which people sign in: no script, both languages, every form bound to its browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.catalogue import Language
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.identity import factor
from cycle.identity.failures import IdentityRefused, NotSignedIn, Wait
from cycle.identity.passwords import LONGEST, SHORTEST
from cycle.identity.secrets import form_token
from cycle.identity.sessions import Begun, Sessions
from cycle.identity.shapes import Session, Stage
from cycle_adapters.http.callers import SignInNeeded
from cycle_adapters.http.demo import buttons
from cycle_adapters.http.pages import Pages
from cycle_adapters.http.problems import sentence_of
from cycle_adapters.http.provider import Provider
from cycle_adapters.http.signing_in import (
    FORM,
    Filled,
    address,
    cookie_name,
    drop,
    filled,
    form_id,
    fresh_form_id,
    is_local,
    keep,
    local_path,
    session_id,
)

Asked = Annotated[Language, Query()]
Form = Annotated[Filled, Depends(filled)]
To = Annotated[str, Query()]
NEXT = {Stage.CODE: "/sign-in/code", Stage.SET_UP: "/second-factor"}


class SigningIn(Struct, frozen=True):
    """What the pages need."""

    engine: Engine
    sessions: Sessions
    provider: Provider | None = None
    demo: bool = False

    def page(self, request: Request, name: str, language: Language, status: int = 200, **values: Any) -> Response:
        """A page with the token of its form, in a browser that has an id from now on."""
        own = session_id(request)
        session = self.sessions.found(own) if own else None
        secret = own if own and session else form_id(request)
        made = secret or fresh_form_id(self.sessions)
        look: Pages = request.app.state.look
        response: Response = look.page(
            name,
            language,
            status=status,
            form=form_token(made),
            # Whoever looks for a page by its address finds the same one in the other language.
            path=request.url.path,
            **values,
        )
        if secret is None:
            keep(response, cookie_name(request) + FORM, made)
        response.headers["Cache-Control"] = "no-store"
        return response

    def at(self, request: Request, *stages: Stage) -> tuple[str, Session]:
        """The session of this browser, where it has come so far.

        Raises:
            SignInNeeded: it has not, or not any more.
        """
        id_ = session_id(request)
        session = self.sessions.found(id_) if id_ else None
        if id_ is None or session is None or session.stage not in stages:
            raise SignInNeeded
        return id_, session

    def go_on(self, request: Request, begun: Begun, language: Language, to: str) -> Response:
        """To the next step, under the session's new id."""
        where = NEXT.get(begun.stage)
        target = f"{where}?{urlencode({'lang': language, 'to': to})}" if where else to
        response = RedirectResponse(target, 303)
        keep(response, cookie_name(request), begun.id)
        drop(response, cookie_name(request) + FORM)
        return response


def sign_in_pages(door: SigningIn, look: Pages) -> APIRouter:
    """Every page that somebody signs in or out with."""
    router = APIRouter(include_in_schema=False)
    _first_step(router, door)
    _second_step(router, door, look)
    _own_account(router, door)
    _invitation(router, door)
    return router


def _first_step(router: APIRouter, door: SigningIn) -> None:
    def shown(request: Request, lang: Language, to: str, failed: Failure | None = None, account: str = "") -> Response:
        people = buttons(door.engine, lang) if door.demo and is_local(request) else ()
        return door.page(
            request, "sign-in.html", lang, **told(failed, lang), to=local_path(to), account=account,
            provider=door.provider.name if door.provider else "", people=people,
        )  # fmt: skip

    @router.get("/sign-in")
    def sign_in(request: Request, lang: Asked = "fr", to: To = "/") -> Response:
        return shown(request, lang, to)

    @router.post("/sign-in")
    def signed_in(request: Request, form: Form, lang: Asked = "fr") -> Response:
        account, to = form["account"].strip(), local_path(form["to"])
        try:
            begun = door.sessions.with_password(account, form["password"], address(request))
        except (NotSignedIn, Wait) as failed:
            return shown(request, lang, to, failed, account)
        return door.go_on(request, begun, lang, to)

    @router.post("/sign-in/demo")
    def as_somebody(request: Request, form: Form, lang: Asked = "fr") -> Response:
        if not (door.demo and is_local(request)):
            raise NotSignedIn("wrong-password")
        return door.go_on(request, door.sessions.begin(form["account"]), lang, local_path(form["to"]))

    @router.get("/sign-in/provider")
    def to_provider(request: Request, lang: Asked = "fr", to: To = "/") -> Response:
        if door.provider is None:
            raise NotSignedIn("not-linked")
        made = form_id(request) or fresh_form_id(door.sessions)
        response = RedirectResponse(door.provider.begins(made, local_path(to)), 303)
        keep(response, cookie_name(request) + FORM, made)
        return response

    @router.get("/sign-in/provider/back")
    def from_provider(request: Request, lang: Asked = "fr", code: str = "", state: str = "") -> Response:
        made = form_id(request)
        if door.provider is None or made is None:
            return shown(request, lang, "/", NotSignedIn("over"))
        try:
            subject, to = door.provider.ends(made, code, state)
            begun = door.sessions.through(door.provider.issuer, subject, address(request))
        except Failure as failed:
            return shown(request, lang, "/", failed)
        return door.go_on(request, begun, lang, to)


def _second_step(router: APIRouter, door: SigningIn, look: Pages) -> None:
    @router.get("/sign-in/code")
    def code(request: Request, lang: Asked = "fr", to: To = "/") -> Response:
        door.at(request, Stage.CODE)
        return door.page(request, "code.html", lang, to=local_path(to), **told(None, lang))

    @router.post("/sign-in/code")
    def given(request: Request, form: Form, lang: Asked = "fr") -> Response:
        to = local_path(form["to"])
        try:
            begun = door.sessions.with_code(form.secret, form["code"], address(request))
        except (NotSignedIn, Wait) as failed:
            if failed.cause == "over":
                raise
            return door.page(request, "code.html", lang, to=to, **told(failed, lang))
        return door.go_on(request, begun, lang, to)

    def offered(request: Request, lang: Language, to: str, failed: Failure | None = None) -> Response:
        id_, session = door.at(request, Stage.SET_UP, Stage.IN)
        secret = door.sessions.credentials.offered(id_)
        picture = segno.make(factor.uri(session.account, secret), error="m")
        return door.page(
            request, "second-factor.html", lang, to=local_path(to), secret=factor.in_words(secret),
            picture=Markup(picture.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True)),
            **told(failed, lang),
        )  # fmt: skip

    @router.get("/second-factor")
    def second_factor(request: Request, lang: Asked = "fr", to: To = "/") -> Response:
        return offered(request, lang, to)

    @router.post("/second-factor")
    def proved(request: Request, form: Form, lang: Asked = "fr") -> Response:
        to = local_path(form["to"])
        try:
            begun, codes = door.sessions.set_up(form.secret, form["code"], address(request))
        except IdentityRefused as failed:
            return offered(request, lang, to, failed)
        response: Response = look.page("recovery-codes.html", lang, codes=codes, to=to, path=request.url.path, form="")
        response.headers["Cache-Control"] = "no-store"
        keep(response, cookie_name(request), begun.id)
        return response


def _own_account(router: APIRouter, door: SigningIn) -> None:
    @router.get("/account")
    def own(request: Request, lang: Asked = "fr") -> Response:
        _, session = door.at(request, Stage.IN)
        grants = door.engine.door.now.grants(session.account, door.engine.today())
        held = [(grant.role, territory_of(grant.territory)) for grant in grants]
        return door.page(request, "account.html", lang, account=session.account, grants=held, strong=session.strong)

    @router.post("/sign-out")
    def sign_out(request: Request, form: Form, lang: Asked = "fr") -> Response:
        door.sessions.sign_out(form.secret)
        response = RedirectResponse(f"/sign-in?lang={lang}", 303)
        drop(response, cookie_name(request))
        # Whoever sits there next goes back to none of the pages that were looked at.
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def asked(request: Request, lang: Language, failed: Failure | None = None) -> Response:
        _, session = door.at(request, Stage.IN)
        return door.page(
            request, "password.html", lang, account=session.account, current=True, **LENGTHS, **told(failed, lang)
        )

    @router.get("/password")
    def password(request: Request, lang: Asked = "fr") -> Response:
        return asked(request, lang)

    @router.post("/password")
    def changed(request: Request, form: Form, lang: Asked = "fr") -> Response:
        try:
            demand_twice(form)
            begun = door.sessions.change_password(form.secret, form["current"], form["password"], address(request))
        except (NotSignedIn, Wait, IdentityRefused) as failed:
            return asked(request, lang, failed)
        return door.go_on(request, begun, lang, "/account")


def _invitation(router: APIRouter, door: SigningIn) -> None:
    def asked(request: Request, lang: Language, secret: str, failed: Failure | None = None) -> Response:
        account = door.sessions.credentials.invited(secret)
        return door.page(
            request, "password.html", lang, account=account, current=False, **LENGTHS, **told(failed, lang)
        )

    @router.get("/invitation/{secret}")
    def invitation(request: Request, secret: str, lang: Asked = "fr") -> Response:
        return asked(request, lang, secret)

    @router.post("/invitation/{secret}")
    def accepted(request: Request, secret: str, form: Form, lang: Asked = "fr") -> Response:
        try:
            demand_twice(form)
            begun = door.sessions.accept(secret, form["password"], address(request))
        except IdentityRefused as failed:
            if failed.cause == "invitation-over":
                raise
            return asked(request, lang, secret, failed)
        return door.go_on(request, begun, lang, "/")


STATUS: Mapping[type[Failure], int] = {NotSignedIn: 403, Wait: 429, IdentityRefused: 422}
"""What a page answers with that shows its form again."""
LENGTHS = {"shortest": SHORTEST, "longest": LONGEST}


def demand_twice(form: Filled) -> None:
    """Raises:
    IdentityRefused: the same password was not typed twice.
    """
    if form["password"] != form["again"]:
        raise IdentityRefused("passwords-differ")


def told(failed: Failure | None, language: Language) -> dict[str, Any]:
    """What a page says of an error, and with which status."""
    if failed is None:
        return {"failed": ""}
    return {"failed": sentence_of(failed, language), "status": STATUS.get(type(failed), 503)}
