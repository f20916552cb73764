"""How much one may ask for, and from where: bodies, rates, and pages of other sites."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient

from cycle.engine import Engine
from cycle_adapters.http.limits import BODY_BYTES, REMEMBERED, Buckets, Limits, Rate
from cycle_adapters.http.problems import URN
from tests.access.places import two_communes
from tests.http.town import API, WIDE, key, named, served, serving


@pytest.fixture
def client(sqlite_url: str) -> Iterator[TestClient]:
    with Engine(sqlite_url) as engine, served(engine) as client:
        two_communes(engine)
        yield client


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_up_with_time_and_holds_no_more_than_a_burst() -> None:
    clock = Clock()
    bucket = Buckets(Rate(2, 3), clock)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 1]
    assert bucket.take("b") == 0
    clock.now = 0.5
    assert [bucket.take("a"), bucket.take("a")] == [0, 1]
    clock.now = 1000
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 1]


def test_whoever_waits_as_long_as_he_is_told_is_let_through() -> None:
    clock = Clock()
    bucket = Buckets(Rate(0.1, 1), clock)
    bucket.take("a")
    clock.now = bucket.take("a")
    assert clock.now == 10
    assert bucket.take("a") == 0


def test_many_senders_do_not_fill_the_memory() -> None:
    clock = Clock()
    bucket = Buckets(Rate(1, 1), clock)
    for name in range(3 * REMEMBERED):
        bucket.take(str(name))
    assert len(bucket._left) <= REMEMBERED
    assert bucket.take(str(3 * REMEMBERED - 1)) > 0


def test_an_address_may_ask_for_so_much_whoever_calls(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, served(engine, limits=Limits(Rate(100, 100), Rate(1e-6, 2))) as client:
        two_communes(engine)
        answers = [client.get(f"{API}/communes", headers=named(who)) for who in ("fanta", "awa", "mayor")]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        # What came back while the three were answered is little of that.
        assert 900_000 < int(answers[2].headers["retry-after"]) <= 1_000_000


def test_a_body_that_says_nothing_of_its_length_is_measured(sqlite_url: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    with Engine(sqlite_url) as engine, serving(engine) as address:
        two_communes(engine)
        headers = key(**named("awa"), **{"Content-Type": "application/json"})
        answer = httpx2.post(f"{address}{API}/commands/add-alias", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, f"{URN}too-large")


COOKIE = {"Cookie": "__Host-cycle=x"}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "same-origin"} | COOKIE, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"} | COOKIE, True),
        (COOKIE, False),
        ({"Origin": "null"} | COOKIE, False),
        ({"Origin": "https://testserver.evil.example"} | COOKIE, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"} | COOKIE, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"} | COOKIE, False),
    ],
)
def test_no_page_of_another_site_changes_anything(client: TestClient, headers: dict[str, str], passes: bool) -> None:
    answer = client.post(f"{API}/commands/add-alias", json={}, headers=key(**named("awa"), **headers))
    assert (answer.json()["type"] == f"{URN}cross-origin") is not passes
    assert client.get(f"{API}/plans", headers=named("awa", **headers)).status_code == 200


def test_few_may_wait_for_a_position_at_the_same_time(sqlite_url: str) -> None:
    limits = Limits(WIDE.account, WIDE.address, waiting=0, wait_seconds=3600)
    with Engine(sqlite_url) as engine, served(engine, limits=limits) as client:
        two_communes(engine)
        answer = client.get(f"{API}/plans?min_position=100000", headers=named("awa"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
