"""Consumer groups over HTTP: workers take and settle, others watch, strangers hear of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.base import Role
from cycle_adapters.http.limits import Following, Limits
from cycle_adapters.http.problems import URN
from tests.groups.town import SECONDS, Town
from tests.http.town import API, key, named, served
from tests.people import admit
from tests.webhooks.town import DHIS

GROUPS = f"{API}/groups"


@pytest.fixture
def client(town: Town) -> Iterator[TestClient]:
    with served(town.engine) as found:
        found.app.state.leasing = town.leasing  # type: ignore[attr-defined] - by the town's clock
        yield found


def register(client: TestClient, given: str | None = None, who: str = DHIS, **body: Any) -> Any:
    sent = {"name": "warehouse", "types": ["document-attached"], **body}
    return client.post(GROUPS, json=sent, headers=named(who, **key(given)))


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(URN)


class Worker:
    """A worker of one group."""

    def __init__(self, client: TestClient, group: str, member: str = "one", who: str = DHIS) -> None:
        self.client, self.path, self.member, self.headers = client, f"{GROUPS}/{group}", member, named(who)

    def lease(self, **body: Any) -> Any:
        return self.client.post(f"{self.path}/lease", json={"member": self.member, **body}, headers=self.headers)

    def settle(self, lease: object, way: str, **body: Any) -> Any:
        return self.client.post(f"{self.path}/leases/{lease}/{way}", json=body, headers=self.headers)


@pytest.fixture
def worker(client: TestClient, town: Town) -> Worker:
    town.group = register(client).json()["group"]
    return Worker(client, town.group)


def test_it_is_registered_once_with_its_key(client: TestClient, town: Town) -> None:
    first = register(client, "k-1")
    town.happens(town.dioro)
    again = register(client, "k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.headers["location"] == f"{GROUPS}/{first.json()['group']}"
    assert problem(register(client, "k-1", types=[])) == (409, "key-reused")


def test_events_come_as_they_come_everywhere_with_their_attempts_beside(worker: Worker, town: Town) -> None:
    [position] = town.happens(town.dioro)
    answer = worker.lease()
    assert answer.status_code == 200
    told = answer.json()
    page = worker.client.get(f"{API}/events", params={"after": position - 1}, headers=worker.headers).json()
    assert told["events"] == page["events"]
    assert told["attempts"] == {told["events"][0]["id"]: 1}
    assert (told["head"], told["withheld"]) == (position, 0)
    done = worker.settle(told["lease"], "ack")
    assert (done.status_code, done.json()) == (200, {"lease": told["lease"], "left": 0})
    nothing = worker.lease().json()
    assert (nothing["lease"], nothing["until"], nothing["events"]) == (None, None, [])


def test_each_way_to_settle_answers_with_what_is_left(worker: Worker, town: Town) -> None:
    happened = town.happens(town.dioro, 4)
    told = worker.lease().json()
    lease, ids = told["lease"], [each["id"] for each in told["events"]]
    assert worker.settle(lease, "ack", events=ids[:1]).json()["left"] == 3
    assert worker.settle(lease, "ack", up_to=happened[1]).json()["left"] == 2
    assert worker.settle(lease, "extend", seconds=600).json()["left"] == 2
    assert worker.settle(lease, "nack", events=ids[3:], delay=0, reason="Plein").json()["left"] == 1
    assert worker.settle(lease, "park", events=ids[2:3], reason="Illisible").json()["left"] == 0
    seen = worker.client.get(worker.path, headers=worker.headers).json()
    assert seen["parked"] == {f"framework-{town.dioro}": happened[2]}
    assert (seen["deliveries"]["delivered"], seen["deliveries"]["parked"], seen["leased"]) == (2, 1, 0)
    rows = worker.client.get(f"{worker.path}/deliveries", headers=worker.headers).json()["items"]
    assert [each["answers"][-1]["answer"] for each in rows] == [
        "nack: one: Plein", "parked: one: Illisible", "ack: one", "ack: one",
    ]  # fmt: skip
    again = worker.client.post(
        f"{worker.path}/replay", json={"event": ids[2]}, headers={**worker.headers, **key()}
    )  # fmt: skip
    assert again.status_code == 201
    assert [each["id"] for each in worker.lease().json()["events"]] == ids[2:]


def test_who_was_too_slow_is_told_that_the_lease_is_lost_and_what_to_do(worker: Worker, town: Town) -> None:
    town.happens(town.dioro)
    late = worker.lease(seconds=SECONDS).json()
    town.later(SECONDS + 1)
    Worker(worker.client, town.group, "two").lease()
    ids = [each["id"] for each in late["events"]]
    for way, body in (
        ("ack", {}), ("ack", {"events": ids}), ("ack", {"up_to": 2**53 - 1}), ("nack", {"delay": 3}), ("extend", {}),
        ("park", {"events": ids, "reason": "?"}),
    ):  # fmt: skip
        answer = worker.settle(late["lease"], way, **body)
        assert problem(answer) == (409, "lease-lost"), way
        assert str(late["lease"]) in answer.json()["detail"]
    english = worker.client.post(
        f"{worker.path}/leases/7/ack", json={}, headers={**worker.headers, "Accept-Language": "en"}
    )
    assert "take the next events" in english.json()["detail"]


def test_how_far_it_is_and_who_has_what_is_seen(worker: Worker, town: Town) -> None:
    town.happens(town.dioro, 2)
    [last] = town.happens(town.koula)
    lease = worker.lease(limit=2, seconds=3_600).json()["lease"]
    town.later(1_000)
    seen = worker.client.get(worker.path, headers=worker.headers).json()
    assert (seen["name"], seen["position"], seen["head"], seen["stage"]) == ("warehouse", last, last, "active")
    assert seen["deliveries"]["waiting"] == 3
    assert seen["lag"]["events"] == 3
    assert 500 < seen["lag"]["seconds"] < 1_100
    [member] = seen["members"]
    assert (member["member"], member["lease"], member["events"], seen["leased"]) == ("one", lease, 2, 2)
    worker.settle(lease, "ack")
    assert worker.client.get(worker.path, headers=worker.headers).json()["lag"]["events"] == 1
    assert worker.client.get(GROUPS, headers=worker.headers).json()["items"][0]["members"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"member": ""}, "/member"),
        ({"member": "x" * 201}, "/member"),
        ({"member": "one\nSet-Cookie: a"}, "/member"),
        ({"member": None}, "/member"),
        ({"limit": 0}, "/limit"),
        ({"limit": 501}, "/limit"),
        ({"seconds": 0}, "/seconds"),
        ({"seconds": 43_201}, "/seconds"),
        ({"wait": 31}, "/wait"),
        ({"wait": "1"}, "/wait"),
        ({"forever": True}, "/forever"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(worker: Worker, body: dict[str, Any], field: str) -> None:
    answer = worker.lease(**body)
    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize(
    ("way", "body"),
    [
        ("ack", {"events": None}),
        ("ack", {"up_to": -1}),
        ("ack", {"events": ["e 1"]}),
        ("ack", {"events": ["e"] * 501}),
        ("ack", {"reason": "?"}),
        ("nack", {"delay": -1}),
        ("nack", {"delay": 86_401}),
        ("nack", {"reason": " "}),
        ("park", {}),
        ("park", {"events": ["e"]}),
        ("park", {"events": ["e"], "reason": "\x00"}),
        ("extend", {"seconds": 0}),
    ],
)
def test_what_cannot_be_settled_so_is_told(worker: Worker, town: Town, way: str, body: dict[str, Any]) -> None:
    town.happens(town.dioro)
    lease = worker.lease().json()["lease"]
    assert problem(worker.settle(lease, way, **body)) == (422, "invalid")
    assert worker.settle(lease, "ack", events=[]).json()["left"] == 1, "nothing was settled"


def test_no_lease_is_called_so(worker: Worker) -> None:
    assert problem(worker.settle("x", "ack"))[0] == 422
    assert problem(worker.settle(2**53 - 1, "ack")) == (409, "lease-lost")


def test_groups_of_others_are_unknown_but_to_who_administers_or_audits_there(
    worker: Worker, client: TestClient, town: Town
) -> None:
    admit(town.engine, ("sigui", Role.INTEGRATOR, "/"), ("kadi", Role.ADMINISTRATOR, "ML/Ségou"))
    for stranger in ("sigui", "kadi"):
        assert client.get(GROUPS, headers=named(stranger)).json() == {"items": []}
        answer = client.get(worker.path, headers=named(stranger))
        assert problem(answer) == (404, "not-found")
        assert "/api/v1/groups" in answer.json()["detail"]
        other = Worker(client, town.group, who=stranger)
        assert problem(other.lease()) == (404, "not-found")
        assert problem(other.settle(1, "ack")) == (404, "not-found")
        assert problem(other.settle(1, "extend")) == (404, "not-found")
    for sees in ("auditor", "administrator"):
        assert client.get(worker.path, headers=named(sees)).status_code == 200
    assert problem(Worker(client, town.group, who="auditor").lease()) == (403, "forbidden")
    theirs = Worker(client, town.group, who="administrator").lease()
    assert problem(theirs) == (403, "forbidden")
    assert theirs.json()["reasons"][0]["code"] == "subscription-of-another"
    assert problem(client.get(GROUPS, headers=named("mayor"))) == (403, "forbidden")
    assert problem(client.post(f"{worker.path}/lease", json={"member": "x"})) == (401, "sign-in-needed")


def test_a_token_does_what_it_is_for(worker: Worker, client: TestClient) -> None:
    listing, consuming = named(DHIS, Scope="list-groups"), named(DHIS, Scope="consume-group")
    body = {"member": "one"}
    assert client.get(worker.path, headers=listing).status_code == 200
    assert problem(client.post(f"{worker.path}/lease", json=body, headers=listing)) == (403, "out-of-scope")
    assert client.post(f"{worker.path}/lease", json=body, headers=consuming).status_code == 200
    assert problem(client.get(worker.path, headers=consuming)) == (403, "out-of-scope")


def test_nobody_registers_what_he_has_no_role_for_there(client: TestClient, town: Town) -> None:
    admit(town.engine, ("sigui", Role.INTEGRATOR, "ML/Ségou"))
    assert problem(register(client, who="sigui"))[0] in (403, 404)
    assert register(client, who="sigui", territory="ML/Ségou").status_code == 201
    assert problem(register(client, who="auditor")) == (403, "forbidden")


def test_what_is_no_registration_is_told(client: TestClient) -> None:
    assert problem(register(client, name="")) == (422, "invalid")
    assert problem(register(client, types=["plan-agred"])) == (422, "refused")
    answer = client.post(GROUPS, json={"name": "w"}, headers=named(DHIS))
    assert problem(answer) == (400, "idempotency-key-missing")
    headers = named(DHIS, **key(), **{"Content-Type": "application/json"})
    assert problem(client.post(GROUPS, content=b"{", headers=headers)) == (400, "bad-json")


def test_the_rest_is_said_as_every_command_is(worker: Worker, client: TestClient, town: Town) -> None:
    body = {"occurred_on": town.engine.today().isoformat(), "target": town.group, "data": {"reason": "Entretien"}}
    answer = client.post(f"{API}/commands/pause-consumer-group", json=body, headers=named(DHIS, **key()))
    assert answer.status_code == 201
    assert client.get(worker.path, headers=worker.headers).json()["stage"] == "paused"
    answer = client.post(f"{API}/commands/park-consumer-group-event", json=body, headers=named(DHIS, **key()))
    assert problem(answer) == (404, "unknown-command")


def test_who_waits_is_given_what_is_recorded_meanwhile(worker: Worker, town: Town) -> None:
    answers: list[Any] = []
    waits = Thread(target=lambda: answers.append(worker.lease(wait=30)))
    waits.start()
    [position] = town.happens(town.dioro)
    waits.join()
    assert [int(each["globalposition"]) for each in answers[0].json()["events"]] == [position]


def test_who_waits_is_given_what_another_gives_back(worker: Worker, town: Town) -> None:
    town.happens(town.dioro)
    lease = worker.lease().json()["lease"]
    answers: list[Any] = []
    waits = Thread(target=lambda: answers.append(Worker(worker.client, town.group, "two").lease(wait=30)))
    waits.start()
    worker.settle(lease, "nack", delay=0)
    waits.join()
    assert len(answers[0].json()["events"]) == 1


def test_who_waits_in_vain_is_answered_when_it_is_over(worker: Worker) -> None:
    assert worker.lease(wait=1).json()["lease"] is None


def test_no_more_wait_than_there_is_room_for(town: Town) -> None:
    with served(town.engine, limits=Limits(following=Following(most=0))) as client:
        group = register(client).json()["group"]
        assert problem(Worker(client, group).lease(wait=1)) == (429, "too-many-requests")
        assert Worker(client, group).lease().status_code == 200
