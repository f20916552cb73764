"""Errors: problem details for programs, a page for people, in the language asked for."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cycle.access import Forbidden
from cycle.aggregates.base import Refused
from cycle.catalogue import Language, text
from cycle.reading import PlaceAmbiguous, PlaceUnknown
from cycle.store import Unavailable
from cycle.telling import refusal_lines
from cycle_adapters.http.pages import Pages

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode
TITLES = {403: "Forbidden", 404: "Not found", 405: "Read-only", 409: "Ambiguous", 422: "Unreadable", 503: "Unavailable"}


def spoken(request: Request) -> Language:
    """The language asked for: ``lang``, else ``Accept-Language``, else French."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return "en" if asked.lower().startswith("en") else "fr"


def problem(status: int, kind: str, detail: str) -> Response:
    """An error as RFC 9457 wants it."""
    title = TITLES.get(status, "Error")
    body = {"type": f"urn:cycle:problem:{kind}", "title": title, "status": status, "detail": detail}
    return Response(_encode(body), status, media_type="application/problem+json")


def refusal_to_write(request: Request) -> Response:
    return problem(405, "read-only", text("message.read-only", spoken(request)))


def answer_problems(app: FastAPI, pages: Pages) -> None:
    """Let every error be answered in words, without internals."""

    def answer(request: Request, status: int, kind: str, detail: str) -> Response:
        if request.url.path.startswith("/api/"):
            return problem(status, kind, detail)
        return pages.page("problem.html", spoken(request), status=status, detail=detail, path="/")

    @app.exception_handler(Forbidden)
    def forbidden(request: Request, error: Forbidden) -> Response:
        # What may not be read is answered as what does not exist is.
        if not error.readable and error.findings[0].code == "nothing-there":
            return unknown(request, error)
        said = " ".join(refusal_lines(error, spoken(request)))
        return answer(request, 403, "forbidden", said)

    @app.exception_handler(PlaceUnknown)
    @app.exception_handler(Refused)
    @app.exception_handler(404)
    def unknown(request: Request, error: Exception) -> Response:
        where = "/api/v1/frameworks" if request.url.path.startswith("/api/") else "/"
        return answer(request, 404, "not-found", text("message.not-found-here", spoken(request), "", list=where))

    @app.exception_handler(HTTPException)
    def other(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, "http", str(error.detail))

    @app.exception_handler(PlaceAmbiguous)
    def ambiguous(request: Request, error: PlaceAmbiguous) -> Response:
        said = text("message.name-one-of", spoken(request), "", candidates=", ".join(error.candidates))
        return answer(request, 409, "ambiguous", said)

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, error: RequestValidationError) -> Response:
        fields = ", ".join(dict.fromkeys(str(each["loc"][-1]) for each in error.errors()))
        return answer(request, 422, "unreadable", text("message.bad-request", spoken(request), "", fields=fields))

    @app.exception_handler(Unavailable)
    def unavailable(request: Request, error: Unavailable) -> Response:
        return answer(request, 503, "unavailable", error.told(spoken(request)))
