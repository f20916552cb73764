"""What an earlier release wrote is read by this one, to the byte."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.codec import Leaves, UnknownEvent
from cycle.engine import Engine
from cycle.leaf import canonical, check_leaf
from cycle.reading import Reader
from cycle_adapters.files.events import export, import_
from tests.people import AUDITORS_FACTS, an_auditor

HERE = Path(__file__).parent
LOGS = sorted(HERE.glob("events-*.jsonl"))
TYPES = sorted(HERE.glob("types-*.txt"))


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.name)
def test_a_frozen_log_opens_is_projected_and_leaves_as_it_came(log: Path, engine: Engine) -> None:
    data = log.read_bytes()
    import_(engine, io.BytesIO(data), lambda done: None)
    again = io.BytesIO()
    export(engine, again)  # type: ignore[arg-type]
    assert again.getvalue() == data
    with_accounts = b'"type":"account-opened"' in data
    # A log from before there were accounts is read once somebody has one.
    reader = Reader(engine, "operator") if with_accounts else an_auditor(engine)
    assert reader.catch_up() == data.count(b"\n") + (0 if with_accounts else AUDITORS_FACTS)
    assert reader.runner.problems() == {}
    assert reader.frameworks()
    for row in reader.frameworks():
        assert reader.state(reader.framework_facts(row.framework)).stage == row.stage


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.name)
def test_every_frozen_leaf_is_canonical_and_typed(log: Path) -> None:
    leaves = Leaves(Recorded)
    for line in log.read_bytes().splitlines():
        check_leaf(line)
        envelope = msgspec.json.decode(line)
        fact = leaves[envelope["type"], envelope["schema"]](line)
        if envelope["schema"] == EVENTS[fact.type].schema:
            assert msgspec.json.decode(canonical(fact.data)) == envelope["data"]


@pytest.mark.parametrize("types", TYPES, ids=lambda path: path.name)
def test_a_frozen_type_keeps_its_name_and_its_fields(types: Path) -> None:
    """A field that was frozen at a schema stays; a change of meaning is a new schema with an upcast."""
    for line in types.read_text().splitlines():
        name, schema, *fields = line.split()
        event = EVENTS[name]
        if event.schema == int(schema):
            assert set(fields) <= set(event.__struct_fields__), name
        else:
            assert set(range(int(schema), event.schema)) <= set(event.upcasts), name


def test_an_older_schema_is_reached_by_upcasting_when_read() -> None:
    class WellDug(Event):
        depth_m: int
        place: str
        schema = 3
        upcasts = {
            1: lambda data: {**data, "place": "Dioro"},
            2: lambda data: {"depth_m": data["depth"], "place": data["place"]},
        }

    try:
        leaves = Leaves(Recorded, {"well-dug": WellDug})
        envelope = msgspec.json.decode(LOGS[0].read_bytes().splitlines()[0])
        old = canonical({**envelope, "type": "well-dug", "schema": 1, "data": {"depth": 12}})
        assert leaves["well-dug", 1](old).data == WellDug(12, "Dioro")
        new = canonical({**envelope, "type": "well-dug", "schema": 3, "data": {"depth_m": 12, "place": "Togou"}})
        assert leaves["well-dug", 3](new).data == WellDug(12, "Togou")
        with pytest.raises(UnknownEvent, match="schema 4, this release knows 3: update cycle"):
            leaves["well-dug", 4](new)
        with pytest.raises(UnknownEvent, match="'well-filled' are not known to this release"):
            leaves["well-filled", 1](new)
    finally:
        EVENTS.pop("well-dug")
