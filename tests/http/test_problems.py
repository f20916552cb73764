"""Every problem that somebody can meet, with what leads to it: no internals, in the language asked for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from cycle import catalogue
from cycle import engine as engines
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.anytime import AttachDocument, Dissolve
from cycle.aggregates.terms import CommuneCode, DeliberationId
from cycle.engine import Engine
from cycle_adapters.http.limits import BODY_BYTES, JSON_DEPTH, Limits, Rate
from cycle_adapters.http.problems import OF_PAGES, OF_SIGNING_IN, PROBLEMS, URN
from tests.access.places import DAY, DIORO, KOULA, say, two_communes
from tests.http.sealed import seal
from tests.http.town import API, key, named, sent, served

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")


class Town:
    """Two communes, and somebody who facilitates in one of them."""

    def __init__(self, engine: Engine, client: TestClient) -> None:
        self.engine, self.client = engine, client
        self.dioro, self.koula = two_communes(engine)

    def get(self, path: str, who: str = "fanta", **headers: str) -> Any:
        return self.client.get(f"{API}{path}", headers=named(who, **headers))

    def post(self, headers: dict[str, str] | None = None, target: str = "", **body: Any) -> Any:
        """Fanta attaches a paper."""
        path, good = sent(PAPER, DAY, target or self.dioro)
        sending = key(**named("fanta")) if headers is None else named("fanta", **headers)
        return self.client.post(path, json=good | body, headers=sending)

    def raw(self, content: bytes | str, **headers: str) -> Any:
        path, _ = sent(PAPER, DAY, self.dioro)
        kind = {"Content-Type": "application/json"}
        return self.client.post(path, content=content, headers=key(**named("fanta")) | kind | headers)


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with Engine(sqlite_url) as engine, served(engine) as client:
        yield Town(engine, client)


def key_reused(town: Town) -> Any:
    town.post({"Idempotency-Key": "k"})
    return town.post({"Idempotency-Key": "k"}, late_record=True)


def ambiguous(town: Town) -> Any:
    say(town.engine, RegisterCommune(commune=CommuneCode("ML-4-09-09"), name="Dioro", region="Ségou", circle="Niono"))
    return town.get("/plans?commune=Dioro", "auditor")


def conflict(town: Town) -> Any:
    """Others write whenever somebody tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "ATTEMPTS", 0)
        return town.post()


def refused(town: Town) -> Any:
    return town.post(occurred_on="2090-01-01")


def version_needed(town: Town) -> Any:
    path, body = sent(Dissolve(deliberation=DeliberationId("d"), reason="Fusion"), DAY, town.dioro)
    return town.client.post(path, json=body, headers=key(**named("mayor")))


def unavailable(town: Town) -> Any:
    with town.engine.store.database.begin() as connection:
        connection.execute(text("DROP TABLE plans"))
    return town.get("/plans")


def unexpected(town: Town) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "carry_out", lambda self, said: 1 / 0)
        return town.post()


def too_many(town: Town) -> Any:
    with served(town.engine, limits=Limits(Rate(1e-6, 1), Rate(100, 100))) as client:
        client.get(f"{API}/communes", headers=named("fanta"))
        return client.get(f"{API}/communes", headers=named("fanta"))


def too_large(town: Town) -> Any:
    return town.raw(b'"' + b"a" * BODY_BYTES + b'"')


def not_provable(town: Town) -> Any:
    seal(town.engine)
    return town.get(f"/logs/{DIORO}/inclusion?index=999", "auditor")


def damaged_log(town: Town) -> Any:
    """A row that somebody has edited."""
    with town.engine.store.database.begin() as connection:
        named_so = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for trigger in connection.execute(text(named_so)).scalars().all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text(f"UPDATE events SET leaf = CAST('?' AS BLOB) WHERE log = '{DIORO}'"))
    return town.get(f"/frameworks/{town.dioro}/history")


