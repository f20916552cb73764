"""Who calls: a browser by the cookie of its session, a machine by its token. Asked anew at every request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import parse_qsl

from fastapi import Request, Response
from msgspec import Struct

from cycle.catalogue import text
from cycle.identity.failures import NotSignedIn
from cycle.identity.secrets import form_token, new_secret, same
from cycle.identity.sessions import Sessions
from cycle_adapters.http.callers import Caller, SignInNeeded
from cycle_adapters.http.problems import Stopped, spoken

SECURE, LOCAL = "__Host-cycle", "cycle-local"
"""The cookie of a session. The second one is for who tries things out on the machine itself, without TLS."""
FORM = "-form"
"""Ends the name of the cookie of a browser that has not signed in yet."""
CALENDAR = "/api/v1/calendar.ics"
BY_ITSELF = frozenset({"/api/v1/events", "/api/v1/events/stream"})
"""What a browser asks for again and again without anybody: it keeps no session from being over."""
IN_ADDRESS = "token"
GOOD_IN_ADDRESS = frozenset({"export-calendar"})
"""An agenda sends no header. Addresses are written into logs and histories: a token that stands in one, here and
nowhere else, is good for the days that its account may read, and for nothing more."""
LONGEST_FORM = 16_384
MOST_FIELDS = 20
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


class SignedIn:
    """Tells who calls, by a token or by the cookie of a session.

    Args:
        sessions: knows both.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def caller(self, request: Request) -> Caller | None:
        """Who calls; a token goes before a cookie.

        Raises:
            SignInNeeded: the token does not hold.
        """
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            return self._bearer(token if scheme.lower() == "bearer" else "")
        if request.url.path == CALENDAR and IN_ADDRESS in request.query_params:
            found = self._bearer(request.query_params[IN_ADDRESS])
            if found.actions != GOOD_IN_ADDRESS:
                raise SignInNeeded("not-in-address")
            return found
        id_ = session_id(request)
        is_there = request.url.path not in BY_ITSELF
        account = self._sessions.account(id_, is_there=is_there) if id_ else None
        return Caller(account) if account else None

    def _bearer(self, token: str) -> Caller:
        try:
            return Caller(*self._sessions.by_token(token))
        except NotSignedIn as error:
            raise SignInNeeded(error.cause) from error


class OnThisMachine:
    """Whoever asks on this machine, for this machine, is one account.

    A name that a foreign site has made point here is not enough: its pages would act as the account.
    """

    def __init__(self, account: str) -> None:
        self._caller = Caller(account)

    def caller(self, request: Request) -> Caller | None:
        """Raises:
        SignInNeeded: it was asked for under another name, or from elsewhere.
        """
        if not is_local(request):
            raise SignInNeeded("not-here")
        return self._caller


def cookie_name(request: Request) -> str:
    """The name of the session's cookie.

    Raises:
        Stopped: neither TLS nor the machine itself: a cookie would be read on the way.
    """
    if request.url.scheme == "https":
        return SECURE
    if is_local(request):
        return LOCAL
    raise bad_form("needs-tls", request)


def is_local(request: Request) -> bool:
    """Whether the browser is on this machine, and asks for it."""
    client = request.client.host if request.client else ""
    return (request.url.hostname or "") in LOOPBACK and is_loopback(client)


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def address(request: Request) -> str:
    """Whom failures are counted for beside the account."""
    return request.client.host if request.client else "?"


def session_id(request: Request) -> str | None:
    try:
        return request.cookies.get(cookie_name(request))
    except Stopped:
        return None


def form_id(request: Request) -> str | None:
    """The id of a browser that has not signed in."""
    return request.cookies.get(cookie_name(request) + FORM)


def keep(response: Response, name: str, value: str) -> None:
    """Set a cookie that no script reads, no other site sends, and no other host has set."""
    response.set_cookie(name, value, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")


def drop(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")


class Filled(Struct, frozen=True):
    """What a form of ours holds, once it is known to be ours."""

    fields: Mapping[str, str]
    secret: str
    """The session's id, or that of a browser that has not signed in: what the form was bound to."""

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    def __repr__(self) -> str:
        return f"Filled({', '.join(self.fields)})"


async def filled(request: Request) -> Filled:
    """The fields of a form.

    Raises:
        Stopped: it is none, is too long, or its token is not that of this browser.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise bad_form("no-form", request)
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > LONGEST_FORM:
            raise bad_form("no-form", request)
    try:
        fields = dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise bad_form("no-form", request) from error
    for secret in (session_id(request), form_id(request)):
        if secret and same(form_token(secret).encode(), fields.get("form", "").encode()):
            return Filled(fields, secret)
    raise bad_form("stale", request)


def bad_form(cause: str, request: Request) -> Stopped:
    """A form that cannot be taken, and why."""
    return Stopped("bad-form", why=text(f"form.{cause}", spoken(request)))


def local_path(wanted: str | None) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    return wanted if wanted and _LOCAL_PATH.fullmatch(wanted) else "/"


def fresh_form_id(sessions: Sessions) -> str:
    return new_secret(sessions.credentials.random_bytes)
