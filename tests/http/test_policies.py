"""Policies are public: which there are, each version in full, and a digest that anybody can take again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from cycle.aggregates.rulebook import PolicyPublished, PublishPolicy
from cycle.engine import Engine
from cycle.policy import sample
from cycle_adapters.http.problems import URN
from tests.access.places import say, two_communes
from tests.http.town import API, served


@pytest.fixture
def town(engine: Engine) -> Iterator[tuple[Engine, TestClient]]:
    two_communes(engine)
    with served(engine) as client:
        yield engine, client


def canonical(value: object) -> bytes:
    """RFC 8785, for what holds no fractions: as a stranger writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_anybody_reads_the_rules_and_takes_their_digest(town: tuple[Engine, TestClient]) -> None:
    engine, client = town
    second = replace(sample(), version=2, meeting_notice_days=replace(sample().meeting_notice_days, value=21))
    say(engine, PublishPolicy(document=second))
    items = client.get(f"{API}/policies").json()["items"]
    assert [(each["policy"], each["version"]) for each in items] == [("wocat-pact", 1), ("wocat-pact", 2)]
    for line in items:
        found = client.get(f"{API}/policies/wocat-pact?version={line['version']}").json()
        assert sha256(canonical(found["document"])).hexdigest() == found["digest"] == line["digest"]
        assert found["newest"] == 2
        assert set(found["title"]) == {"en", "fr"}
    newest = client.get(f"{API}/policies/wocat-pact").json()
    assert (newest["version"], newest["document"]["meeting_notice_days"]["value"]) == (2, 21)


def test_a_policy_that_is_not_there_is_not_found_and_says_where_the_others_are(
    town: tuple[Engine, TestClient],
) -> None:
    _, client = town
    for path in ("nothing", "wocat-pact?version=9", "wocat-pact?version=0"):
        answer = client.get(f"{API}/policies/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, f"{URN}not-found")
        assert "/api/v1/policies" in answer.json()["detail"]


def test_what_is_known_is_not_sent_again_until_a_version_is_published(town: tuple[Engine, TestClient]) -> None:
    engine, client = town
    for path in ("/policies", "/policies/wocat-pact"):
        tag = client.get(API + path).headers["etag"]
        known = client.get(API + path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
    say(engine, PublishPolicy(document=replace(sample(), version=2)))
    assert client.get(API + path, headers={"If-None-Match": tag}).status_code == 200


def test_to_ask_again_reads_what_is_new_and_no_more(
    town: tuple[Engine, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, client = town
    client.get(f"{API}/policies")
    asked: list[int] = []
    real = engine.store.read

    def read(after: int, limit: int | None = None, **more: Any) -> Any:
        if more.get("types") == (PolicyPublished.type,):
            asked.append(after)
        return real(after, limit, **more)

    monkeypatch.setattr(engine.store, "read", read)
    for _ in range(3):
        assert len(client.get(f"{API}/policies").json()["items"]) == 1
    assert asked == []
    head = engine.store.head().position
    say(engine, PublishPolicy(document=replace(sample(), version=2)))
    assert len(client.get(f"{API}/policies").json()["items"]) == 2
    assert asked == [head]