def busy(town: Town) -> Any:
    printing = town.client.app.state.doors.printing
    with printing, printing:
        return town.get(f"/frameworks/{town.dioro}/plan.pdf")


def no_secret_here(town: Town) -> Any:
    """A webhook is registered where there is no key to seal its secret with."""
    headers = named("integrator", **key())
    return town.client.post(f"{API}/webhooks", json={"url": "https://example.org/hook"}, headers=headers)


def lease_lost(town: Town) -> Any:
    """Whoever takes from a group settles a lease that it never had."""

    def told(path: str, **body: object) -> Any:
        return town.client.post(f"{API}/groups{path}", json=body, headers=named("integrator", **key()))

    group = told("", name="warehouse").json()["group"]
    return told(f"/{group}/leases/1/ack")


STORIES: dict[str, Callable[[Town], Any]] = {
    "bad-json": lambda town: town.raw('{"occurred_on":'),
    "idempotency-key-missing": lambda town: town.post({}),
    "sign-in-needed": lambda town: town.client.get(f"{API}/plans"),
    "forbidden": lambda town: town.get("/receipts/accounts-begin"),
    "out-of-scope": lambda town: town.get("/plans", Scope="needs"),
    "cross-origin": lambda town: town.post({"Idempotency-Key": "k", "Origin": "https://elsewhere.example"}),
    "not-found": lambda town: town.get(f"/frameworks/{town.koula}"),
    "unknown-command": lambda town: town.client.post(f"{API}/commands/fly", headers=named("fanta"), json={}),
    "said-elsewhere": lambda town: town.client.post(f"{API}/commands/agree-plan", headers=named("fanta"), json={}),
    "not-sealed": lambda town: town.get(f"/logs/{DIORO}/checkpoint"),
    "nothing-to-print": lambda town: town.get(f"/frameworks/{town.dioro}/plan.pdf"),
    "not-provable": not_provable,
    "damaged-log": damaged_log,
    "no-secret-here": no_secret_here,
    "busy": busy,
    "method-not-allowed": lambda town: town.client.delete(f"{API}/plans", headers=named("fanta")),
    "ambiguous": ambiguous,
    "conflict": conflict,
    "key-reused": key_reused,
    "ahead-of-log": lambda town: town.get("/events?after=100000"),
    "version-moved": lambda town: town.post({"Idempotency-Key": "k", "If-Match": '"9"'}),
    "too-large": too_large,
    "media-type": lambda town: town.raw("{}", **{"Content-Type": "text/plain"}),
    "invalid": lambda town: town.post(data={"bytes": "many", "colour": "red"}),
    "refused": refused,
    "version-needed": version_needed,
    "too-many-requests": too_many,
    "unexpected": unexpected,
    "unavailable": unavailable,
    "lease-lost": lease_lost,
    "not-there-yet": lambda town: town.get("/plans?min_position=100000"),
}
INTERNALS = re.compile(r"Traceback|File \"|site-packages|sqlite|SELECT|psycopg|ZeroDivision|/work/|/tmp/|\.py")


def test_every_problem_has_its_story() -> None:
    # Those of signing in have theirs in test_session_api and test_signing_in.
    assert set(STORIES) | set(OF_SIGNING_IN) == set(PROBLEMS) == catalogue.keys("problem") - set(OF_PAGES)


@pytest.mark.parametrize("code", STORIES)
def test_a_problem_says_what_it_is_and_nothing_of_us(town: Town, code: str) -> None:
    answer = STORIES[code](town)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (PROBLEMS[code], "application/problem+json")
    assert (told["type"], told["status"]) == (URN + code, PROBLEMS[code])
    assert told["title"] == catalogue.text(f"problem.{code}", "fr", "title")
    assert told["detail"]
    assert not INTERNALS.search(answer.text), answer.text


