"""``/healthz``, ``/readyz``, ``/metrics``: for whoever runs the machine, before everything else.

They stand outside the application: no sign-in, no limit, no projection is waited for. Strangers hear
whether a thing is well, and nothing of why; details and figures are for this machine, or for whoever has
the token of ``CYCLE_METRICS_TOKEN``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hmac import compare_digest
from threading import Lock
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cycle.health import Check, State
from cycle_adapters.http.encoding import PROBLEM, as_json
from cycle_adapters.http.metrics import Metrics
from cycle_adapters.http.observing import ROUTE
from cycle_adapters.http.problems import URN
from cycle_adapters.http.signing_in import is_loopback

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers of a proxy: whom it speaks for is not on this machine, wherever the proxy itself is."""
KEPT_SECONDS = 1.0
"""An answer is given again for so long: no flood of questions reaches the database."""
Checks = Callable[[], Sequence[Check]]


class Readiness:
    """What the checks said last, and not asked more often than each second."""

    def __init__(self, checks: Checks, now: Callable[[], float] = monotonic) -> None:
        self._checks, self._now = checks, now
        self._lock = Lock()
        self._found: Sequence[Check] = ()
        self._due = 0.0

    def __call__(self) -> Sequence[Check]:
        with self._lock:
            if not self._found or self._now() >= self._due:
                self._found = self._checks()
                self._due = self._now() + KEPT_SECONDS
            return self._found


class Operations:
    """Answers what operations ask; hands everything else on to the application."""

    def __init__(self, app: ASGIApp, ready: Readiness, metrics: Metrics, token: str) -> None:
        self._app, self._ready, self._metrics, self._token = app, ready, metrics, token
        self._answers = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._measures}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        scope[ROUTE] = scope["path"]
        response = await answer(scope) if scope["method"] in ("GET", "HEAD") else refused(405, "method", "GET, HEAD")
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _healthz(self, scope: Scope) -> Response:
        return as_json({"status": "ok"})

    async def _readyz(self, scope: Scope) -> Response:
        checks = await run_in_threadpool(self._ready)
        ready = all(check.state is not State.BAD for check in checks)
        trusted = self._is_trusted(scope)
        found = {"status": "ready" if ready else "not-ready", "checks": [told(check, trusted) for check in checks]}
        return as_json(found, 200 if ready else 503)

    async def _measures(self, scope: Scope) -> Response:
        if not self._is_trusted(scope):
            return refused(403, "forbidden", "/metrics")
        text = await run_in_threadpool(self._metrics.text)
        return Response(text, 200, {"Cache-Control": "no-store"}, "text/plain; version=0.0.4; charset=utf-8")

    def _is_trusted(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token and compare_digest(headers.get("authorization", "").encode(), f"Bearer {self._token}".encode()):
            return True
        client = scope.get("client")
        return client is not None and is_loopback(client[0]) and not any(name in headers for name in FORWARDED)


def told(check: Check, trusted: bool) -> dict[str, object]:
    """Name and state; the rest for whoever runs the machine."""
    found: dict[str, object] = {"name": check.name, "state": check.state.value}
    return {**found, "cause": check.cause, "text": check.told("en"), "to_do": check.to_do("en")} if trusted else found


def refused(status: int, kind: str, detail: str) -> Response:
    """For programs that watch over the machine; whoever reads pages never comes here."""
    body = {"type": f"{URN}{kind}", "title": kind, "status": status, "detail": detail}
    return as_json(body, status, media=PROBLEM)
