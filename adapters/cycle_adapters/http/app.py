"""What is recorded, as pages for people and as JSON: every page has its JSON, the URL is the whole state.

Read-only in this release: writing over HTTP comes with accounts. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader
from starlette.concurrency import run_in_threadpool

from cycle.aggregates.base import Refused
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import Language, shown, text
from cycle.engine import Engine
from cycle.history import Cutoffs, Fact
from cycle.reading import Filters, PlaceAmbiguous, PlaceUnknown, Reader
from cycle.store import Unavailable
from cycle.telling import (
    corrections,
    guards_saw,
    option_as_json,
    reason,
    sentence,
    what_helps,
    whom_to_call,
)

ROUTES = {
    "communes": "communes",
    "frameworks": "frameworks",
    "plans": "plans",
    "actions": "actions",
    "obstacles": "obstacles",
    "needs": "needs",
    "commitments": "commitments",
    "attendance": "attendance",
    "calendar": "calendar",
    "audit-trail": "audit_trail",
}
"""Route under ``/api/v1`` -> projection."""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def problem(status: int, kind: str, title: str, detail: str) -> Response:
    """An error as RFC 9457 wants it."""
    body = {"type": f"urn:cycle:problem:{kind}", "title": title, "status": status, "detail": detail}
    return Response(_encode(body), status, media_type="application/problem+json")


def make_app(engine: Engine) -> FastAPI:
    """The application over one engine; it keeps the projections up to date as it is read."""
    app = FastAPI(title="cycle", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    reader = Reader(engine)
    pages = Environment(loader=PackageLoader("cycle_adapters.http"), autoescape=True)

    def as_json(value: object) -> Response:
        return Response(_encode(value), media_type="application/json", headers={"Cycle-Position": str(position())})

    def position() -> int:
        return min(reader.runner.positions().values())

    def page(template: str, language: Language, **values: Any) -> HTMLResponse:
        def word(value: object) -> str:
            return str(shown(value, language))

        def say(key: str, **more: object) -> str:
            return text(f"message.{key}", language, "", **more)

        html = pages.get_template(template).render(lang=language, word=word, say=say, **values)
        return HTMLResponse(html)

    @app.middleware("http")
    async def guard(request: Request, call: Callable[[Request], Any]) -> Response:
        if request.method not in ("GET", "HEAD"):
            return problem(405, "read-only", "Read-only", "record with `cycle do`; this release serves reading only")
        if request.url.path not in ("/healthz", "/style.css"):
            await run_in_threadpool(reader.catch_up)
        response: Response = await call(request)
        response.headers.update(SECURITY)
        return response

    @app.exception_handler(PlaceUnknown)
    @app.exception_handler(Refused)
    def unknown(request: Request, error: Exception) -> Response:
        return problem(404, "not-found", "Not found", "there is no such commune or framework: see /api/v1/frameworks")

    @app.exception_handler(PlaceAmbiguous)
    def ambiguous(request: Request, error: PlaceAmbiguous) -> Response:
        return problem(409, "ambiguous", "Ambiguous", f"name one of: {', '.join(error.candidates)}")

    @app.exception_handler(Unavailable)
    def unavailable(request: Request, error: Unavailable) -> Response:
        return problem(503, "unavailable", "Unavailable", str(error))

    def rows_of(projection: str) -> Callable[..., Response]:
        def rows(
            commune: str | None = None,
            circle: str | None = None,
            region: str | None = None,
            sector: str | None = None,
            framework: str | None = None,
            as_of: date | None = None,
            known_at: datetime | None = None,
            at: int | None = None,
        ) -> Response:
            found = reader.find(commune).commune if commune else None
            chosen = reader.find_framework(framework) if framework else None
            filters = Filters(found, chosen, circle, region, sector)
            return as_json({"items": reader.rows(projection, filters, Cutoffs(as_of, known_at, at))})

        return rows

    for route, projection in ROUTES.items():
        app.get(f"/api/v1/{route}", name=route)(rows_of(projection))

    @app.get("/api/v1/frameworks/{identity}")
    def framework(identity: str) -> Response:
        found = reader.find_framework(identity)
        return as_json({"items": reader.rows("frameworks", Filters(framework=found))})

    @app.get("/api/v1/frameworks/{identity}/next")
    def framework_next(identity: str) -> Response:
        found = reader.find_framework(identity)
        return as_json({"framework": found, "options": [option_as_json(o) for o in engine.options(found)]})

    @app.get("/api/v1/frameworks/{identity}/history")
    def framework_history(
        identity: str,
        as_of: date | None = None,
        known_at: datetime | None = None,
        at: int | None = None,
        lang: Language = "fr",
    ) -> Response:
        facts = reader.framework_facts(reader.find_framework(identity), Cutoffs(as_of, known_at, at))
        return as_json({"items": [_told(fact, lang) for fact in facts]})

    def _told(fact: Fact, language: Language) -> dict[str, object]:
        return {"position": fact.position, "event": fact.recorded, "sentence": sentence(fact.recorded, language)}

    @app.get("/healthz")
    def healthz() -> Response:
        return as_json({"status": "ok"})

    @app.get("/style.css")
    def style() -> Response:
        css = (pages.get_template("style.css")).render()
        return Response(css, media_type="text/css")

    @app.get("/", response_class=HTMLResponse)
    def home(lang: Annotated[Language, Query()] = "fr") -> HTMLResponse:
        names = {row.code: row for row in reader.communes()}
        found = sorted(reader.frameworks(), key=lambda row: (names[row.commune].region, names[row.commune].name))
        return page("frameworks.html", lang, rows=found, names=names, today=engine.today(), path="/")

    @app.get("/frameworks/{identity}", response_class=HTMLResponse)
    def one(identity: FrameworkId, lang: Annotated[Language, Query()] = "fr") -> HTMLResponse:
        found = reader.find_framework(identity)
        filters = Filters(framework=found)
        options = [
            {
                "label": text(f"command.{o.command}", lang),
                "allowed": o.allowed,
                "roles": whom_to_call(o.roles, lang),
                "reasons": [
                    {"text": f"{reason(f, lang)} {what_helps(f, lang)}", "call": whom_to_call(f.lift, lang)}
                    for f in o.refused_by
                ],
            }
            for o in engine.options(found)
        ]
        members: list[Any] = reader.rows("members", filters)
        values = {
            "state": engine.framework(found),
            "commune": {row.code: row.name for row in reader.communes()},
            "options": options,
            "members": {m.member: m.name for m in members},
            "plans": [p for p in _rows("plans", filters) if p.in_force],
            "actions": _rows("actions", filters),
            "obstacles": _rows("obstacles", filters),
            "commitments": _rows("commitments", filters),
            "today": engine.today(),
            "path": f"/frameworks/{found}",
        }
        return page("framework.html", lang, **values)

    @app.get("/frameworks/{identity}/history", response_class=HTMLResponse)
    def history(identity: FrameworkId, lang: Annotated[Language, Query()] = "fr") -> HTMLResponse:
        found = reader.find_framework(identity)
        told = [
            {
                "position": fact.position,
                "fact": fact.recorded,
                "sentence": sentence(fact.recorded, lang),
                "saw": guards_saw(fact.recorded, lang),
                "corrections": corrections(fact.recorded, lang),
            }
            for fact in reader.framework_facts(found)
        ]
        state = engine.framework(found)
        return page("history.html", lang, facts=told, state=state, path=f"/frameworks/{found}/history")

    def _rows(name: str, filters: Filters) -> list[Any]:
        found: list[Any] = list(reader.rows(name, filters))
        return found

    return app
