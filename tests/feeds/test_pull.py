"""The pull feed over HTTP: a page of the log, where it goes on, who may, and how long one may wait for more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import httpx2
import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as Accepted
from fastapi import FastAPI
from fastapi.testclient import TestClient
from msgspec.structs import replace

from cycle.aggregates.framework.setup import PrioritiseSectors
from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from cycle_adapters.http.following import Feeds
from cycle_adapters.http.limits import Following
from cycle_adapters.http.problems import URN
from tests.access.places import DIORO, KOULA, say
from tests.feeds.test_feed import Town
from tests.http.sealed import seal
from tests.http.town import API, WIDE, Named, listening, named, rooms, served

MORE = PrioritiseSectors(sectors=("rice", "fish"))
AUDITOR = named("auditor")


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with Engine(sqlite_url) as engine:
        yield Town(engine)


@pytest.fixture
def client(town: Town) -> Iterator[TestClient]:
    with served(town.engine) as client:
        yield client


def asked(client: TestClient, who: str = "auditor", **more: object) -> Any:
    answer = client.get(f"{API}/events", params=more, headers=named(who))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_following_next_gives_the_whole_log(client: TestClient, town: Town) -> None:
    found, path = [], f"{API}/events?limit=20"
    while len(found) < len(town.log):
        answer = client.get(path, headers=AUDITOR)
        batch = answer.json()
        assert batch["from"] == len(found) + 1
        assert (batch["next"], batch["count"]) == (batch["to"], len(batch["events"]))
        assert (batch["head"], answer.headers["Cycle-Position"]) == (len(town.log), str(len(town.log)))
        found += batch["events"]
        path = answer.headers["Link"].partition(">")[0].removeprefix("<")
    assert [event["id"] for event in found] == [msgspec.json.decode(row.leaf)["id"] for row in town.log]
    assert [int(event["globalposition"]) for event in found] == [row.position for row in town.log]
    end = client.get(path, headers=AUDITOR).json()
    assert (end["events"], end["count"], end["next"]) == ([], 0, len(town.log))


def test_each_event_is_taken_by_the_sdk(client: TestClient) -> None:
    for event in asked(client, limit=500)["events"]:
        assert JSONFormat().read(Accepted, msgspec.json.encode(event)).get_specversion() == "1.0"


def test_filters_and_rights_pass_over_what_is_not_shown(client: TestClient, town: Town) -> None:
    own = [row.position for row in town.log if row.log == DIORO]
    of_fanta = asked(client, "fanta", limit=500)
    assert [int(event["globalposition"]) for event in of_fanta["events"]] == own
    assert of_fanta["passed_over"] == len(town.log) - len(own)
    assert [part["log"] for part in of_fanta["logs"]] == [DIORO]
    assert KOULA not in msgspec.json.encode(of_fanta).decode()
    for more in ({"commune": "dioro"}, {"region": "Ségou"}, {"framework": town.dioro, "type": "framework-proposed"}):
        assert asked(client, "fanta", **more)["count"] == len(own) - ("framework" in more)
    both = asked(client, type=["framework-proposed", "commune-registered"], limit=500)
    assert {event["type"] for event in both["events"]} == {
        "org.cycle.framework-proposed.v1", "org.cycle.commune-registered.v1",
    }  # fmt: skip


def test_a_batch_names_what_is_sealed_of_its_logs(client: TestClient, town: Town) -> None:
    assert {part["sealed"] for part in asked(client, limit=500)["logs"]} == {None}
    seal(town.engine)
    with served(town.engine) as again:
        parts = asked(again, limit=500)["logs"]
        for part in parts:
            assert part["sealed"]["size"] == part["to"] + 1 == part["count"]
            note = again.get(f"{API}/logs/{part['log']}/checkpoint", headers=AUDITOR).text
            assert str(part["sealed"]["size"]) == note.splitlines()[1]


@pytest.mark.parametrize(
    ("more", "status", "problem"),
    [
        ({"after": 10_000}, 409, "ahead-of-log"),
        ({"after": 2**53 - 1}, 409, "ahead-of-log"),
        ({"after": -1}, 422, "invalid"),
        ({"limit": 0}, 422, "invalid"),
        ({"limit": 1001}, 422, "invalid"),
        ({"wait": 31}, 422, "invalid"),
        ({"type": "plan-agred"}, 422, "invalid"),
        ({"commune": "Nulle-Part"}, 404, "not-found"),
        ({"framework": "x" * 30}, 404, "not-found"),
    ],
)
def test_what_cannot_be_answered_is_told(client: TestClient, more: Any, status: int, problem: str) -> None:
    for path in ("events", "events/stream"):
        if path == "events/stream" and ("limit" in more or "wait" in more):
            continue
        answer = client.get(f"{API}/{path}", params=more, headers=AUDITOR)
        assert (answer.status_code, answer.json()["type"]) == (status, URN + problem)
        if problem == "invalid":
            assert [error["field"] for error in answer.json()["errors"]] == list(more)


def test_whoever_has_seen_what_was_never_there_is_told(client: TestClient) -> None:
    headers = {**AUDITOR, "Last-Event-ID": "9" * 20}
    answer = client.get(f"{API}/events/stream", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{URN}ahead-of-log")


@pytest.mark.parametrize("path", ["events", "events/stream"])
def test_whoever_may_not_is_told_so(client: TestClient, path: str) -> None:
    assert client.get(f"{API}/{path}").status_code == 401
    assert client.get(f"{API}/{path}", headers=named("auditor", Scope="plans")).status_code == 403
    assert client.get(f"{API}/{path}", headers=named("auditor", Scope="events")).status_code == 200
    assert client.get(f"{API}/{path}", headers=named("operator")).status_code == 403
    assert client.get(f"{API}/{path}?commune={KOULA}", headers=named("fanta")).status_code == 404


@pytest.fixture
def app(town: Town) -> FastAPI:
    limits = replace(WIDE, following=Following(each=1))
    return make_app(town.engine, Named(town.engine), rooms(town.engine), limits)


class Waiting:
    """Somebody whose request waits at a server."""

    def __init__(self, app: FastAPI, address: str, pool: ThreadPoolExecutor, who: str, after: int, **more: str) -> None:
        url, parameters = f"{address}{API}/events", {"after": str(after), "wait": "30", **more}
        self._answer: Future[Any] = pool.submit(
            lambda: httpx2.get(url, params=parameters, headers=named(who), timeout=60)
        )
        feeds: Feeds = app.state.feeds
        while who not in feeds._following:
            assert not self._answer.done()
            sleep(0)

    def answer(self) -> Any:
        return self._answer.result(60).json()


def test_whoever_waits_gets_the_next_event_as_soon_as_it_is_recorded(town: Town, app: FastAPI) -> None:
    head = len(town.log)
    with listening(app) as address, ThreadPoolExecutor(2) as pool:
        all_, own = Waiting(app, address, pool, "auditor", head), Waiting(app, address, pool, "fanta", head)
        say(town.engine, MORE, town.koula)
        batch = all_.answer()
        assert [(event["type"], batch["from"]) for event in batch["events"]] == [
            ("org.cycle.sectors-prioritised.v1", head + 1)
        ]
        # What is recorded elsewhere does not end the waiting of whoever may not read it.
        say(town.engine, MORE, town.dioro)
        batch = own.answer()
    assert (batch["from"], batch["to"], batch["count"], batch["passed_over"]) == (head + 1, head + 2, 1, 1)


def test_whoever_waits_in_vain_is_told_how_far_the_log_went(client: TestClient, town: Town) -> None:
    batch = asked(client, "fanta", after=10, wait=1, type="plan-agreed")
    assert (batch["from"], batch["to"], batch["count"]) == (11, len(town.log), 0)
    assert batch["passed_over"] == len(town.log) - 10


def test_no_more_wait_than_there_is_room_for(town: Town, app: FastAPI) -> None:
    head = len(town.log)
    with listening(app) as address, ThreadPoolExecutor(1) as pool:
        first = Waiting(app, address, pool, "auditor", head)
        for path in (f"events?after={head}&wait=30", f"events/stream?after={head}"):
            second = httpx2.get(f"{address}{API}/{path}", headers=AUDITOR, timeout=60)
            assert (second.status_code, second.json()["type"]) == (429, f"{URN}too-many-requests")
            assert second.headers["Retry-After"] == "5"
        say(town.engine, MORE, town.dioro)
        assert first.answer()["count"] == 1
        assert httpx2.get(f"{address}{API}/events?after={head + 1}&wait=1", headers=AUDITOR).status_code == 200


def test_whoever_waits_is_answered_when_the_server_stops(town: Town, app: FastAPI) -> None:
    with listening(app) as address, ThreadPoolExecutor(1) as pool:
        waiting = Waiting(app, address, pool, "auditor", len(town.log))
        app.state.feeds.tail.end()
        assert waiting.answer()["count"] == 0
