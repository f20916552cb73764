"""The registry's leaves and proofs, and the openings of sealed fields."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace

from cycle.leaf import check_leaf, rfc3339
from cycle.proofs.checkpoint import Checkpoint, open_checkpoint
from cycle.proofs.disclosure import BadDisclosure, Disclosed, Opening, digest
from cycle.proofs.note import NoteError, sign_note
from cycle.proofs.registry import BadHead, Head, RegistryProof, head, open_registry_proof
from cycle.proofs.tree import ProofError
from tests.proofs.sealing import KEY, LOG, OPERATOR, SEALED_AT, leaves, opening, sealed, signing_key

SEALED = sealed(leaves(9))
SAID = open_checkpoint(SEALED.checkpoint, f"{OPERATOR}/{LOG}", KEY.verifier)


def test_a_head_is_a_leaf_and_comes_back() -> None:
    found = head(LOG, 9, SAID.root, SEALED_AT)
    check_leaf(found.leaf())
    assert Head.parse(found.leaf()) == found
    assert found.leaf() == (
        b'{"log":"ML-4-01-04","root":"%s","sealed_at":"2026-03-01T12:00:00.000005Z","size":9,"v":1}'
        % SAID.root.hex().encode()
    )


def test_a_moment_is_written_in_one_way() -> None:
    bamako = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 3, 1, 13, tzinfo=bamako)) == "2026-03-01T12:00:00.000000Z"
    assert rfc3339(datetime(2026, 3, 1, 12, 0, 0, 70, UTC)) == "2026-03-01T12:00:00.000070Z"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1,"w":1'),
        (b',"v":1', b""),
        (b'"size":9', b'"size":-1'),
        (b'"size":9', b'"size":9.0'),
        (b'"size":9', b'"size": 9'),
        (b".000005Z", b".5Z"),
        (b".000005Z", b".000005+00:00"),
        (b"2026-03-01", b"2026-02-30"),
        (b'"root":"', b'"root":"0'),
        (b'"log"', b'"logs"'),
    ],
)
def test_a_leaf_that_is_no_head_is_refused(old: bytes, new: bytes) -> None:
    leaf = head(LOG, 9, SAID.root, SEALED_AT).leaf()
    assert old in leaf
    with pytest.raises(BadHead):
        Head.parse(leaf.replace(old, new, 1))


def test_the_registry_proves_the_head_of_a_checkpoint() -> None:
    assert open_registry_proof(SEALED.registry_proof, KEY.verifier, LOG, SAID).size == 9
    proof = RegistryProof.parse(SEALED.registry_proof)
    assert bytes(proof) == SEALED.registry_proof
    assert proof.index == 3


def other_size(proof: RegistryProof) -> RegistryProof:
    return replace(proof, leaf=proof.leaf.replace(b'"size":9', b'"size":8'))


@pytest.mark.parametrize(
    "change",
    [
        other_size,
        lambda p: replace(p, leaf=p.leaf.replace(b"ML-4-01-04", b"ML-4-01-05")),
        lambda p: replace(p, leaf=p.leaf.replace(b".000005Z", b".000006Z")),
        lambda p: replace(p, index=4),
        lambda p: replace(p, index=99),
        lambda p: replace(p, hashes=p.hashes[:-1]),
        lambda p: replace(p, hashes=(*p.hashes, bytes(32))),
        lambda p: replace(p, hashes=(bytes(31), *p.hashes[1:])),
        lambda p: replace(p, checkpoint=SEALED.checkpoint),
        lambda p: replace(p, checkpoint=b"x"),
        lambda p: replace(p, checkpoint=sign_note(str(Checkpoint(OPERATOR, 6, bytes(32))), KEY)),
        lambda p: replace(p, checkpoint=sign_note(str(Checkpoint(OPERATOR, 6, bytes(32))), signing_key("other"))),
    ],
)
def test_a_proof_of_anything_else_is_refused(change: Callable[[RegistryProof], RegistryProof]) -> None:
    wrong = bytes(change(RegistryProof.parse(SEALED.registry_proof)))
    with pytest.raises((BadHead, ProofError, NoteError)):
        open_registry_proof(wrong, KEY.verifier, LOG, SAID)


def test_every_byte_of_a_proof_counts() -> None:
    for at in range(len(SEALED.registry_proof)):
        wrong = bytearray(SEALED.registry_proof)
        wrong[at] ^= 1 << at % 8
        with pytest.raises((BadHead, ProofError, NoteError)):
            open_registry_proof(bytes(wrong), KEY.verifier, LOG, SAID)


def test_a_disclosure_opens_what_its_digest_sealed() -> None:
    known = opening(3)
    assert Opening.parse(known.disclosure()) == known
    assert digest(known.disclosure()) == known.digest()
    assert len(known.digest()) == 43
    assert msgspec.json.decode(Disclosed(3, known.disclosure()).line()) == {
        "disclosure": known.disclosure(),
        "index": 3,
    }


def test_the_digest_is_that_of_sd_jwt() -> None:
    """RFC 9901, 4.2.3: the example hashes the base64url text, not what it holds."""
    said = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest(said) == "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY"


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


SALT = _encoded("s" * 32)


@pytest.mark.parametrize(
    "disclosure",
    [
        "",
        "é",
        "A",
        opening(3).disclosure() + "=",
        opening(3).disclosure()[:-1],
        _encoded("{}"),
        _encoded("[]"),
        _encoded(f'["{SALT}","name"]'),
        _encoded(f'["{SALT}", "name","Awa"]'),
        _encoded(f'["{SALT[:-2]}","name","Awa"]'),
        _encoded(f'["{SALT}",1,"Awa"]'),
        _encoded(f'["{SALT}","name",1.5]'),
        _encoded(f'["{SALT}","name",null]'),
        _encoded(f'["{SALT}","name","\\u0000"]'),
        _encoded(f'["{SALT}","name","e\u0301"]'),
    ],
)
def test_a_text_that_opens_nothing_is_refused(disclosure: str) -> None:
    with pytest.raises(BadDisclosure):
        Opening.parse(disclosure)


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="a salt has 32 bytes"):
        Opening(b"short", "name", "Awa").disclosure()
