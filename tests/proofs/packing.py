"""Bundles put together by hand, so that each part of one can be wrong by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cycle.aggregates.base import LogName
from cycle.contracts import frozen
from cycle.proofs.bundle import readme, verifier
from cycle.proofs.note import SigningKey
from tests.proofs.sealing import KEY, LOG, SEALED_AT, disclosed, sealed

Files = dict[str, bytes]
SCHEMA = frozen()["monitoring-recorded", 1]


def packed(of: Sequence[bytes], log: LogName = LOG, key: SigningKey = KEY) -> Files:
    """The files of a bundle: these leaves, whatever they are, sealed by their operator."""
    known = sealed(of, log, key)
    opened = disclosed(n for n, each in enumerate(of) if b'"sealed":["' in each)
    files = {
        "README.txt": readme(known).encode(),
        "checkpoint": known.checkpoint,
        "disclosures.jsonl": b"".join(each.line() + b"\n" for each in opened),
        "leaf-hashes": hashes(of),
        "leaves.jsonl": b"".join(each + b"\n" for each in of),
        "registry-proof": known.registry_proof,
        "schemas/monitoring-recorded.v1.json": SCHEMA,
        "verifier-key": f"{known.key}\n".encode(),
        "verify.py": verifier(),
    }
    return listed(files, log, len(of))


def hashes(of: Sequence[bytes]) -> bytes:
    return b"".join(sha256(b"\x00" + each).digest() for each in of)


def listed(files: Files, log: str = LOG, size: int | None = None, **more: object) -> Files:
    """The same with a manifest that says what they are now, as whoever changed them would write it."""
    old = json.loads(files["manifest.json"]) if size is None else {}
    digests = {name: sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"}
    said = {
        "as_of": f"{SEALED_AT:%Y-%m-%dT%H:%M:%S.%f}Z",
        "files": digests,
        "log": log,
        "size": size if size is not None else old["size"],
        "v": 1,
        **more,
    }
    manifest = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return {**files, "manifest.json": manifest}


def laid(files: Files, folder: Path) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
