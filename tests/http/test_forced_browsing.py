"""Every route there is, opened by every role: nothing is read that the table of access forbids, wherever it stands.

Dioro has a plan, minutes, papers and a request; each role has an account that holds it there, and another that
holds it elsewhere. A route that is new is walked without a line here, and exactly once it has one.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cycle.aggregates.base import By, Role
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import Dissolve
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import DeliberationId
from cycle.aggregates.webhook import RegisterWebhook
from cycle.engine import Engine, Said
from cycle.identity.sessions import Sessions
from cycle_adapters.http.app import make_app
from cycle_adapters.http.reading import ROUTES
from cycle_adapters.http.saying import OF_A_FRAMEWORK
from cycle_adapters.http.sign_in_pages import SigningIn
from tests.access.test_matrix import TABLE
from tests.engine.path import DIORO, ENDS
from tests.engine.path import Path as Way
from tests.http.sealed import seal
from tests.http.town import API, WIDE, Named, named, rooms
from tests.paper.pages import words_of
from tests.people import GRANTED, admit

SEGOU, KOULIKORO = "ML/Ségou", "ML/Koulikoro"
OF_DIORO = ("Cadre de Dioro", "écortiqueuse", "Benkadi", "Plan accepté", "Fusion de communes", "Fin du cadre")
"""What is recorded there and is no secret to whoever may read it."""
TABLES = ("figures.csv", "figures.parquet", "rows.csv", "rows.parquet")
MEASURED = (
    "/timings",
    "/timings/rows",
    "/timings/risk",
    "/timings/compare",
    f"{API}/timings/{{metric}}",
    f"{API}/timings/{{metric}}/rows",
    *(f"{API}/timings/{{metric}}/{table}" for table in TABLES),
)
ASKED: dict[str, str] = {
    **{f"{API}/{route}": name for route, name in ROUTES.items()},
    f"{API}/frameworks/{{identity}}": "frameworks",
    f"{API}/frameworks/{{identity}}/next": "next",
    f"{API}/frameworks/{{identity}}/history": "replay",
    f"{API}/frameworks/{{identity}}/changes": "replay",
    f"{API}/frameworks/{{identity}}/plan.pdf": "export-paper",
    f"{API}/frameworks/{{identity}}/minutes.pdf": "export-paper",
    f"{API}/frameworks/{{identity}}/attendance.pdf": "export-paper",
    f"{API}/timings/pictures/{{picture}}": "timings",
    f"{API}/timings/pictures/{{picture}}.svg": "timings",
    f"{API}/calendar.ics": "export-calendar",
    f"{API}/report.pdf": "export-paper",
    f"{API}/events": "events",
    f"{API}/events/stream": "events",
    f"{API}/receipts/{{key}}": "receipt",
    f"{API}/logs/{{log}}/checkpoint": "export-checkpoint",
    f"{API}/logs/{{log}}/inclusion": "export-checkpoint",
    f"{API}/logs/{{log}}/consistency": "export-checkpoint",
    f"{API}/logs/{{log}}/bundle": "export-bundle",
    "/": "frameworks",
    "/frameworks/{identity}": "frameworks",
    "/frameworks/{identity}/history": "replay",
    "/frameworks/{identity}/replay": "replay",
    "/frameworks/{identity}/compare": "replay",
    "/frameworks/{identity}/meeting": "frameworks",
    "/frameworks/{identity}/done/{key}": "frameworks",
    "/requests/{identity}": "requests",
    "/subscriptions": "list-webhooks",
    "/subscriptions/{identity}": "list-webhooks",
    "/subscriptions/{identity}/do/{command}": "pause-webhook",
    "/subscriptions/register/{kind}": "register-webhook",
    f"{API}/subscriptions": "list-webhooks",
    f"{API}/subscriptions/{{identity}}/history": "list-webhooks",
    f"{API}/webhooks/{{identity}}": "list-webhooks",
    f"{API}/webhooks/{{identity}}/deliveries": "list-webhooks",
    f"{API}/webhooks/{{identity}}/replay-count": "list-webhooks",
    f"{API}/catalogue": "events",
    f"{API}/catalogue/{{type}}": "events",
    "/catalogue": "events",
    "/catalogue/{type}": "events",
    **dict.fromkeys(MEASURED, "timings"),
}
"""What is asked of the table by each route that answers; of others no more is held than that nothing leaks."""
FEEDS = (f"{API}/events", f"{API}/events/stream")
LISTS = ("/subscriptions", "/subscriptions/register/{kind}", f"{API}/subscriptions")
WORDS = ("/catalogue", "/catalogue/{type}", f"{API}/catalogue", f"{API}/catalogue/{{type}}")
PICTURES = (f"{API}/timings/pictures/{{picture}}", f"{API}/timings/pictures/{{picture}}.svg")
EVERYWHERE_ASKED = (
    "/",
    f"{API}/calendar.ics",
    *MEASURED,
    *PICTURES,
    *FEEDS,
    *LISTS,
    *WORDS,
    *(f"{API}/{route}" for route in ROUTES),
)
"""Routes that name no place: whoever may ask it anywhere is answered, with what is his."""


class Route(NamedTuple):
    path: str
    methods: frozenset[str]


class Town:
    """Dioro, what is named in its addresses, and everybody."""

    def __init__(self, engine: Engine, client: TestClient, way: Way) -> None:
        self.engine, self.client = engine, client
        self.framework = way.to(Stage.MONITORING)
        decided = DeliberationId(way._adopted("2026-19", "Fin du cadre", ENDS))
        way._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
        asked = way.say(Dissolve(deliberation=decided, reason="Fusion de communes"), on=ENDS)
        self.request, self.key = asked.stream.partition("-")[2], asked.key
        admit(engine, *((f"of-{role}", role, SEGOU) for role in GRANTED))
        admit(engine, *((f"off-{role}", role, KOULIKORO) for role in GRANTED))
        seal(engine)
        hook = RegisterWebhook(url="https://example.org/hook", after=0, territory=SEGOU)
        integrator = By(f"of-{Role.INTEGRATOR}", Role.INTEGRATOR)
        registered = engine.execute(Said(command=hook, by=integrator, on=ENDS))
        self.webhook = registered.stream.partition("-")[2]

    def filled(self, path: str, command: str = "attach-document") -> str:
        """An address of this town, with whatever a question may need."""
        identity = self.request if path.startswith("/requests/") else self.framework
        if path.startswith(("/subscriptions/", f"{API}/subscriptions/", f"{API}/webhooks/")):
            identity, command = self.webhook, "pause-webhook"
        values = {
            "identity": identity, "command": command, "key": self.key, "log": DIORO, "policy": "wocat-pact",
            "type": "plan-agreed", "version": "1", "number": "1", "secret": "x" * 20, "name": "desk.js",
            "kind": "webhook", "metric": "M1", "picture": "strips",
        }  # fmt: skip
        more = "meeting=M-1" if "attendance.pdf" in path or "minutes.pdf" in path else "index=0"
        more += "&after=0" if path.endswith("/replay-count") else ""
        return f"{path.format_map(values)}?{more}&from=1&to=2"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Engine(f"sqlite:///{tmp_path_factory.mktemp('browsing') / 'a.db'}") as engine:
        door = SigningIn(engine, Sessions(engine))
        app = make_app(engine, Named(engine), rooms(engine), WIDE, door)
        with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
            yield Town(engine, client, Way(engine))


def routes(town: Town) -> list[Route]:
    """All that the application answers at."""
    app: Any = town.client.app
    assert isinstance(app, FastAPI)
    found = []
    for router in app.routes:
        contexts = getattr(router, "effective_route_contexts", None)
        each = contexts() if contexts else [router]
        found += [Route(route.path, frozenset(route.methods or ())) for route in each]
    return found


def said(answer: Any) -> str:
    """What an answer tells, out of whatever it is wrapped in."""
    kind = answer.headers.get("content-type", "")
    if kind == "application/pdf":
        return words_of(answer.content)
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return str(answer.text) + str(answer.headers.get("location", ""))


def leaks(answer: Any) -> list[str]:
    words = said(answer)
    return [each for each in OF_DIORO if each in words]


def test_every_line_of_the_table_here_is_a_route(town: Town) -> None:
    paths = {route.path for route in routes(town) if "GET" in route.methods}
    assert set(ASKED) <= paths
    assert len(paths) > 50


@pytest.mark.parametrize("role", GRANTED)
def test_who_holds_a_role_there_opens_what_the_table_says(town: Town, role: Role) -> None:
    headers = named(f"of-{role}")
    for path, methods in routes(town):
        if "GET" not in methods:
            continue
        answer = town.client.get(town.filled(path), headers=headers)
        assert answer.status_code < 500, (path, answer.text)
        if path not in ASKED:
            assert TABLE["frameworks"].roles >= {role.value} or not leaks(answer), (path, leaks(answer))
            continue
        row = TABLE[ASKED[path]]
        may = row.anybody or role.value in row.roles
        assert (answer.status_code == 200) is may, (path, answer.status_code, answer.text[:300])
        assert may or answer.status_code in (403, 404)
        assert may or not leaks(answer), (path, leaks(answer))


@pytest.mark.parametrize("role", GRANTED)
def test_who_holds_it_elsewhere_opens_nothing_of_it(town: Town, role: Role) -> None:
    headers = named(f"off-{role}")
    for path, methods in routes(town):
        for method in sorted(methods & {"GET", "POST"}):
            answer = town.client.request(method, town.filled(path), headers=headers)
            assert answer.status_code < 500, (method, path, answer.text)
            assert leaks(answer) == [], (method, path)
            if method == "POST":
                assert answer.status_code >= 400 or answer.headers.get("location", "").startswith("/sign-in"), path
            elif path in ASKED and path not in EVERYWHERE_ASKED:
                assert answer.status_code in (403, 404), (path, answer.status_code)


@pytest.mark.parametrize("command", sorted(OF_A_FRAMEWORK))
def test_no_form_about_it_is_shown_to_who_holds_a_role_elsewhere(town: Town, command: str) -> None:
    for role in (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.MAYOR, Role.OPERATOR):
        for path in ("/frameworks/{identity}/do/{command}", "/requests/{identity}/do/{command}"):
            answer = town.client.get(town.filled(path, command), headers=named(f"off-{role}"))
            assert answer.status_code in (403, 404)
            assert leaks(answer) == []


def test_a_stranger_opens_what_is_public_and_nothing_else(town: Town) -> None:
    for path, methods in routes(town):
        for method in sorted(methods & {"GET", "POST"}):
            answer = town.client.request(method, town.filled(path))
            assert answer.status_code < 500, (method, path, answer.text)
            assert leaks(answer) == [], (method, path)
            if method == "GET" and path in ASKED and not TABLE[ASKED[path]].anybody:
                assert answer.status_code in (303, 401), (path, answer.status_code)


def test_what_is_looked_for_is_really_there(town: Town) -> None:
    """Or nothing would be found to leak."""
    shown = "".join(
        said(town.client.get(town.filled(path), headers=named("of-auditor"))) for path in ASKED if "session" not in path
    )
    assert [each for each in OF_DIORO if each not in shown] == []
