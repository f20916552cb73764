"""Strict readers that know nothing of us take our contracts: Ajv, the AsyncAPI parser, a validator of OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from fastapi.testclient import TestClient

from cycle.asyncapi import document
from cycle.cloudevents import type_of
from cycle.contracts import frozen, name_of
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle_adapters.files.deliberations import recorded
from tests.corpus.test_corpus import LOGS
from tests.http.town import API, served
from tests.js.parties import says

SCHEMAS = {name_of(*kind): json.loads(schema) for kind, schema in frozen().items()}
ERROR, WARNING = 0, 1
"""How grave a diagnostic of the AsyncAPI parser is."""


class Known(NamedTuple):
    """The data of an event, and which schema they are by."""

    name: str
    data: dict[str, Any]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[Known]:
    """What a demo records, and what earlier releases have recorded."""
    found = [line for log in LOGS for line in log.read_bytes().splitlines()]
    with Simulated(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}", 1) as simulated:
        simulated.tell(recorded, frameworks=3, cycles=3)
        found += [leaf for *_, leaf in simulated.engine.store.read(0)]
    return [Known(name_of(fact["type"], fact["schema"]), fact["data"]) for fact in map(msgspec.json.decode, found)]


@pytest.fixture
def client(sqlite_url: str) -> Iterator[TestClient]:
    with Engine(sqlite_url) as engine, served(engine) as client:
        yield client


def test_ajv_takes_every_schema_as_strictly_as_it_can_and_every_event_by_it(facts: list[Known]) -> None:
    said = says("schemas.mjs", {"schemas": SCHEMAS, "data": facts})
    assert (said["refused"], said["warned"]) == ({}, [])
    assert [fact for fact, valid in zip(facts, said["valid"], strict=True) if valid is not True] == []
    assert len({fact.name for fact in facts}) > 70


def test_ajv_takes_no_event_that_is_broken(facts: list[Known]) -> None:
    """Each type in every way in which one field can be wrong."""
    one = {fact.name: fact for fact in facts}
    wrong = [Known(name, broken) for name, fact in one.items() for broken in broken_of(name, fact.data)]
    wrong += [Known(name, {"more": 1}) for name in SCHEMAS]
    said = says("schemas.mjs", {"schemas": SCHEMAS, "data": wrong})
    assert [fact for fact, valid in zip(wrong, said["valid"], strict=True) if valid is not False] == []


def broken_of(name: str, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = SCHEMAS[name]
    own = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    yield {**data, "more": 1}
    for field in own.get("required", ()):
        yield {key: value for key, value in data.items() if key != field}
    for field in data:
        if own["properties"][field]:
            # No text, no number, no list and no object: whatever the field is, this is none of it.
            yield {**data, field: None}


def test_ajv_is_strict() -> None:
    """So that what it takes above says something."""
    loose = {
        "an unknown keyword": {"type": "string", "lenght": 3},
        "an unknown format": {"type": "string", "format": "decimal"},
        "no pattern of ECMAScript": {"type": "string", "pattern": r"[\"]"},
    }
    assert set(says("schemas.mjs", {"schemas": loose, "data": []})["refused"]) == set(loose)


def test_the_parser_of_asyncapi_has_no_fault_to_find() -> None:
    said = says("asyncapi.mjs", document("https://cycle.example.ml/log"))
    assert [each for each in said["found"] if each["severity"] in (ERROR, WARNING)] == []
    assert set(said["messages"]) == {type_of(*kind) for kind in frozen()} | {
        "batch", "checkpoint", "caught-up", "closed",
    }  # fmt: skip


def test_the_parser_of_asyncapi_finds_faults_where_there_are_some() -> None:
    """So that its silence above says something."""
    for break_it in (
        lambda found: found["channels"]["stream"].update(adress="/x"),
        lambda found: found["operations"]["sendEvents"]["channel"].update({"$ref": "#/channels/none"}),
        lambda found: found["components"]["schemas"]["Marks"].update(type="thing"),
    ):
        found = document("https://cycle.example.ml")
        break_it(found)
        assert ERROR in {each["severity"] for each in says("asyncapi.mjs", found)["found"]}


def test_the_contract_of_the_api_is_openapi_with_patterns_that_javascript_knows(client: TestClient) -> None:
    found = client.get(f"{API}/openapi.json").json()
    said = says("openapi.mjs", found)
    assert (said["valid"], said["version"], said["none"]) == (True, "3.1", [])
    assert said["patterns"] > 100
    found["info"].pop("title")
    found["components"]["schemas"]["Events"]["pattern"] = r"[\"]"
    said = says("openapi.mjs", found)
    assert (said["valid"], said["none"]) == (False, [r"[\"]"])
