"""Watches every request from outside: its id, how it ended, how long it took."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cycle.engine import new_id
from cycle_adapters.logs import REQUEST, Line, request_id, tell

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""What stands for a method or route that there is none of, whatever it was called."""
ROUTE = "cycle.route"
ACCOUNT = "cycle.account"
"""Where a scope says what answered, and who asked: for whoever knows it, to be told in the log."""
WAITED = "cycle.waited"
"""Where a scope says for how many seconds a request followed the log, as it had asked to."""
HEADER = "X-Request-Id"


Counts = Callable[[str, str, int, float], None]
"""Told of each request: method, route, status, and the seconds that it took beside following the log."""


class Observed:
    """Tells ``count`` and the log of every request, by the template of its route."""

    def __init__(self, app: ASGIApp, count: Counts) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = request_id(Headers(scope=scope).get(HEADER, "")) or new_id()
        token = REQUEST.set(identity)
        method = scope["method"] if scope["method"] in METHODS else OTHER
        began, status = perf_counter(), 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        try:
            await self._app(scope, receive, answering)
        except Exception:
            status = 500
            raise
        finally:
            self._tell(scope, method, identity, status, perf_counter() - began)
            REQUEST.reset(token)

    def _tell(self, scope: Scope, method: str, identity: str, status: int, seconds: float) -> None:
        route = template_of(scope)
        self._count(method, route, status, max(0.0, seconds - scope.get(WAITED, 0.0)))
        line = Line(
            request=identity,
            method=method,
            route=route,
            status=status,
            account=scope.get(ACCOUNT, ""),
            ms=round(seconds * 1000, 1),
        )
        # Whoever watches over the machine asks every few seconds.
        level = logging.ERROR if status >= 500 else logging.DEBUG if ROUTE in scope else logging.INFO
        tell(level, "request", line)


def template_of(scope: Scope) -> str:
    """``/frameworks/{identity}``: what was declared, never what was asked for."""
    # A route alone does not know the prefix under which its router was included; FastAPI's context does.
    included = scope.get("fastapi", {}).get("effective_route_context")
    found = (getattr(each, "path", None) for each in (included, scope.get("route")))
    return str(scope.get(ROUTE) or next(filter(None, found), OTHER))
