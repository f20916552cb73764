"""Archives and folders that somebody hands us: false names, damage, and what unfolds without end."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from cycle.proofs import verify
from tests.proofs.packing import listed, packed
from tests.proofs.sealing import KEY, bundle, leaves
from tests.proofs.test_tampering import run

SOURCE = Path(verify.__file__)
LEAVES = leaves(12)
VKEY = str(KEY.verifier)


def test_folder_and_archive_hold_the_same_and_are_made_the_same_every_time(tmp_path: Path) -> None:
    first, second = (bundle(tmp_path / f"{n}.zip", LEAVES).read_bytes() for n in "ab")
    assert first == second
    folder = bundle(tmp_path / "folder", LEAVES)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    assert inside == packed(LEAVES)


def zipped(to: Path, files: Iterable[tuple[str, bytes]]) -> str:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return str(to)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "schemas/../x", "C:x", "a\\b", "schemas/../../x.json", "x/", "./x", "\u202e"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    code, said = run(zipped(tmp_path / "b.zip", [*packed(LEAVES).items(), (name, b"x")]))
    assert (code, "has no place in a bundle" in said) == (1, True), said


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    code, said = run(zipped(tmp_path / "b.zip", [*packed(LEAVES).items(), ("leaves.jsonl", b"")]))
    assert (code, "the file leaves.jsonl comes twice" in said) == (1, True)


def test_an_archive_packed_by_somebody_else_holds_too(tmp_path: Path) -> None:
    assert run(zipped(tmp_path / "b.zip", [("schemas/", b""), *sorted(packed(LEAVES).items())]))[0] == 0


@pytest.mark.parametrize("name", ["leaves.jsonl", "leaf-hashes", "disclosures.jsonl", "checkpoint", "manifest.json"])
def test_an_archive_that_unfolds_without_end_is_left_early(tmp_path: Path, name: str) -> None:
    files = packed(LEAVES)
    grown = files[name] + bytes(200_000_000) if name != "disclosures.jsonl" else (b'{"a":1}\n' * 20_000_000)
    bomb = listed({**files, name: grown}) if name != "manifest.json" else {**files, name: grown}
    place = zipped(tmp_path / "b.zip", bomb.items())
    del grown, bomb
    assert Path(place).stat().st_size < 3_000_000
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (150_000_000,) * 2); sys.argv[:1] = []"
    )
    script = f"{limited}; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", script, str(SOURCE), place, "--lang", "en"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stderr.startswith("Does not hold"), ran.stderr
    assert ran.returncode == 1


def test_a_damaged_archive_never_crashes_and_holds_only_where_nothing_changed(tmp_path: Path) -> None:
    whole, chance = bundle(tmp_path / "b.zip", LEAVES).read_bytes(), Random(7)
    honest = packed(LEAVES)
    place = tmp_path / "damaged.zip"
    directory = whole.index(b"PK\x01\x02")
    for at in (*chance.sample(range(len(whole)), 300), *range(directory, len(whole))):
        damaged = whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        place.write_bytes(damaged if at >= directory or chance.random() < 0.8 else whole[:at])
        code, said = run(str(place), "--vkey", VKEY)
        assert code in (0, 1, 2)
        if code == 0:
            with zipfile.ZipFile(place) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == honest, said


def test_a_file_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    place = bundle(tmp_path / "b", LEAVES)
    (place / "checkpoint").rename(tmp_path / "elsewhere")
    (place / "checkpoint").symlink_to(tmp_path / "elsewhere")
    code, said = run(str(place))
    assert (code, "checkpoint has no place in a bundle" in said) == (1, True)


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    (tmp_path / "empty").mkdir()
    for place in ("b.zip", "empty", "nowhere"):
        code, said = run(str(tmp_path / place))
        assert (code, "is no bundle" in said) == (2, True), said


def test_an_archive_that_is_encrypted_or_packed_in_another_way_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_BZIP2) as archive:
        for name, content in packed(LEAVES).items():
            archive.writestr(name, content)
    whole = bundle(tmp_path / "c.zip", LEAVES).read_bytes()
    at = whole.index(b"PK\x01\x02") + 8
    (tmp_path / "c.zip").write_bytes(whole[:at] + bytes([whole[at] | 1]) + whole[at + 1 :])
    for place in ("b.zip", "c.zip"):
        code, said = run(str(tmp_path / place))
        assert (code, "is damaged" in said) == (1, True), said
