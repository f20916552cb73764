"""What other systems are promised of the data of events: files that are frozen, and what is recorded keeps to them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.base import EVENTS, Event
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import Name
from cycle.asyncapi import document
from cycle.cloudevents import Envelopes
from cycle.contracts import TYPES, declared, freeze, frozen, meaning
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.feed import Feed, Wanted
from cycle.reading import Reader
from cycle_adapters.files.deliberations import recorded
from tests.corpus.test_corpus import LOGS
from tests.engine.path import Path as Way
from tests.http.town import API, served

HERE = Path(__file__).parent
NAMES = sorted(EVENTS)


@pytest.fixture(scope="module")
def validators() -> dict[tuple[str, int], Any]:
    return {
        kind: jsonschema_rs.Draft202012Validator(json.loads(written), validate_formats=True)
        for kind, written in frozen().items()
    }


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Engine(f"sqlite:///{tmp_path_factory.mktemp('contracts') / 'a.db'}") as engine:
        Way(engine).to(Stage.DISSOLVED)
        with served(engine) as client:
            yield client


@pytest.mark.parametrize("name", NAMES)
def test_a_declaration_says_what_its_frozen_schema_says(name: str) -> None:
    """Else it is a new schema of the event, with an upcast from the old one; then `make docs` freezes that too."""
    event = EVENTS[name]
    written = frozen()[name, event.schema]
    assert meaning(json.loads(written)) == meaning(declared(event))


def test_every_type_and_every_older_schema_is_frozen() -> None:
    assert set(TYPES) == set(NAMES)
    assert set(frozen()) == {(name, n) for name in NAMES for n in range(1, EVENTS[name].schema + 1)}


def test_every_schema_is_one_of_2020_12_and_lets_nothing_unknown_in() -> None:
    for written in frozen().values():
        schema = json.loads(written)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        jsonschema_rs.meta.validate(schema)
        for part in schema["$defs"].values():
            assert part.get("additionalProperties") is False or "properties" not in part
        assert b'"null"' not in written


def test_what_was_ever_recorded_keeps_to_its_schema(validators: dict[tuple[str, int], Any], tmp_path: Path) -> None:
    leaves = [line for log in LOGS for line in log.read_bytes().splitlines()]
    with Simulated(f"sqlite:///{tmp_path / 'demo.db'}", 1) as simulated:
        simulated.tell(recorded, frameworks=2, cycles=2)
        leaves += [leaf for *_, leaf in simulated.engine.store.read(0)]
    with Engine(f"sqlite:///{tmp_path / 'way.db'}") as engine:
        Way(engine).to(Stage.DISSOLVED)
        leaves += [leaf for *_, leaf in engine.store.read(0)]
    seen = set()
    for leaf in leaves:
        fact = msgspec.json.decode(leaf)
        seen.add(fact["type"])
        validators[fact["type"], fact["schema"]].validate(fact["data"])
    assert len(seen) > 70


def test_another_content_is_no_such_event(validators: dict[tuple[str, int], Any]) -> None:
    """So that what is valid above says something."""
    leaf = next(line for log in LOGS for line in log.read_bytes().splitlines() if b'"type":"plan-agreed"' in line)
    data = msgspec.json.decode(leaf)["data"]
    validator = validators["plan-agreed", 1]
    assert validator.is_valid(data)
    for wrong in (
        {**data, "more": 1},
        {**data, "meeting": None},
        {**data, "cycle": "1"},
        {**data, "window": {**data["window"], "ends_on": "2026-02-30"}},
        {**data, "actions": [{**data["actions"][0], "more": 1}]},
        {name: value for name, value in data.items() if name != "window"},
    ):
        assert not validator.is_valid(wrong), wrong


def test_a_changed_declaration_is_noticed_and_better_words_are_not() -> None:
    try:

        class WellDug(Event):
            """A well."""

            depth_m: int
            place: Name | None = None

        before = meaning(declared(WellDug))
        assert before["$defs"]["WellDug"]["required"] == ["depth_m"]
        WellDug.__doc__ = "A well was dug."
        assert meaning(declared(WellDug)) == before
        EVENTS.pop("well-dug")
        again: Any = msgspec.defstruct("WellDug", [("depth_m", int), ("place", str)], bases=(Event,))
        assert meaning(declared(again)) != before
    finally:
        EVENTS.pop("well-dug", None)


def test_what_is_frozen_is_never_written_again(tmp_path: Path) -> None:
    (tmp_path / "plan-agreed.v1.json").write_text("{}")
    new = freeze(tmp_path)
    assert len(new) == len(NAMES) - 1
    assert (tmp_path / "plan-agreed.v1.json").read_text() == "{}"
    assert freeze(tmp_path) == []


def test_the_schemas_are_served_for_ever_where_events_say(client: TestClient, validators: Any) -> None:
    reader = Reader(client.app.state.engine, "auditor")  # type: ignore[attr-defined]
    batch = Feed(reader, Wanted()).read(0, 1000).told(Envelopes("http://testserver"), lambda log: None)
    for address in {event.dataschema for event in batch.events}:
        answer = client.get(address)
        kind, number = address.split("/")[-2:]
        assert answer.content == frozen()[kind, int(number)]
        assert answer.headers["content-type"] == "application/schema+json"
        assert "immutable" in answer.headers["cache-control"]
    for event in batch.events:
        kind, number = event.dataschema.split("/")[-2:]
        validators[kind, int(number)].validate(json.loads(bytes(event.data)))
    for missing in ("plan-agreed/99", "plan-agreed/0", "plan-agred/1"):
        assert client.get(f"{API}/schemas/{missing}").status_code == 404


# AsyncAPI


def test_the_description_of_the_feeds_is_asyncapi(client: TestClient) -> None:
    """By the schema that the AsyncAPI project publishes (@asyncapi/specs 6.11.1, Apache-2.0)."""
    official = json.loads(gzip.decompress((HERE / "asyncapi-3.0.0.json.gz").read_bytes()))
    validator = jsonschema_rs.validator_for(official)
    found = client.get(f"{API}/asyncapi.json")
    assert found.status_code == 200
    validator.validate(found.json())
    assert not validator.is_valid({**found.json(), "channels": {"events": {"adress": "/events"}}})


def test_every_event_is_a_message_of_the_stream_and_every_reference_leads_somewhere() -> None:
    found = document("https://cycle.example.ml/log")
    assert found["servers"]["api"] | {"security": ...} == {
        "host": "cycle.example.ml", "protocol": "https", "pathname": "/log/api/v1", "security": ...,
    }  # fmt: skip
    messages = set(found["channels"]["stream"]["messages"])
    assert messages == {f"{name}.v{n}" for name, n in frozen()} | {"checkpoint", "caught-up", "closed"}
    assert set(found["channels"]["subjects"]["messages"]) == messages - {"checkpoint", "caught-up", "closed"}
    for reference in references(found):
        where: Any = found
        for part in reference.removeprefix("#/").split("/"):
            where = where[part]
        assert where


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_what_the_feed_sends_keeps_to_its_description(client: TestClient) -> None:
    found = document("http://testserver")
    events = client.get(f"{API}/events?limit=1000", headers={"Authorization": "Bearer auditor"}).json()
    assert_valid(found, "batch", events)
    by_name = {message["name"]: name for name, message in found["components"]["messages"].items()}
    for event in events["events"]:
        assert_valid(found, by_name[event["type"]], event)
    stream = client.get(f"{API}/events/stream", headers={"Authorization": "Bearer auditor"}).text
    marks = [block.split("\n") for block in stream.split("\n\n") if block.startswith("event:")]
    assert [name for name, *_ in marks] == ["event: caught-up", "event: closed"]
    for name, data, *_ in marks:
        assert_valid(found, name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))


def assert_valid(description: Any, message: str, value: Any) -> None:
    payload = description["components"]["messages"][message]["payload"]
    schema = {**payload, "components": description["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(value)
