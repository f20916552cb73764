"""Bundles that were handed out before somebody was forgotten, and after: all of them hold for ever."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from cycle.aggregates.base import LogName
from cycle.proofs import verify
from cycle.proofs.bundle import write_bundle
from cycle.proofs.disclosure import Disclosed
from tests.proofs.sealing import KEY, sealed
from tests.vault.files import found
from tests.vault.town import AWA, LOG, SECRETS, Town

PEOPLE = 500


def bundled(town: Town, to: Path, log: LogName = LOG, *, openings: bool) -> bytes:
    """A bundle of the log as it is, with or without what may be seen; returns its checkpoint."""
    leaves = town.leaves(log)
    said = sealed(leaves, log)
    lines = [Disclosed(*line) for line in town.opened(len(leaves))] if openings else []
    write_bundle(to, said, leaves, lines)
    return said.checkpoint


def holds(path: Path, old: bytes | None = None) -> int:
    """The size of the log that the stand-alone verifier found to hold."""
    return int(verify.check(str(path), str(KEY.verifier), old).size)


def test_five_hundred_erasures_and_every_bundle_still_verifies(sqlite_url: str, key: Path, tmp_path: Path) -> None:
    town = Town(sqlite_url, key).founded()
    people = [town.record(replace(AWA, person=f"p-{n}", telephone=f"+223 70 00 {n:04}")) for n in range(PEOPLE)]
    bundles = [tmp_path / "bare", tmp_path / "open.zip"]
    first = bundled(town, bundles[0], openings=False)
    assert bundled(town, bundles[1], openings=True) == first
    seen = [(bundles[0], first), (bundles[1], first)]
    for n, person in enumerate(people, 1):
        town.forget(person)
        if n % 50 == 0:
            for openings in (False, True):
                path = tmp_path / f"{n}-{openings}"
                seen.append((path, bundled(town, path, openings=openings)))
    refused = 0
    for path, checkpoint in seen:
        for old in (None, first, checkpoint):
            try:
                holds(path, old)
            except verify.Tampered:
                refused += 1
    assert refused == 0
    assert len(seen) == 22
    lines = [len((path / "disclosures.jsonl").read_bytes().splitlines()) for path, _ in seen[2:] if "True" in path.name]
    assert lines == [3 * (PEOPLE - n) for n in range(50, PEOPLE + 1, 50)]
    assert town.engine.store.vault.streams() == set()
    bare = [file for path, _ in seen for file in path.rglob("*") if path.is_dir() and "False" in path.name]
    assert found([secret.encode() for secret in SECRETS], [file for file in bare if file.is_file()]) == []
    town.engine.close()


def test_a_bundle_with_openings_that_held_then_holds_when_they_are_destroyed(town: Town, tmp_path: Path) -> None:
    accounts = town.engine.store.log_size(LogName("platform"))
    person = town.record()
    kept = bundled(town, tmp_path / "then", openings=True)
    assert holds(tmp_path / "then") == 2
    town.forget(person)
    assert holds(tmp_path / "then") == 2
    bundled(town, tmp_path / "now", openings=True)
    assert (tmp_path / "now" / "disclosures.jsonl").read_bytes() == b""
    assert holds(tmp_path / "now", kept) == 5
    bundled(town, tmp_path / "platform", LogName("platform"), openings=False)
    assert holds(tmp_path / "platform") == accounts + 1
