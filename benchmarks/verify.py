"""A bundle of a million events: how long its verifier takes, and in how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.measure import line
from cycle.aggregates.base import LogName
from cycle.leaf import canonical, leaf_hash
from cycle.proofs.bundle import Sealed, write_bundle
from cycle.proofs.checkpoint import Checkpoint, log_origin, registry_origin, sign_checkpoint
from cycle.proofs.note import SigningKey
from cycle.proofs.registry import RegistryProof, head
from cycle.proofs.tree import root_of

LOG = LogName("ML-4-01-04")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "Réunion de suivi : le comité a mesuré ce qui a été livré, et nommé ce qui bloque encore au magasin"


def leaf(number: int) -> bytes:
    """An event of about 700 bytes in a stream of fifty, as a framework records a cycle."""
    key = f"0185958b-1c00-7{number & 4095:03x}-8{number >> 12 & 4095:03x}-{number:012x}"
    return canonical(
        {
            "by": {"actor": f"facilitator-{number % 40:02}", "role": "facilitator"},
            "causation": key,
            "command": "record-monitoring",
            "correlation": key,
            "data": {
                "aspect": "economic",
                "method": "measurement",
                "note": f"{TEXT} ({number % 997})",
                "rhythm": "regular",
                "subject": "Échalotes stockées",
                "unit": "kg",
                "value": str(number % 9973),
            },
            "id": key,
            "log": LOG,
            "occurred_on": str((FIRST + timedelta(days=number // 1000)).date()),
            "recorded_at": f"{FIRST + timedelta(seconds=30 * number):%Y-%m-%dT%H:%M:%S}.000000Z",
            "schema": 1,
            "stream": f"framework-0185958b-1c00-7000-8000-{number // 50:012x}",
            "type": "monitoring-recorded",
            "version": number % 50 + 1,
        }
    )


def leaves(count: int) -> Iterator[bytes]:
    return map(leaf, range(count))


def write(to: Path, count: int) -> None:
    """A bundle of so many events, under a key of its own."""
    key = SigningKey("cycle.example.org", Ed25519PrivateKey.generate())
    said = Checkpoint(log_origin("cycle.example.org", LOG), count, root_of(map(leaf_hash, leaves(count))))
    known = head(LOG, count, said.root, datetime.now(UTC)).leaf()
    registry = Checkpoint(registry_origin("cycle.example.org"), 1, leaf_hash(known))
    proof = RegistryProof(known, 0, (), sign_checkpoint(registry, key))
    write_bundle(to, Sealed(LOG, sign_checkpoint(said, key), bytes(proof), key.verifier), leaves(count))


def bare(file: Path) -> float:
    """Reading the same file and hashing it, and nothing else."""
    begin, digest = perf_counter(), sha256()
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return perf_counter() - begin


def verified(bundle: Path) -> tuple[float, float, float]:
    """The whole process as an auditor starts it: seconds, those of the processor, most memory in MB."""
    begin = perf_counter()
    started = subprocess.Popen([sys.executable, str(bundle / "verify.py")], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    seconds = perf_counter() - begin
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError("the bundle does not verify")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def main(count: int = 1_000_000) -> None:
    with TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        write(bundle, count)
        size = (bundle / "leaves.jsonl").stat().st_size
        bare(bundle / "leaves.jsonl")
        read = bare(bundle / "leaves.jsonl")
        seconds, busy, peak = verified(bundle)
        line("verify", f"{count} events of {size / count:.0f} bytes, seconds", seconds, "at most 20")
        line("verify", "of them, busy on one core", busy, "")
        line("verify", "memory at its most, MB", peak, "at most 100")
        line("verify", "against read and SHA-256 of the same file", seconds / read, "")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
