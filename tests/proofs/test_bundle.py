"""What writes a bundle writes one that verifies, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from cycle.aggregates.base import LogName
from cycle.proofs.bundle import Manifest, WouldNotVerify, write_bundle
from cycle.proofs.disclosure import Disclosed
from cycle.proofs.note import NoteError
from cycle.proofs.registry import BadHead
from tests.proofs.packing import packed
from tests.proofs.sealing import LOG, disclosed, leaves, sealed, signing_key

LEAVES = leaves(12)
SEALED = sealed(LEAVES)


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
@pytest.mark.parametrize("wrong", [LEAVES[:-1], [*LEAVES, LEAVES[0]], LEAVES[::-1], []])
def test_leaves_that_were_not_sealed_leave_nothing_behind(tmp_path: Path, name: str, wrong: list[bytes]) -> None:
    with pytest.raises(WouldNotVerify, match=r"not those of the checkpoint \(12\)"):
        write_bundle(tmp_path / name, SEALED, wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_or_a_registry_that_does_not_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    other = sealed(LEAVES, LogName("other"))
    for wrong, error in (
        (replace(SEALED, key=signing_key("thief").verifier), NoteError),
        (replace(SEALED, checkpoint=other.checkpoint), NoteError),
        (replace(SEALED, registry_proof=other.registry_proof), BadHead),
        (replace(SEALED, log=LogName("other")), NoteError),
    ):
        with pytest.raises(error):
            write_bundle(tmp_path / "bundle", wrong, LEAVES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_what_is_there_already_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="name another place"):
        write_bundle(tmp_path / name, SEALED, LEAVES)
    assert (tmp_path / name).read_bytes() == b"mine"


def test_the_manifest_that_is_returned_is_the_one_that_is_written(tmp_path: Path) -> None:
    said = write_bundle(tmp_path / "bundle", SEALED, iter(LEAVES), disclosed((10, 3)))
    assert msgspec.json.decode((tmp_path / "bundle/manifest.json").read_bytes(), type=Manifest) == said
    assert (said.log, said.size, said.as_of) == (LOG, 12, "2026-03-01T12:00:00.000005Z")
    assert (tmp_path / "bundle/manifest.json").read_bytes() == packed(LEAVES)["manifest.json"]


def test_openings_stand_in_order_whatever_order_they_came_in(tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", SEALED, LEAVES, [*disclosed((10, 3)), Disclosed(3, "A")])
    lines = (tmp_path / "bundle/disclosures.jsonl").read_bytes().splitlines()
    said = [(each["index"], each["disclosure"]) for each in map(json.loads, lines)]
    assert said == sorted(said)
    assert [index for index, _ in said] == [3, 3, 10]


def test_only_the_schemas_of_its_own_events_go_with_a_log(tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", SEALED, LEAVES)
    assert [each.name for each in (tmp_path / "bundle/schemas").iterdir()] == ["monitoring-recorded.v1.json"]


def test_the_readme_speaks_both_languages_and_shows_the_key() -> None:
    readme = packed(LEAVES)["README.txt"].decode()
    assert "Journal ML-4-01-04" in readme
    assert "Log ML-4-01-04" in readme
    assert readme.count(str(SEALED.key)) == 2
