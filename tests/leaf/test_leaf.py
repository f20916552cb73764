"""The leaf is canonical, and nothing else passes for one."""

from __future__ import annotations

import json
import unicodedata
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rfc8785 import dumps

from cycle.aggregates.base import EVENTS, Recorded, StreamId
from cycle.codec import Leaves, new_leaf
from cycle.leaf import LeafError, canonical, check_leaf, check_texts, leaf_hash, rfc3339
from cycle.store import RECORDED_AT_HOLE
from cycle_adapters.sql.rows import splice
from tests.leaf.chance import event, plain

texts = st.text().map(lambda t: unicodedata.normalize("NFC", t)).filter(lambda t: "\x00" not in t)
keys = st.text(alphabet=st.characters(codec="ascii", exclude_characters="\x00"), max_size=8)
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(keys, values, max_size=6))
def test_canonical_bytes_equal_an_independent_implementation(value: dict[str, object]) -> None:
    leaf = canonical(value)
    assert leaf == dumps(value)  # type: ignore[arg-type]
    check_leaf(leaf)


def test_the_leaf_of_every_type_of_event_equals_an_independent_implementation() -> None:
    """Ten thousand events, made of whatever their fields may hold; what is read back is the same event."""
    chance, read, types = Random(8785), Leaves(Recorded), list(EVENTS.values())
    sizes: list[int] = []
    for number in range(10_000):
        fact = event(types[number % len(types)], chance)
        new = new_leaf(fact)
        leaf = splice(new.state, new.hole, rfc3339(fact.recorded_at).encode())
        assert leaf == dumps(plain(fact)), fact
        assert canonical(read[fact.type, fact.schema](leaf)) == leaf, fact
        sizes.append(len(leaf))
    assert len(types) > 80, "not every area was loaded"
    assert min(sizes) < 500
    assert max(sizes) > 5_000


def test_an_id_that_ends_like_the_hole_is_not_taken_for_it() -> None:
    fact = event(EVENTS["organisation-registered"], Random(1))
    fact = replace(fact, stream=StreamId(f'organisation-"{RECORDED_AT_HOLE}'))
    new = new_leaf(fact)
    assert splice(new.state, new.hole, rfc3339(fact.recorded_at).encode()) == dumps(plain(fact))


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a":1', "not JSON"),
        (b'{"b":1,"a":2}', "not the canonical form"),
        (b'{"a":1,"a":1}', "not the canonical form"),
        (b'{"a": 1}', "not the canonical form"),
        (b'{"a":1}\n', "not the canonical form"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        (b'{"a":"\\u0061"}', "not the canonical form"),
        (b'{"a":"\\/"}', "not the canonical form"),
        (b'{"a":1.5}', "float is not allowed"),
        (b'{"a":1e2}', "float is not allowed"),
        (b'{"a":null}', "null"),
        (b'{"a":9007199254740992}', "beyond"),
        (b'{"a":"\\u0000"}', "NUL"),
        (b'{"\\u0000":1}', "NUL"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested too deeply"),
        ('{"a":"e\u0301"}'.encode(), "NFC"),
        ('{"é":1}'.encode(), "not ASCII"),
        (b'{"a":"\xff"}', "not JSON"),
        (b'{"a":"' + b"x" * 65_535 + b'"}', "at most 65535"),
    ],
)
def test_what_is_not_a_leaf_is_refused_with_the_reason(leaf: bytes, reason: str) -> None:
    with pytest.raises(LeafError, match=reason):
        check_leaf(leaf)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(LeafError, match="surrogate"):
        canonical({"a": "\ud800"})


def test_a_text_that_only_looks_like_an_escaped_nul_passes() -> None:
    leaf = canonical({"a": "\\u0000"})
    check_texts(leaf)
    check_leaf(leaf)


def test_the_hash_is_that_of_rfc_6962() -> None:
    assert leaf_hash(b"{}") == sha256(b"\x00{}").digest()
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_leaf_or_are_refused(leaf: bytes) -> None:
    try:
        check_leaf(leaf)
    except LeafError:
        return
    assert dumps(json.loads(leaf)) == leaf
