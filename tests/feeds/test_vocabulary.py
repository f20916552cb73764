"""The event catalogue: words, fields, examples that are accepted, the release, and counts of what one may read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.base import EVENTS, Role
from cycle.aggregates.personal import personal_fields
from cycle.contracts import TYPES, frozen, name_of
from cycle.engine import Engine
from cycle.reading import Reader
from cycle.tally import Tally
from cycle.vocabulary import area_of, areas, lines, page_of
from tests.access.places import KOULA, revoke, two_communes
from tests.http.town import API, named, served
from tests.people import admit


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    with Engine(sqlite_url) as engine:
        two_communes(engine)
        yield engine


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with served(engine) as client:
        yield client


@pytest.mark.parametrize("name", TYPES)
def test_an_example_is_what_its_schema_promises(name: str) -> None:
    page = page_of(name, "fr")
    schema = json.loads(frozen()[name, page.schema])
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(page.example)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_and_field_has_words(name: str, language: Any) -> None:
    page = page_of(name, language)
    assert page.words[:1].isupper() or page.words.startswith("…")
    assert not set("{}[]|") & set(page.words)
    promised = json.loads(frozen()[name, page.schema])
    own = promised["$defs"][promised["$ref"].rpartition("/")[2]]
    told = [field for field in page.fields if "." not in field.name]
    assert [field.name for field in told] == list(own["properties"])
    assert [field.name for field in told if field.required] == own.get("required", [])
    assert all(field.meaning and field.takes for field in page.fields)


def test_what_is_personal_stands_nowhere() -> None:
    hidden = {name: personal_fields(EVENTS[name]) for name in TYPES if personal_fields(EVENTS[name])}
    assert hidden
    for name, fields in hidden.items():
        page = page_of(name, "fr")
        assert not set(fields) & {field.name for field in page.fields}
        assert not set(fields) & page.example.keys()


def test_it_is_looked_through_by_words_and_area_in_either_language() -> None:
    assert [line.type for line in lines("fr", "Difficulté") if "obstacle" in line.type]
    assert {line.type for line in lines("fr", "OBSTACLE")} == {line.type for line in lines("en", "obstacle")}
    assert [line.type for line in lines("fr", "plan-agreed")] == ["plan-agreed"]
    assert {line.area for line in lines("fr", area="webhook")} == {"webhook"}
    assert "plan-agreed" in [line.type for line in lines("en", "convenu plan")]
    assert lines("fr", "nowhere to be found") == []
    assert lines("fr", area="nowhere") == []
    assert sum(len(lines("fr", area=area)) for area in areas()) == len(TYPES)


def test_it_says_since_which_release(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (page_of("plan-agreed", "fr").since, page_of("token-issued", "fr").since) == ("0.1.0", "0.3.0")
    assert page_of("webhook-registered", "fr").since == "0.4.0"
    assert page_of("plan-agreed", "fr").schemas == {"1": f"{API}/schemas/plan-agreed/1"}
    assert area_of("plan-agreed") == "plan"
    assert name_of("plan-agreed", 1) == "plan-agreed.v1"


def test_counts_are_of_what_one_may_read_and_go_on(engine: Engine) -> None:
    admit(engine, ("dhis", Role.INTEGRATOR, "ML/Koulikoro"))
    tally, owner, auditor = Tally(engine.store), Reader(engine, "dhis"), Reader(engine, "auditor")
    owner.catch_up()
    assert tally.read_by(owner).events["framework-proposed"] == 1
    found = tally.read_by(auditor)
    assert found.events["framework-proposed"] == 2
    assert sum(found.events.values()) == found.head == engine.store.head().position
    assert "account-opened" not in tally.read_by(owner).events
    revoke(engine, "dhis")
    assert tally.read_by(auditor).events["grant-revoked"] == 1


def test_what_is_counted_on_a_database_is_what_stands_there(database_url: str) -> None:
    with Engine(database_url) as engine:
        two_communes(engine)
        head, found = engine.store.tally(3, 10_000)
        rows = engine.store.feed(3, 10_000, 500)[1]
        assert sum(found.values()) == len(rows) == head - 3
        assert found[KOULA, "framework-proposed"] == 1
        assert engine.store.tally(head, head + 5) == (head, {})


def test_of_a_long_log_it_says_how_far_it_has_counted(engine: Engine) -> None:
    auditor = Reader(engine, "auditor")
    auditor.catch_up()
    tally = Tally(engine.store, window=10)
    first = tally.read_by(auditor)
    assert (first.to, first.whole, sum(first.events.values())) == (10, False, 10)
    while not (found := tally.read_by(auditor)).whole:
        pass
    assert sum(found.events.values()) == found.head


def test_the_api_has_it(client: TestClient, engine: Engine) -> None:
    found = client.get(f"{API}/catalogue", params={"q": "cadre", "lang": "fr"}, headers=named("auditor")).json()
    assert "framework-proposed" in [line["type"] for line in found["items"]]
    assert found["events"]["framework-proposed"] == 2
    assert found["to"] == found["head"] == engine.store.head().position
    one = client.get(f"{API}/catalogue/framework-proposed", headers=named("auditor")).json()
    assert (one["events"], one["item"]["since"]) == (2, "0.1.0")
    assert client.get(one["item"]["schemas"]["1"]).status_code == 200
    assert client.get(f"{API}/catalogue/nothing", headers=named("auditor")).status_code == 404
    assert client.get(f"{API}/catalogue", headers=named("operator")).status_code == 403
    assert client.get(f"{API}/catalogue").status_code == 401


def test_a_page_for_the_list_and_each_type(client: TestClient) -> None:
    page = client.get("/catalogue?lang=fr", headers=named("auditor")).text
    assert page.count("<li>") == 40
    onward = page.partition('<p><a class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = client.get(onward, headers=named("auditor")).text
    assert page.partition("<code>")[2].partition("</code>")[0] not in second
    assert "<li>" not in client.get("/catalogue?q=zzz&lang=fr", headers=named("auditor")).text
    hostile = client.get('/catalogue?q="><script>alert(1)</script>', headers=named("auditor")).text
    assert "<script>alert" not in hostile
    assert client.get("/catalogue/nothing", headers=named("auditor")).status_code == 404
    for name in TYPES:
        answer = client.get(f"/catalogue/{name}", headers=named("auditor"))
        assert answer.status_code == 200
        assert f"/api/v1/schemas/{name}/1" in answer.text


@pytest.mark.parametrize("type", ["PLAN", "plan_agreed", "x" * 90])
def test_what_no_type_can_be_called_is_told(client: TestClient, type: str) -> None:
    assert client.get(f"{API}/catalogue/{type}", headers=named("auditor")).status_code == 422
