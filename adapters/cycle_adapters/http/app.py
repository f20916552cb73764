"""What is recorded, as pages for people and as JSON: every page has its JSON, the URL is the whole state.

Read-only in this release: writing over HTTP comes with accounts. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle.reading import Reader
from cycle_adapters.http.api import api
from cycle_adapters.http.pages import Pages, pages
from cycle_adapters.http.problems import answer_problems, refusal_to_write

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
UNREAD = ("/style.css",)
"""What shows no projection, and need not wait for one."""


class HeadAsGet:
    """Answers HEAD as GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        # In place: whoever watches from outside finds in it which route answered.
        scope["method"] = "GET"
        await self._app(scope, receive, without_body)


def make_app(engine: Engine, actor: str, runner: Runner | None = None) -> FastAPI:
    """The application over one engine; it keeps the projections up to date as it is read.

    Until there is a way to sign in, whoever reaches it reads what one account may read: ``actor``.
    """
    app = FastAPI(title="cycle", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    reader = Reader(engine, actor, runner)
    look = Pages()

    @app.middleware("http")
    async def guard(request: Request, call: Callable[[Request], Any]) -> Response:
        if request.method != "GET":
            return refusal_to_write(request)
        if request.url.path not in UNREAD:
            await run_in_threadpool(reader.catch_up)
        response: Response = await call(request)
        response.headers.update(SECURITY)
        return response

    app.add_middleware(HeadAsGet)
    answer_problems(app, look)
    app.include_router(api(reader))
    app.include_router(pages(reader, look))
    return app
