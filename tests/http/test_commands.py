"""Commands over HTTP: each can be said, is done once, and rests on the version that the sender saw."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.base import Command, Role
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import AttachDocument, Dissolve
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.person import RecordPerson
from cycle.aggregates.request import ConfirmRequest
from cycle.aggregates.terms import CommuneCode, DeliberationId
from cycle.commands import COMMANDS, FOUNDING, SELF_NAMED
from cycle.engine import Engine, Said
from cycle.examples import example
from cycle.store import Receipt
from cycle.vault.keys import new_key
from cycle_adapters.http.problems import URN
from cycle_adapters.http.saying import OF_A_FRAMEWORK, SAYABLE
from tests.access.places import DAY, DIORO, FANTA, revoke, two_communes
from tests.engine.path import ENDS, MET
from tests.engine.path import Path as Way
from tests.http.town import API, key, named, sent, served, serving
from tests.people import sayer
from tests.postgres import new_database

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def monitored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """A client, and a framework whose plan is monitored, on each database in turn."""
    folder = tmp_path_factory.mktemp("monitored")
    new_key(folder / "vault.key")
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{folder / 'a.db'}" if sqlite else new_database(request.getfixturevalue("postgres"))
    with Engine(url, vault_key=folder / "vault.key") as engine, served(engine) as client:
        yield client, Way(engine).to(Stage.MONITORING)


@pytest.mark.parametrize("name", SAYABLE)
def test_every_command_can_be_said(monitored: tuple[TestClient, str], name: str) -> None:
    client, framework = monitored
    command = COMMANDS[name]
    headers = key(**named(command.roles[0].value), **({"If-Match": '"0"'} if command.binds else {}))
    body = {"occurred_on": MET.isoformat(), "data": example(command)}
    path = f"{API}/frameworks/{framework}/commands/{name}"
    if name not in OF_A_FRAMEWORK:
        path = f"{API}/commands/{name}"
        body |= {} if name in SELF_NAMED or command in FOUNDING else {"target": "ML-4-01-01"}
    answer = client.post(path, json=body, headers=headers)
    kind = answer.json().get("type", "done").removeprefix(URN)
    # Whatever a rule says of the example, it was read and decided.
    assert kind in ("done", "refused", "version-moved") or (name, kind) == ("begin-accounts", "forbidden"), answer.text


class OverHttp(Way):
    """The way of a framework, each step of it sent."""

    def __init__(self, engine: Engine, client: TestClient) -> None:
        super().__init__(engine)
        self._client = client

    def _execute(self, command: Command, on: date, target: str | None = None) -> Receipt:
        path, body = sent(command, on, target)
        headers = key(**named(sayer(command).actor))
        if command.binds:
            seen = self._client.get(f"{API}/frameworks/{target}", headers=named("auditor"))
            headers["If-Match"] = seen.headers["etag"]
        answer = self._client.post(path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=Receipt)


def test_a_whole_cycle_is_said_over_http(engine: Engine) -> None:
    with served(engine) as client:
        framework = OverHttp(engine, client).to(Stage.SUSPENDED)
        told = client.get(f"{API}/frameworks/{framework}/history?limit=500", headers=named("auditor")).json()["items"]
    assert [fact["event"]["version"] for fact in told] == list(range(1, len(told) + 1))
    assert told[-1]["event"]["type"] == "framework-suspended"


def test_the_same_key_is_done_once_and_told_again(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    with served(engine) as client:
        first = client.post(path, json=body, headers=key("k", **named("fanta")))
        again = client.post(path, json=body, headers=key("k", **named("fanta")))
        other = client.post(path, json=body | {"occurred_on": "2026-02-01"}, headers=key("k", **named("fanta")))
        stranger = client.post(path, json=body, headers=key("k", **named("awa")))
    assert (first.status_code, again.status_code, again.headers["idempotent-replay"]) == (201, 200, "true")
    assert "idempotent-replay" not in first.headers
    assert first.json() == again.json()
    assert first.headers["location"] == f"{API}/frameworks/{dioro}/history"
    assert int(first.headers["cycle-position"]) == first.json()["position"]
    for reused in (other, stranger):
        assert (reused.status_code, reused.json()["type"]) == (409, f"{URN}key-reused")
    assert engine.framework(dioro).version == first.json()["version"]


def test_eight_senders_of_one_command_make_one_event(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    before = engine.store.head().position
    with serving(engine) as address, ThreadPoolExecutor(8) as pool:

        def send(_: int) -> httpx2.Response:
            return httpx2.post(address + path, json=body, headers=key("k", **named("fanta")))

        answers = list(pool.map(send, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert engine.store.head().position == before + 1


def test_who_has_lost_the_right_hears_what_the_first_sending_did(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    with served(engine) as client:
        first = client.post(path, json=body, headers=key("k", **named("fanta")))
        revoke(engine, "fanta")
        again = client.post(path, json=body, headers=key("k", **named("fanta")))
        new = client.post(path, json=body, headers=key("l", **named("fanta")))
    assert (again.status_code, again.json()) == (200, first.json())
    assert new.status_code == 404


def test_a_command_that_is_sent_again_stays_in_its_role(engine: Engine) -> None:
    """Awa holds several roles that may; what was the first one is not any more when she sends it again."""
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    with served(engine) as client:
        first = client.post(path, json=body, headers=key("k", **named("awa")))
        facilitates = [g.id for g in engine.door.now.accounts["awa"].grants.values() if g.role is Role.FACILITATOR]
        revoke(engine, "awa", facilitates[0])
        again = client.post(path, json=body, headers=key("k", **named("awa")))
        new = client.post(path, json=body, headers=key("l", **named("awa")))
    assert (again.status_code, again.json()) == (200, first.json())
    roles = [fact.by.role for fact in engine.states.history(first.json()["stream"])[-2:]]
    assert new.status_code == 201, new.text
    assert roles == [Role.FACILITATOR, Role.COMMITTEE]


def test_a_version_that_was_not_seen_is_not_written_over(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    with served(engine) as client:
        seen = client.get(f"{API}/frameworks/{dioro}", headers=named("fanta")).headers["etag"]
        first = client.post(path, json=body, headers=key("k", **named("fanta"), **{"If-Match": seen}))
        late = client.post(path, json=body, headers=key("l", **named("fanta"), **{"If-Match": seen}))
        again = client.post(path, json=body, headers=key("k", **named("fanta"), **{"If-Match": seen}))
    assert (first.status_code, late.status_code, again.status_code) == (201, 412, 200)
    assert (late.headers["etag"], late.json()["version"]) == (first.headers["etag"], first.json()["version"])


def test_what_binds_says_on_which_version_it_rests(engine: Engine) -> None:
    way = Way(engine)
    dioro = way.to(Stage.NEEDS_IDENTIFICATION)
    decided = DeliberationId(way._adopted("2026-19", "Fin du cadre", ENDS))
    way._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
    path, body = sent(Dissolve(deliberation=decided, reason="Fusion"), ENDS, dioro)
    with served(engine) as client:
        unseen = client.post(path, json=body, headers=key(**named("mayor")))
        seen = client.get(f"{API}/frameworks/{dioro}", headers=named("mayor")).headers["etag"]
        asked = client.post(path, json=body, headers=key(**named("mayor"), **{"If-Match": seen}))
        assert (unseen.status_code, unseen.json()["type"]) == (428, f"{URN}version-needed")
        assert asked.status_code == 202
        assert engine.framework(dioro).stage is not Stage.DISSOLVED
        confirm, said = sent(ConfirmRequest(), ENDS, asked.json()["request"])
        alone = client.post(confirm, json=said, headers=key(**named("mayor")))
        assert [reason["code"] for reason in alone.json()["reasons"]] == ["second-person"]
        both = client.post(confirm, json=said, headers=key(**named("council-secretary")))
    assert both.status_code == 201
    assert engine.framework(dioro).stage is Stage.DISSOLVED


def test_what_is_said_beside_a_command_stands_in_its_fact(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro, on_behalf_of="MB-2", role="facilitator", correlation="chain-1")
    with served(engine) as client:
        answer = client.post(path, json=body, headers=key("k", **named("fanta")))
    fact = engine.states.history(answer.json()["stream"])[-1]
    assert (fact.by.actor, fact.by.role, fact.by.on_behalf_of) == (FANTA.actor, FANTA.role, "MB-2")
    assert (fact.causation, fact.correlation) == ("k", "chain-1")


def test_a_whole_number_is_whole_however_it_is_written(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(PAPER, DAY, dioro)
    body["data"]["bytes"] = 7.0
    with served(engine) as client:
        assert client.post(path, json=body, headers=key(**named("fanta"))).status_code == 201
    assert engine.states.history(f"framework-{dioro}")[-1].data.bytes == 7  # type: ignore[attr-defined,arg-type]


def test_what_is_personal_is_in_no_answer_and_no_log(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    new_key(tmp_path / "vault.key")
    with Engine(sqlite_url, vault_key=tmp_path / "vault.key") as engine, served(engine) as client:
        two_communes(engine)
        caplog.set_level(logging.DEBUG)
        person = RecordPerson(commune=CommuneCode(DIORO), name="Aminata Traoré", telephone="+223 70 11 22 33")
        path, body = sent(person, DAY)
        wrong = {**body, "data": {**body["data"], "telephone": "au marché +223 70 11 22 33"}}
        answers = [client.post(path, json=each, headers=key(**named("facilitator"))) for each in (body, wrong)]
    assert [answer.status_code for answer in answers] == [201, 422]
    assert answers[1].json()["errors"][0]["field"] == "/data/telephone"
    said = "".join(answer.text for answer in answers) + caplog.text
    assert "Aminata" not in said
    assert "70 11 22 33" not in said


def test_what_takes_two_rests_on_what_there_is_now_whoever_wrote_it(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, Engine(sqlite_url) as elsewhere, served(engine) as client:
        way = Way(engine)
        dioro = way.to(Stage.NEEDS_IDENTIFICATION)
        decided = DeliberationId(way._adopted("2026-19", "Fin du cadre", ENDS))
        way._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
        seen = client.get(f"{API}/frameworks/{dioro}", headers=named("mayor")).headers["etag"]
        elsewhere.execute(Said(command=PAPER, by=sayer(PAPER), on=ENDS, target=dioro))
        path, body = sent(Dissolve(deliberation=decided, reason="Fusion"), ENDS, dioro)
        late = client.post(path, json=body, headers=key(**named("mayor"), **{"If-Match": seen}))
    assert (late.status_code, late.json()["type"]) == (412, f"{URN}version-moved")
