"""A program signs in for a person by JSON, asks who it is, and signs out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cycle_adapters.http.signing_in import LOCAL
from tests.http.browser import Browser, browsing
from tests.identity.house import FANTA, KADI, OUSMANE, PASSWORD, House

SESSION = "/api/v1/session"


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    with browsing(house) as found:
        yield found


def posts(browser: Browser, **said: Any) -> Any:
    return browser.client.post(SESSION, json=said, headers={"Origin": browser.address})


def kind(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:cycle:problem:")


def test_who_signs_in_is_told_who_he_is_and_signs_out(house: House, browser: Browser) -> None:
    house.with_password()
    assert kind(browser.open(SESSION)) == (401, "sign-in-needed")
    begun = posts(browser, account=OUSMANE, password=PASSWORD)
    assert begun.status_code == 201
    assert begun.headers["cache-control"] == "no-store"
    grant = {"role": "evaluator", "territory": "/", "since": "2020-01-01", "until": None}
    assert begun.json() == browser.open(SESSION).json() == {"account": OUSMANE, "scope": None, "grants": [grant]}
    assert browser.open("/api/v1/plans").status_code == 200
    ended = browser.client.delete(SESSION, headers={"Origin": browser.address})
    assert (ended.status_code, ended.content) == (204, b"")
    assert LOCAL not in browser.cookies
    assert browser.open("/api/v1/plans").status_code == 401


def test_a_second_factor_is_sent_along(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    assert kind(posts(browser, account=FANTA, password=PASSWORD)) == (403, "second-factor-to-set-up")
    _, codes, secret = house.sets_up()
    house.later(60)
    assert kind(posts(browser, account=FANTA, password=PASSWORD)) == (403, "second-factor-needed")
    assert kind(posts(browser, account=FANTA, password=PASSWORD, code="000000")) == (403, "wrong-credential")
    assert LOCAL not in browser.cookies
    assert posts(browser, account=FANTA, password=PASSWORD, code=house.code(secret)).status_code == 201
    assert posts(browser, account=FANTA, password=PASSWORD, code=codes[0]).status_code == 201


def test_what_is_refused_is_a_problem_that_quotes_nothing(house: House, browser: Browser) -> None:
    answers = [posts(browser, account=name, password="le mot de passe") for name in (OUSMANE, "personne")]
    assert [kind(answer) for answer in answers] == [(403, "wrong-credential")] * 2
    assert answers[0].json() == answers[1].json()
    for said in ({"account": KADI}, {"account": KADI, "password": "le mot de passe", "more": 1}, [], 7):
        answer = browser.client.post(SESSION, json=said, headers={"Origin": browser.address})
        assert kind(answer) == (400, "bad-json")
        assert "le mot de passe" not in answer.text
    form = browser.client.post(SESSION, content=b"account=a", headers={"Origin": browser.address})
    assert kind(form) == (415, "media-type")
    for _ in range(5):
        posts(browser, account="x", password="le mot de passe")
    waits = posts(browser, account="x", password="le mot de passe")
    assert kind(waits) == (429, "too-many-requests")
    assert int(waits.headers["retry-after"]) >= 1


def test_where_no_key_is_a_code_cannot_be_looked_at(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    _, codes, _ = house.sets_up()
    bare = House(house.url, None)
    bare.now = house.now
    with browsing(bare) as other:
        assert kind(posts(other, account=FANTA, password=PASSWORD, code=codes[0])) == (503, "no-second-factor-here")
    with browsing(bare, address="http://cycle.example.ml") as other:
        assert kind(posts(other, account=FANTA, password=PASSWORD)) == (400, "bad-form")
    bare.engine.close()


def test_another_site_signs_nobody_in_or_out(house: House, browser: Browser) -> None:
    house.with_password()
    said = {"account": OUSMANE, "password": PASSWORD}
    elsewhere = {"Origin": "https://evil.example"}
    assert kind(browser.client.post(SESSION, json=said, headers=elsewhere)) == (403, "cross-origin")
    posts(browser, **said)
    assert kind(browser.client.delete(SESSION, headers=elsewhere)) == (403, "cross-origin")
    assert browser.open("/api/v1/plans").status_code == 200


def test_the_contract_names_what_is_answered(browser: Browser) -> None:
    paths = browser.open("/api/v1/openapi.json").json()["paths"]
    assert set(paths[SESSION]) == {"post", "get", "delete"}
    assert {"201", "400", "403", "415", "429"} <= set(paths[SESSION]["post"]["responses"])
    assert not any("set-password" in path or "issue-token" in path for path in paths)


def test_what_is_half_of_something_is_no_command_over_http(house: House, browser: Browser) -> None:
    house.with_password()
    posts(browser, account=OUSMANE, password=PASSWORD)
    body = {"occurred_on": "2026-03-02", "data": {}, "target": OUSMANE}
    headers = {"Origin": browser.address, "Idempotency-Key": "k"}
    answer = browser.client.post("/api/v1/commands/set-password", json=body, headers=headers)
    assert kind(answer) == (404, "unknown-command")
