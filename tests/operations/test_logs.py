"""What a running process tells: one line each, and in none of them what somebody typed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from cycle.aggregates.base import By, Refused, Role
from cycle.engine import Said
from cycle.store import Unavailable
from cycle_adapters import logs
from cycle_adapters.http.observing import ACCOUNT, Observed
from cycle_adapters.logs import begin, command_told
from tests.vault.town import AWA, DAY, SECRETS, Town

TYPED = {
    "path": "chemin-secret",
    "query": "jeton-secret",
    "header": "titre-secret",
    "body": "corps-secret",
    "error": "erreur-secrete",
    "cookie": "biscuit-secret",
}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What goes to standard error, as JSON."""
    heard, root = StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", heard)
    begin("json", "debug", "en")
    yield heard
    root.handlers[:] = handlers
    root.setLevel(level)
    logs.LOG.setLevel(logging.NOTSET)


def lines(said: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def app(town: Town) -> Starlette:
    """Records a person, fails, is not there: with all that somebody may type."""

    def record(request: Request) -> Response:
        request.scope[ACCOUNT] = "fanta"
        town.record(key="phone-7")
        return JSONResponse({}, 201)

    def fail(request: Request) -> Response:
        raise RuntimeError(TYPED["error"])

    def log_of_a_library(request: Request) -> Response:
        logging.getLogger("library").warning("it met %s", TYPED["body"])
        return JSONResponse({})

    routes = [Route("/people/{who}", record, methods=["POST"]), Route("/fail", fail), Route("/odd", log_of_a_library)]
    return Starlette(routes=routes)


def test_a_request_and_its_command_are_one_line_each_and_tell_nothing_that_was_typed(
    town: Town, said: StringIO
) -> None:
    town.engine.watchers.append(command_told)
    client = TestClient(Observed(app(town), lambda *measures: None), raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {TYPED['header']}", "Cookie": TYPED["cookie"], "X-Request-Id": "phone-7.1"}
    body = {"name": TYPED["body"]}
    answer = client.post(f"/people/{TYPED['path']}?token={TYPED['query']}", headers=headers, json=body)
    assert answer.headers["X-Request-Id"] == "phone-7.1"
    for path in ("/fail", f"/nowhere/{TYPED['path']}", "/odd"):
        client.get(f"{path}?token={TYPED['query']}", headers={**headers, "X-Request-Id": f"id {TYPED['header']}"})
    whole = said.getvalue()
    for secret in (*TYPED.values(), *SECRETS):
        assert secret not in whole
        assert json.dumps(secret)[1:-1] not in whole
    command, request, failed, nowhere, library, odd = lines(said)
    about = {"request": "phone-7.1", "account": "fanta"}
    assert command.items() >= {"event": "command", "command": "record-person", "key": "phone-7", **about}.items()
    assert (command["ending"], command["position"]) == ("done", town.engine.store.head().position)
    shape = {"event": "request", "method": "POST", "route": "/people/{who}", "status": 201, **about}
    assert request.items() >= shape.items()
    assert (failed["level"], failed["status"], failed["route"]) == ("error", 500, "/fail")
    assert (nowhere["status"], nowhere["route"]) == (404, "other")
    assert library["text"] == "library: it met %s"
    assert odd["status"] == 200


def test_a_route_is_told_with_the_prefix_of_its_router(said: StringIO) -> None:
    routes, whole = APIRouter(), FastAPI()
    routes.get("/frameworks/{identity}")(lambda identity: {})
    whole.include_router(routes, prefix="/api/v1")
    client = TestClient(Observed(whole, lambda *measures: None))
    for method, path in (("GET", "/api/v1/frameworks/7"), ("POST", "/api/v1/frameworks/7"), ("GET", "/api/v1/x/7")):
        client.request(method, path)
    template = "/api/v1/frameworks/{identity}"
    assert [line["route"] for line in lines(said)] == [template, template, "other"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "\x1b[31m", "é", "1\n2"])
def test_an_id_that_no_line_may_hold_is_replaced(town: Town, given: str) -> None:
    assert logs.request_id(given) is None
    client = TestClient(Observed(app(town), lambda *measures: None))
    if given.isascii() and given.isprintable():
        assert client.get("/odd", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_a_command_that_is_refused_is_told_with_how_it_ended(town: Town, said: StringIO) -> None:
    town.engine.watchers.append(command_told)
    by = By("auditor", Role.FACILITATOR)
    with pytest.raises(Refused):
        town.engine.execute(Said(command=AWA, by=by, on=DAY, key="k"))
    (line,) = [line for line in lines(said) if line["event"] == "command"]
    assert (line["ending"], line["account"], line["key"]) == ("forbidden", "auditor", "k")


def test_trouble_of_ours_is_told_by_kind_and_place_and_trouble_of_the_machine_in_words(said: StringIO) -> None:
    try:
        raise KeyError(TYPED["error"])
    except KeyError as error:
        logs.trouble("projections", error)
    logs.trouble("seal", Unavailable("full"))
    ours, machine = lines(said)
    assert (ours["level"], ours["error"]) == ("error", "KeyError")
    assert str(ours["at"]).startswith("['test_logs.py:")
    assert (machine["level"], machine["error"]) == ("warning", "Unavailable")
    assert "The disk is full" in str(machine["text"])
    assert TYPED["error"] not in said.getvalue()


def test_for_a_person_a_line_is_readable_and_steers_no_terminal(
    said: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = StringIO()
    monkeypatch.setattr("sys.stderr", heard)
    begin("text", "info", "fr")
    logs.tell(logging.INFO, "request", logs.Line(route="/", status=200, key="\x1b[31m"))
    logs.tell(logging.DEBUG, "request", logs.Line(route="/healthz"))
    (line,) = heard.getvalue().splitlines()
    assert "info    request route=/ status=200" in line
    assert "\x1b" not in line


def test_where_nobody_watches_lines_are_json(monkeypatch: pytest.MonkeyPatch, said: StringIO) -> None:
    for watched, first in ((False, "{"), (True, "1")):
        heard = StringIO()
        monkeypatch.setattr(heard, "isatty", lambda watched=watched: watched)
        monkeypatch.setattr("sys.stderr", heard)
        begin(None, "info", "en")
        logs.tell(logging.INFO, "seal", logs.Line())
        assert heard.getvalue().startswith(first) or (watched and heard.getvalue()[:1].isdigit())
