"""Webhooks over HTTP: registered, seen, replayed by whom they belong to; unknown to everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.base import Role
from cycle_adapters.http.problems import URN
from tests.http.town import API, key, named, served
from tests.people import admit
from tests.webhooks.town import DHIS, Town

HOOKS = f"{API}/webhooks"


@pytest.fixture
def client(town: Town) -> Iterator[TestClient]:
    with served(town.engine) as found:
        yield found


def register(client: TestClient, town: Town, given: str | None = None, **body: Any) -> Any:
    sent = {"url": town.receiver.url, "types": ["document-attached"], **body}
    return client.post(HOOKS, json=sent, headers=named(DHIS, **key(given)))


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(URN)


def test_it_is_registered_and_its_secret_verifies_what_comes(client: TestClient, town: Town) -> None:
    answer = register(client, town)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"{HOOKS}/{made['webhook']}"
    [position] = town.happens(town.dioro)
    town.rounds()
    assert town.receiver.positions == [position]
    assert town.receiver.sent[0].signed_by(made["secret"])
    [listed] = client.get(HOOKS, headers=named(DHIS)).json()["items"]
    assert (listed["webhook"], listed["deliveries"]["delivered"]) == (made["webhook"], 1)
    assert "secret" not in listed
    assert client.get(answer.headers["location"], headers=named(DHIS)).json() == listed


def test_sent_again_with_its_key_it_is_the_same_webhook_and_secret(client: TestClient, town: Town) -> None:
    first = register(client, town, "k-1")
    town.happens(town.dioro)
    again = register(client, town, "k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert problem(register(client, town, "k-1", types=[])) == (409, "key-reused")


def test_who_is_killed_between_fact_and_secret_gets_it_when_it_is_sent_again(client: TestClient, town: Town) -> None:
    first = register(client, town, "k-1").json()
    town.webhooks.store.forget(first["webhook"])
    again = register(client, town, "k-1").json()
    assert again["webhook"] == first["webhook"]
    town.happens(town.dioro)
    town.rounds()
    assert town.receiver.sent[0].signed_by(again["secret"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.org/"}, "/url"),
        ({"url": "https://user:word@example.org/"}, "/url"),
        ({"url": "https://example.org/#part"}, "/url"),
        ({"types": ["Plan Agreed"]}, "/types"),
        ({"after": -1}, "/after"),
        ({"territory": ""}, "/territory"),
        ({"owner": "awa"}, "/owner"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(
    client: TestClient, town: Town, body: dict[str, Any], field: str
) -> None:
    answer = register(client, town, **body)
    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_what_is_no_json_or_has_no_key_is_told(client: TestClient, town: Town) -> None:
    headers = named(DHIS, **key(), **{"Content-Type": "application/json"})
    assert problem(client.post(HOOKS, content=b"{", headers=headers)) == (400, "bad-json")
    answer = client.post(HOOKS, json={"url": town.receiver.url}, headers=named(DHIS))
    assert problem(answer) == (400, "idempotency-key-missing")


def test_without_tls_it_is_refused_where_no_network_of_the_house_is_named(
    client: TestClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CYCLE_WEBHOOK_NETWORKS")
    answer = register(client, town)
    assert problem(answer) == (422, "refused")
    assert answer.json()["reasons"][0]["code"] == "webhook-without-tls"
    assert register(client, town, url="https://example.org/hook").status_code == 201


def test_nobody_registers_what_he_has_no_role_for_there(client: TestClient, town: Town) -> None:
    admit(town.engine, ("sigui", Role.INTEGRATOR, "ML/Ségou"))
    body = {"url": town.receiver.url}
    assert problem(client.post(HOOKS, json=body, headers=named("sigui", **key())))[1] in ("forbidden", "not-found")
    answer = client.post(HOOKS, json={**body, "territory": "ML/Ségou"}, headers=named("sigui", **key()))
    assert answer.status_code == 201
    assert problem(client.post(HOOKS, json=body, headers=named("auditor", **key()))) == (403, "forbidden")
    assert problem(client.post(HOOKS, json=body, headers=key())) == (401, "sign-in-needed")


def test_a_token_does_what_it_is_for(client: TestClient, town: Town) -> None:
    listing = named(DHIS, Scope="list-webhooks")
    assert client.get(HOOKS, headers=listing).status_code == 200
    answer = client.post(HOOKS, json={"url": town.receiver.url}, headers={**listing, **key()})
    assert problem(answer) == (403, "out-of-scope")


def test_webhooks_of_others_are_unknown_but_to_who_administers_or_audits_there(client: TestClient, town: Town) -> None:
    made = register(client, town).json()["webhook"]
    admit(town.engine, ("sigui", Role.INTEGRATOR, "/"), ("kadi", Role.ADMINISTRATOR, "ML/Ségou"))
    for stranger in ("sigui", "kadi"):
        assert client.get(HOOKS, headers=named(stranger)).json() == {"items": []}
        for path in (made, f"{made}/deliveries"):
            answer = client.get(f"{HOOKS}/{path}", headers=named(stranger))
            assert problem(answer) == (404, "not-found")
            assert "/api/v1/webhooks" in answer.json()["detail"]
        for path in ("rotate", "replay"):
            answer = client.post(f"{HOOKS}/{made}/{path}", json={"after": 0}, headers=named(stranger, **key()))
            assert problem(answer)[0] in (404, 422)
    for sees in ("auditor", "administrator"):
        assert client.get(f"{HOOKS}/{made}", headers=named(sees)).status_code == 200
    assert problem(client.get(HOOKS, headers=named("mayor"))) == (403, "forbidden")


def test_a_secret_is_changed_and_the_new_one_answered(client: TestClient, town: Town) -> None:
    first = register(client, town).json()
    path = f"{HOOKS}/{first['webhook']}/rotate"
    second = client.post(path, json={"overlap_hours": 0}, headers=named(DHIS, **key()))
    assert second.status_code == 201
    town.happens(town.dioro)
    town.rounds()
    assert town.receiver.sent[0].signed_by(second.json()["secret"])
    assert problem(client.post(path, json={"overlap_hours": 200}, headers=named(DHIS, **key()))) == (422, "invalid")
    auditor = client.post(path, json={}, headers=named("auditor", **key()))
    assert problem(auditor) == (403, "forbidden")


def test_what_was_sent_is_listed_page_by_page_and_sent_again(client: TestClient, town: Town) -> None:
    made = register(client, town).json()["webhook"]
    positions = town.happens(town.dioro, 3)
    town.rounds()
    path = f"{HOOKS}/{made}/deliveries"
    page = client.get(path, params={"limit": 2}, headers=named(DHIS)).json()
    rest = client.get(path, params={"limit": 2, "before": page["next"]}, headers=named(DHIS)).json()
    assert [each["position"] for each in (*page["items"], *rest["items"])] == positions[::-1]
    assert rest["next"] is None
    assert {each["answers"][0]["answer"] for each in page["items"]} == {"200"}
    assert client.get(path, params={"stage": "parked"}, headers=named(DHIS)).json()["items"] == []
    assert problem(client.get(path, params={"stage": "x"}, headers=named(DHIS))) == (422, "invalid")
    town.receiver.forget()
    again = f"{HOOKS}/{made}/replay"
    for body, expected in (
        ({"event": rest["items"][0]["event"]}, positions[:1]),
        ({"after": positions[0], "up_to": positions[1]}, positions[1:2]),
        ({"after": positions[0]}, positions[1:]),
    ):
        assert client.post(again, json=body, headers=named(DHIS, **key())).status_code == 201
        town.rounds()
        assert town.receiver.positions == expected
        town.receiver.forget()


@pytest.mark.parametrize("body", [{}, [], {"up_to": 3}, {"after": 1, "stop": True}, {"event": "e", "after": 1}])
def test_a_replay_says_one_thing(client: TestClient, town: Town, body: dict[str, Any]) -> None:
    made = register(client, town).json()["webhook"]
    answer = client.post(f"{HOOKS}/{made}/replay", json=body, headers=named(DHIS, **key()))
    assert problem(answer) == (422, "invalid")


def test_the_largest_position_may_be_written_as_any_whole_number_of_json(client: TestClient, town: Town) -> None:
    """It once was refused with a point, though not without one."""
    made = register(client, town).json()["webhook"]
    for written, once in (("9007199254740991", "k-1"), ("9007199254740991.0", "k-1"), ("9007199254740991e0", "k-2")):
        headers = named(DHIS, **key(once, **{"Content-Type": "application/json"}))
        answer = client.post(f"{HOOKS}/{made}/replay", content=f'{{"after": {written}}}', headers=headers)
        # The same key: what was said is the same, however it was written.
        assert answer.status_code == (200 if written.endswith(".0") else 201)
    beyond = client.post(f"{HOOKS}/{made}/replay", content='{"after": 9007199254740992.0}', headers=headers)
    assert problem(beyond) == (422, "invalid")


def test_an_event_that_nobody_remembers_is_not_found_and_a_replay_that_is_none_is_refused(
    client: TestClient, town: Town
) -> None:
    made = register(client, town).json()["webhook"]
    path = f"{HOOKS}/{made}/replay"
    assert problem(client.post(path, json={"event": "e-1"}, headers=named(DHIS, **key()))) == (404, "not-found")
    nothing = client.post(path, json={"after": 3, "up_to": 3}, headers=named(DHIS, **key()))
    assert problem(nothing) == (422, "refused")
    assert nothing.json()["reasons"][0]["code"] == "subscription-nothing-between"


def test_the_rest_is_said_as_every_command_is(client: TestClient, town: Town) -> None:
    made = register(client, town).json()["webhook"]
    body = {"occurred_on": town.engine.today().isoformat(), "target": made, "data": {"reason": "Entretien"}}
    answer = client.post(f"{API}/commands/pause-webhook", json=body, headers=named(DHIS, **key()))
    assert answer.status_code == 201
    assert client.get(f"{HOOKS}/{made}", headers=named(DHIS)).json()["stage"] == "paused"
    for name in ("register-webhook", "rotate-webhook-secret"):
        answer = client.post(f"{API}/commands/{name}", json=body, headers=named(DHIS, **key()))
        assert problem(answer) == (404, "unknown-command")


def test_without_the_key_of_the_vault_nothing_is_recorded(town: Town) -> None:
    bare = Town(town.url, None, town.receiver)
    head = bare.engine.store.head()
    with served(bare.engine) as client:
        assert problem(register(client, bare)) == (503, "no-secret-here")
    assert bare.engine.store.head() == head
    bare.close()


def test_a_replay_is_counted_before_it_is_said(client: TestClient, town: Town) -> None:
    made = register(client, town).json()["webhook"]
    positions = town.happens(town.dioro, 3)
    town.rounds()
    path, head = f"{HOOKS}/{made}/replay-count", town.engine.store.head()
    found = client.get(path, params={"after": positions[0] - 1}, headers=named(DHIS)).json()
    assert (found["again"], found["first"], found["skipped"], found["more"]) == (3, 0, 0, False)
    assert found["types"] == [{"name": "document-attached", "events": 3}]
    stretch = {"after": positions[0] - 1, "up_to": positions[1]}
    assert client.get(path, params=stretch, headers=named("auditor")).json()["again"] == 2
    assert town.engine.store.head() == head, "nothing is recorded"
    assert problem(client.get(path, headers=named(DHIS))) == (422, "invalid")
    assert problem(client.get(path, params={"after": -1}, headers=named(DHIS))) == (422, "invalid")
    unknown = client.get(f"{HOOKS}/x/replay-count", params={"after": 0}, headers=named(DHIS))
    assert problem(unknown) == (404, "not-found")
    assert problem(client.get(path, params={"after": 0}, headers=named("mayor"))) == (403, "forbidden")