@pytest.mark.parametrize("code", ["not-found", "refused", "invalid", "sign-in-needed"])
def test_a_problem_speaks_the_language_asked_for(town: Town, code: str) -> None:
    french = STORIES[code](town).json()
    town.client.headers["Accept-Language"] = "de;q=0.9, en-GB;q=0.8, fr;q=0.1"
    english = STORIES[code](town)
    assert english.headers["content-language"] == "en"
    assert english.json()["title"] == catalogue.text(f"problem.{code}", "en", "title")
    assert english.json()["detail"] != french["detail"]


def test_a_refusal_says_each_reason_who_can_lift_it_and_which_accounts_can(town: Town) -> None:
    reason = town.client.post(
        f"{API}/frameworks/{town.dioro}/commands/identify-actor",
        json={"occurred_on": "2026-02-02", "data": {"sector": "rice", "actor": "Casier"}},
        headers=key(**named("fanta")),
    ).json()["reasons"][0]
    assert reason["code"] == "no-sectors"
    assert reason["text"]
    assert "facilitator" in reason["lift"]
    assert {"fanta", "facilitator"} <= set(reason["who"])


def test_every_field_that_is_wrong_is_named_at_once(town: Town) -> None:
    told = STORIES["invalid"](town).json()
    fields = {error["field"]: error["text"] for error in told["errors"]}
    assert set(fields) == {"/data/colour", "/data/title", "/data/sha256", "/data/bytes", "/data/media"}
    assert "nombre entier" in fields["/data/bytes"]
    outer = town.post(occurred_on="yesterday", mood="good", role="king").json()["errors"]
    assert {error["field"] for error in outer} == {"/occurred_on", "/mood", "/role"}


@pytest.mark.parametrize(
    ("headers", "field"),
    [({"Idempotency-Key": "a b"}, "Idempotency-Key"), ({"Idempotency-Key": "k", "If-Match": "3"}, "If-Match")],
)
def test_a_header_that_cannot_be_read_is_named(town: Town, headers: dict[str, str], field: str) -> None:
    told = town.post(headers).json()
    assert (told["type"], [error["field"] for error in told["errors"]]) == (f"{URN}invalid", [field])


def test_what_a_command_is_about_is_said_in_one_place(town: Town) -> None:
    path, body = sent(PAPER, DAY, town.dioro)
    twice = body | {"target": town.dioro}
    named_twice = town.client.post(path, json=twice, headers=key(**named("fanta")))
    founded = {"occurred_on": "2026-02-02", "data": {"commune": KOULA, "title": "Cadre"}, "target": "x"}
    founding = town.client.post(f"{API}/commands/propose-framework", json=founded, headers=key(**named("awa")))
    nobody = {"occurred_on": "2026-02-02", "data": {"alias": "Jɔrɔ"}}
    missing = town.client.post(f"{API}/commands/add-alias", json=nobody, headers=key(**named("awa")))
    for answer in (named_twice, founding, missing):
        assert "/target" in [error["field"] for error in answer.json()["errors"]]


def test_what_went_wrong_with_us_can_be_found_in_the_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "cycle.http")
    reference = STORIES["unexpected"](town).json()["reference"]
    assert re.fullmatch("[0-9a-f]{32}", reference)
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "saying.py" in caplog.text


def test_a_page_is_told_in_a_page(town: Town) -> None:
    answer = town.client.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "body",
    [
        b'{"occurred_on": "2026-02-02", "data": ' + b"[" * (JSON_DEPTH + 1) + b"]" * (JSON_DEPTH + 1) + b"}",
        b"[" * 100_000,
        b'{"data": "\\ud800"}',
        b"\xff\xfe",
        b"",
        b"NaN",
    ],
    ids=["deep", "endless", "half a character", "not utf-8", "empty", "not a number"],
)
def test_what_is_no_json_is_read_no_further(town: Town, body: bytes) -> None:
    assert town.raw(body).json()["type"] == f"{URN}bad-json"


def test_brackets_in_a_text_are_no_depth(town: Town) -> None:
    title = "[" * 100 + '\\"{'
    assert town.post(data={"title": title, "sha256": "0" * 64, "bytes": 1, "media": "a"}).status_code == 201
