"""Logs that are sealed for a test: their leaves, their keys, their bundles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cycle.aggregates.base import LogName
from cycle.leaf import canonical, leaf_hash
from cycle.proofs.bundle import Sealed, write_bundle
from cycle.proofs.checkpoint import Checkpoint, log_origin, registry_origin, sign_checkpoint
from cycle.proofs.disclosure import Disclosed, Opening
from cycle.proofs.note import Algorithm, SigningKey
from cycle.proofs.registry import RegistryProof, head
from cycle.proofs.tree import inclusion_proof, reading, root_of

OPERATOR = "cycle.example.org"
LOG = LogName("ML-4-01-04")
SEALED_AT = datetime(2026, 3, 1, 12, 0, 0, 5, UTC)
VALUES = ("Dioro", "réunion tenue", "Ségou\n", 'dit "oui"', 1200, True, ["a", "b"], {"b": 1, "c": "ŋ"})


def signing_key(seed: str, name: str = OPERATOR, algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    """A key that is the same in every run."""
    return SigningKey(name, Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest()), algorithm)


KEY = signing_key("log")


def opening(number: int) -> Opening:
    """The personal field of event ``number``."""
    return Opening(sha256(b"salt %d" % number).digest(), "data.witness", f"+223 70 00 00 {number % 100:02}")


def leaf(number: int, log: str = LOG, **changes: object) -> bytes:
    """Event ``number`` of a log of three streams; every seventh seals a field."""
    event: dict[str, object] = {
        "by": {"actor": f"facilitator-{number % 3}", "role": "facilitator"},
        "causation": f"key-{number}",
        "command": "record-monitoring",
        "correlation": f"key-{number}",
        "data": {"subject": VALUES[number % len(VALUES)], "value": number},
        "id": f"0185958b-1c00-7{number % 4096:03x}-8000-{number:012x}",
        "log": log,
        "occurred_on": f"2026-01-{number % 28 + 1:02}",
        "recorded_at": f"2026-02-01T08:{number // 60 % 60:02}:{number % 60:02}.000000Z",
        "schema": 1,
        "stream": f"framework-{number % 3}",
        "type": "monitoring-recorded",
        "version": number // 3 + 1,
    }
    if number % 7 == 3:
        event["sealed"] = sorted([opening(number).digest(), opening(number + 1000).digest()])
    return canonical(event | changes)


def leaves(size: int, log: str = LOG) -> list[bytes]:
    return [leaf(number, log) for number in range(size)]


def checkpoint(of: Sequence[bytes], log: LogName = LOG, key: SigningKey = KEY) -> Checkpoint:
    return Checkpoint(log_origin(key.verifier.name, log), len(of), root_of(map(leaf_hash, of)))


def sealed(of: Sequence[bytes], log: LogName = LOG, key: SigningKey = KEY) -> Sealed:
    """A log, and a registry in which its head stands among others."""
    said = checkpoint(of, log, key)
    heads = [head(LogName(f"other-{n}"), n, bytes(32), SEALED_AT).leaf() for n in range(5)]
    heads.insert(3, head(log, said.size, said.root, SEALED_AT).leaf())
    hashes = [leaf_hash(each) for each in heads]
    registry = Checkpoint(registry_origin(key.verifier.name), len(heads), root_of(hashes))
    path = inclusion_proof(3, len(heads), reading(lambda start, end: hashes[start:end]))
    proof = RegistryProof(heads[3], 3, tuple(path), sign_checkpoint(registry, key))
    return Sealed(log, sign_checkpoint(said, key), bytes(proof), key.verifier)


def disclosed(of: Iterable[int]) -> list[Disclosed]:
    return [Disclosed(number, opening(number).disclosure()) for number in of]


def bundle(to: Path, of: Sequence[bytes], log: LogName = LOG, key: SigningKey = KEY) -> Path:
    """A bundle of these leaves, with an opening of each event that seals one."""
    write_bundle(to, sealed(of, log, key), of, disclosed(n for n, each in enumerate(of) if b'"sealed":' in each))
    return to
