"""The envelope is what INTERFACES says, to the letter, and the CloudEvents project's own SDK takes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as Accepted

from cycle.cloudevents import Envelopes, padded, source_of
from cycle.leaf import canonical
from cycle.vault.keys import new_key
from tests.corpus.test_corpus import LOGS
from tests.vault.town import SECRETS, Town

ENVELOPES = Envelopes("https://cycle.example.ml/")
LEAVES = [line for log in LOGS for line in log.read_bytes().splitlines()]


def told(leaf: bytes, position: int = 7) -> bytes:
    return msgspec.json.encode(ENVELOPES.envelope(position, leaf))


def test_every_event_of_the_frozen_logs_is_taken_by_the_sdk() -> None:
    for position, leaf in enumerate(LEAVES, 1):
        fact = msgspec.json.decode(leaf)
        event = JSONFormat().read(Accepted, told(leaf, position))
        assert event.get_id() == fact["id"]
        assert event.get_source() == f"/streams/{fact['stream']}"
        assert event.get_type() == f"org.cycle.{fact['type']}.v{fact['schema']}"
        assert event.get_subject() == fact["stream"]
        assert event.get_time() == datetime.fromisoformat(fact["recorded_at"])
        assert event.get_dataschema() == f"https://cycle.example.ml/api/v1/schemas/{fact['type']}/{fact['schema']}"
        assert event.get_data() == fact["data"]


def test_its_attributes_are_these_and_no_others() -> None:
    leaf = next(leaf for leaf in LEAVES if b'"type":"plan-agreed"' in leaf)
    fact = msgspec.json.decode(leaf)
    assert msgspec.json.decode(told(leaf)) == {
        "specversion": "1.0",
        "id": fact["id"],
        "source": f"/streams/{fact['stream']}",
        "type": "org.cycle.plan-agreed.v1",
        "subject": fact["stream"],
        "time": fact["recorded_at"],
        "occurredon": fact["occurred_on"],
        "sequence": f"{fact['version']:020}",
        "partitionkey": fact["stream"],
        "globalposition": "00000000000000000007",
        "correlationid": fact["correlation"],
        "causationid": fact["causation"],
        "dataschema": "https://cycle.example.ml/api/v1/schemas/plan-agreed/1",
        "data": fact["data"],
    }


def test_the_sdk_would_refuse_another_envelope() -> None:
    """So that what it accepts above says something."""
    whole = msgspec.json.decode(told(LEAVES[0]))
    for name, value in (("id", ""), ("type", ""), ("source", ""), ("globalPosition", "7")):
        with pytest.raises(CloudEventValidationError):
            JSONFormat().read(Accepted, canonical({**whole, name: value}))


def test_data_go_through_as_the_bytes_of_the_leaf() -> None:
    for leaf in LEAVES:
        data = bytes(msgspec.json.decode(leaf, type=dict[str, msgspec.Raw])["data"])
        assert told(leaf).endswith(b'"data":' + data + b',"specversion":"1.0"}')


def test_whatever_people_are_called_their_streams_have_an_address() -> None:
    assert source_of('account-é"<%2F?#') == "/streams/account-%C3%A9%22%3C%252F%3F%23"
    fact = msgspec.json.decode(LEAVES[0]) | {"stream": 'account-é"\\<', "causation": 'k"\\\u0301'}
    event = JSONFormat().read(Accepted, told(canonical(fact)))
    assert event.get_subject() == 'account-é"\\<'
    assert event.get_extension("partitionkey") == 'account-é"\\<'
    assert event.get_extension("causationid") == 'k"\\\u0301'


def test_positions_sort_as_texts() -> None:
    numbers = [1, 9, 10, 99, 100, 2**53 - 1]
    assert sorted(map(padded, numbers)) == list(map(padded, numbers))


def test_what_is_sealed_is_not_in_it_nor_its_digests(sqlite_url: str, tmp_path: Path) -> None:
    new_key(tmp_path / "vault.key")
    town = Town(sqlite_url, tmp_path / "vault.key").founded()
    town.record()
    leaf = town.leaves()[-1]
    town.engine.close()
    digests = msgspec.json.decode(leaf)["sealed"]
    assert len(digests) == 3
    for secret in (*digests, *SECRETS):
        assert secret.encode() not in told(leaf)
