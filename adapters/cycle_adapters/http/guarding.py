"""What stands before every request: limits, the sender's site, and what is answered when we are at fault."""

from __future__ import annotations

import logging
from collections.abc import Callable
from traceback import format_tb
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cycle.proofs.audit import Broken
from cycle_adapters.http.damage import UNREADABLE
from cycle_adapters.http.limits import BODY_BYTES, Buckets
from cycle_adapters.http.problems import Stopped, answered, damaged, not_in_time
from cycle_adapters.http.streaming import HEAD_ASKED

LOG = logging.getLogger("cycle.http")
SECURITY = {
    # Our own script alone, from a file: nothing that stands in a page runs.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: a browser would no longer say from where our own forms were sent.
    "Referrer-Policy": "same-origin",
}
CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")


class Layer:
    """One layer around the application, for HTTP alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    async def stop(self, stopped: Stopped, scope: Scope, receive: Receive, send: Send) -> None:
        await answered(stopped, Request(scope))(scope, receive, send)


class HeadAsGet(Layer):
    """Answers HEAD as GET without the body."""

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        # In place: whoever watches from outside finds in it which route answered.
        scope["method"] = "GET"
        scope[HEAD_ASKED] = True
        await self.app(scope, receive, without_body)


class Secured(Layer):
    """Every answer says what a browser may do with it."""

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY)
            await send(message)

        await self.app(scope, receive, with_headers)


class Unexpected(Layer):
    """A mistake of ours is answered with a reference that stands in the log, and with nothing else.

    The log holds where it happened and the kind of error, not its words: a database quotes what it was given.
    """

    def __init__(self, app: ASGIApp, search: Callable[[], Broken | None]) -> None:
        super().__init__(app)
        self._search = search

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:
            reference = uuid4().hex
            where = "".join(format_tb(error.__traceback__))
            LOG.error("%s %s: %s\n%s", reference, scope["method"], type(error).__name__, where)
            if started:
                raise
            await self.stop(await self._problem(error, reference), scope, receive, send)

    async def _problem(self, error: Exception, reference: str) -> Stopped:
        """A row that cannot be read is no mistake of ours, where the log does not hold."""
        broken = await run_in_threadpool(self._search) if isinstance(error, UNREADABLE) else None
        stopped = Stopped("unexpected", reference=reference) if broken is None else damaged(broken)
        stopped.reference = reference
        return stopped


class Counted(Layer):
    """One address may ask for so much and no more."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        super().__init__(app)
        self._buckets = buckets

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if seconds := self._buckets.take(client[0] if client else ""):
            await self.stop(not_in_time(seconds), scope, receive, send)
        else:
            await self.app(scope, receive, send)


class SameSite(Layer):
    """What changes something comes from our own pages, or from a program: no other site's page sends it.

    A browser says with every such request where it comes from; one that carries a cookie and does not say
    so is refused, too.
    """

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in CHANGES_NOTHING or _from_here(Headers(scope=scope)):
            await self.app(scope, receive, send)
        else:
            await self.stop(Stopped("cross-origin"), scope, receive, send)


def _from_here(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host")
    return site is not None or "cookie" not in headers


class Measured(Layer):
    """No body is longer than it may be, whatever it says of itself."""

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > BODY_BYTES:
            await self.stop(too_large(), scope, receive, send)
            return
        length = 0

        async def measured() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > BODY_BYTES:
                raise too_large()
            return message

        await self.app(scope, measured, send)


def too_large() -> Stopped:
    # What is left of the body is not read: the connection is of no more use.
    return Stopped("too-large", headers={"Connection": "close"}, bytes=BODY_BYTES)
