"""What is served: every page has its JSON, in both languages, and nothing changes by looking."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient

from cycle.demo import Simulated
from cycle.engine import Engine
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.http.reading import ROUTES
from tests.http.town import served


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("http") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=3, cycles=1)
    return path


@pytest.fixture
def client(told: Path, tmp_path: Path) -> Iterator[TestClient]:
    copyfile(told, tmp_path / "a.db")
    with Engine(f"sqlite:///{tmp_path / 'a.db'}") as engine, served(engine, "operator") as client:
        yield client


@pytest.mark.parametrize(("language", "words"), [("fr", "Cadres de concertation"), ("en", "Frameworks")])
def test_the_frameworks_are_listed_in_both_languages(client: TestClient, language: str, words: str) -> None:
    page = client.get(f"/?lang={language}")
    assert page.status_code == 200
    assert f"<h1>{words}</h1>" in page.text
    assert "Dioro" in page.text
    assert f'<html lang="{language}" data-account="operator">' in page.text


def test_a_framework_and_its_history_tell_what_is_recorded(client: TestClient) -> None:
    identity = client.get("/api/v1/frameworks?commune=Dioro").json()["items"][0]["framework"]
    page = client.get(f"/frameworks/{identity}").text
    assert "À appeler" in page or "par\u00a0: " in page
    history = client.get(f"/frameworks/{identity}/history").text
    assert "Un cadre de concertation est proposé" in history
    assert "wocat-pact-1, article" in history
    told = client.get(f"/api/v1/frameworks/{identity}/history").json()["items"]
    assert [fact["event"]["version"] for fact in told] == list(range(1, len(told) + 1))
    known = client.get(f"/api/v1/frameworks/{identity}/history?at={told[3]['position']}").json()["items"]
    assert len(known) == 4
    options = client.get(f"/api/v1/frameworks/{identity}/next").json()["options"]
    assert {"command", "allowed", "reasons"} <= set(options[0])


@pytest.mark.parametrize("route", ROUTES)
def test_a_projection_has_its_json_and_the_position_that_it_reflects(client: TestClient, route: str) -> None:
    answer = client.get(f"/api/v1/{route}", params={"commune": "dioro"})
    assert answer.status_code == 200
    assert isinstance(answer.json()["items"], list)
    assert int(answer.headers["Cycle-Position"]) > 0


@pytest.mark.parametrize("path", ["/api/v1/frameworks/nowhere", "/api/v1/nowhere", "/api/v1/plans?commune=nowhere"])
def test_what_is_not_there_is_a_problem_without_internals(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_page_that_is_not_there_says_so_to_people(client: TestClient) -> None:
    for path in ("/frameworks/nowhere", "/nowhere"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert "Il n'y a rien ici" in html.unescape(answer.text)
    assert "There is nothing here" in client.get("/nowhere?lang=en").text


def test_what_cannot_be_read_is_a_problem_in_the_language_asked_for(client: TestClient) -> None:
    answer = client.get("/api/v1/plans?as_of=yesterday")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].translate({0xA0: " "}) == "La demande n'est pas lisible : as_of"
    english = client.get("/api/v1/plans?as_of=yesterday", headers={"Accept-Language": "en-GB"})
    assert english.json()["detail"] == "The request cannot be read: as_of"


@pytest.mark.parametrize("path", ["/", "/api/v1/frameworks"])
def test_head_is_get_without_its_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_one_framework_can_be_seen_as_it_was(client: TestClient) -> None:
    now = client.get("/api/v1/frameworks?commune=Dioro").json()["items"][0]
    then = client.get(f"/api/v1/frameworks/{now['framework']}?as_of=2023-02-15").json()
    assert then["framework"] == now["framework"]
    assert then != now
    assert client.get(f"/api/v1/frameworks/{now['framework']}").json() == now


def test_a_framework_page_leads_with_what_is_late_and_the_moves(client: TestClient) -> None:
    for row in client.get("/api/v1/frameworks").json()["items"]:
        page = html.unescape(client.get(f"/frameworks/{row['framework']}").text)
        first = page.partition("<summary>À tout moment")[0]
        assert "Reprendre les suites de la délibération" not in first
        assert any(words in first for words in ("pour changer d'étape", "Ce qui manque", "Plus rien"))
        # A member's number never stands alone where somebody is to be called.
        for line in re.findall(r"À appeler\s?: [^<]*", page):
            assert "MB-" not in re.sub(r"\(MB-\d+\)", "", line)


@pytest.mark.parametrize("path", ["/", "/api/v1/frameworks", "/api/v1/openapi.json"])
def test_what_only_shows_changes_nothing(client: TestClient, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_pages_carry_our_own_script_alone(client: TestClient) -> None:
    page = client.get("/")
    assert page.text.count("<script") == page.text.count('<script type="module" src="/script/') == 1
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client.get("/style.css").headers["content-type"].startswith("text/css")
