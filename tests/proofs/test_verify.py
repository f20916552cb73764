"""The verifier as auditors meet it: alone on their machine, in front of whatever somebody hands them."""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import LogName
from cycle.leaf import LeafError, check_leaf
from cycle.proofs import verify
from cycle.proofs.note import Algorithm, cosign
from cycle.proofs.tree import root_of
from tests.proofs.golden.make import refused, written
from tests.proofs.packing import laid, listed, packed
from tests.proofs.sealing import KEY, LOG, bundle, leaf, leaves, sealed, signing_key
from tests.proofs.test_tampering import run

SOURCE = Path(verify.__file__)
GOLDEN = Path(__file__).parents[2] / "docs/golden"
LEAVES = leaves(12)
VKEY = str(KEY.verifier)


def test_the_verifier_needs_nothing_but_the_standard_library_of_python_3_9() -> None:
    tree = ast.parse(SOURCE.read_text("utf-8"), feature_version=(3, 9))
    named = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert named - {"cryptography"} <= sys.stdlib_module_names
    assert "cycle" not in named


def runs(*command: object) -> str | None:
    """What a command said that did not end well."""
    try:
        ran = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return ran.stdout + ran.stderr if ran.returncode else None


def test_the_verifier_runs_on_every_python_that_is_here(tmp_path: Path) -> None:
    """The syntax of 3.9 is held above; where older interpreters are at hand, they run it."""
    place = bundle(tmp_path / "bundle.zip", LEAVES)
    here = [name for minor in range(9, 16) if runs(name := f"python3.{minor}", "-c", "") is None]
    for python in {sys.executable, *here}:
        assert runs(python, "-W", "error", SOURCE, place) is None, python


def started(folder: Path, *arguments: str, options: Iterable[str] = (), **environment: str) -> tuple[int, str]:
    """The verifier of a bundle in a process of its own."""
    command = [sys.executable, "-W", "error", *options, str(folder / "verify.py"), *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_a_bundle_checks_itself_in_the_language_of_the_machine(tmp_path: Path) -> None:
    place = bundle(tmp_path / "bundle", LEAVES)
    path = os.environ["PATH"]
    code, said = started(place, LANG="fr_FR.UTF-8", PATH=path)
    assert (code, said.startswith("Conforme : journal ML-4-01-04, 12 événements")) == (0, True), said
    assert f"comparez {VKEY}" in said
    code, said = started(place, "--vkey", VKEY, "--old", str(place / "checkpoint"), LANG="fr_FR", LC_ALL="C", PATH=path)
    assert code == 0
    assert said.startswith("Holds: log ML-4-01-04, 12 events")
    assert "compare" not in said
    (place / "leaves.jsonl").write_bytes(b"".join(each + b"\n" for each in [*LEAVES[:4], *LEAVES[5:]]))
    code, said = started(place, "--lang", "fr", PATH=path)
    assert (code, "premier indice faux 4" in said) == (1, True), said
    code, said = started(place, str(tmp_path / "nowhere"), PATH=path)
    assert (code, said.startswith("Cannot be checked: ")) == (2, True), said


def test_the_openssl_command_will_do(tmp_path: Path) -> None:
    """-S leaves out what is installed beside Python, ``cryptography`` with it."""
    place, path = bundle(tmp_path / "bundle", LEAVES), os.environ["PATH"]
    code, said = started(place, "--vkey", VKEY, options=["-I", "-S"], PATH=path)
    assert code == 0, said
    laid(listed({**packed(LEAVES), "checkpoint": forged(sealed(LEAVES).checkpoint)}), place)
    code, said = started(place, "--vkey", VKEY, options=["-I", "-S"], PATH=path)
    assert (code, "the signature on checkpoint does not hold" in said) == (1, True), said


def forged(note: bytes) -> bytes:
    """A signature of the right form that signs nothing."""
    head, _, signature = note.rpartition(b" ")
    raw = bytearray(base64.b64decode(signature))
    raw[20] ^= 1
    return head + b" " + base64.b64encode(raw) + b"\n"


@pytest.mark.parametrize("lie", ["exit 0", "exit 1", None])
def test_an_openssl_that_is_not_there_or_knows_no_ed25519_is_not_believed(tmp_path: Path, lie: str | None) -> None:
    place = bundle(tmp_path / "bundle", LEAVES)
    if lie:
        (tmp_path / "openssl").write_text(f"#!/bin/sh\n{lie}\n")
        (tmp_path / "openssl").chmod(0o755)
    code, said = started(place, options=["-I", "-S"], PATH=str(tmp_path))
    assert (code, "install the package cryptography, or OpenSSL 3" in said) == (2, True), said


def test_the_golden_leaves_are_leaves_with_those_hashes() -> None:
    lines = (GOLDEN / "leaves.jsonl").read_bytes().splitlines()
    assert len(lines) == 20
    hashes = [bytes.fromhex(each) for each in (GOLDEN / "leaf-hashes.txt").read_text().split()]
    streams = verify.Streams("ML-4-01-04")
    for line, expected in zip(lines, hashes, strict=True):
        check_leaf(line)
        streams.check(verify.leaf_value(line))
        assert verify.sha256(b"\x00" + line).digest() == expected
    assert root_of(hashes).hex() == (GOLDEN / "root.txt").read_text().strip()


@pytest.mark.parametrize(("why", "line"), refused())
def test_what_is_no_leaf_is_refused_by_the_store_and_by_the_verifier(why: str, line: bytes) -> None:
    with pytest.raises(LeafError):
        check_leaf(line)
    if why == "too long":
        return
    with pytest.raises(verify.Wrong):
        verify.Streams(LOG).check(verify.leaf_value(line))


def test_the_golden_files_are_what_the_specifications_say() -> None:
    for file, content in written().items():
        assert file.read_bytes() == content, f"run tests/proofs/golden/make.py: {file.name}"


keys = st.text(max_size=3) | st.text('aé":\\', max_size=4)
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=4)


def containing(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner | st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)


values = containing(containing(containing(scalars)))


@settings(max_examples=1_500, deadline=None)
@given(st.dictionaries(keys, values, max_size=4), st.booleans(), st.integers(0, 200), st.binary(max_size=3))
def test_store_and_verifier_agree_on_what_a_leaf_is(
    value: dict[str, Any], ascii_only: bool, at: int, spoilt: bytes
) -> None:
    """On every JSON object, written by Python in one way or another, and with some bytes wrong."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only)
    line = text.encode("utf-8", "surrogatepass")
    for raw in (line, line[:at] + spoilt + line[at + len(spoilt) :]):
        assert is_leaf(raw, check_leaf, LeafError) == is_leaf(raw, an_object, verify.Wrong), raw


def an_object(line: bytes) -> None:
    value = verify.leaf_value(line)
    if type(value) is not dict:
        raise verify.Wrong("json")
    verify.check_keys(value)


def is_leaf(line: bytes, check: Any, error: type[Exception]) -> bool:
    try:
        check(line)
    except error:
        return False
    return True


def test_the_events_of_a_real_log_hold(tmp_path: Path) -> None:
    """The corpus of the first release, one log after another."""
    logs: dict[str, list[bytes]] = defaultdict(list)
    for line in (Path(__file__).parents[1] / "corpus/events-0.1.0.jsonl").read_bytes().splitlines():
        logs[json.loads(line)["log"]].append(line)
    assert len(logs) > 5
    for log, of in logs.items():
        code, said = run(str(bundle(tmp_path / f"{log}.zip", of, LogName(log))), "--vkey", VKEY)
        assert code == 0, said


def test_an_empty_log_and_one_of_one_event_hold(tmp_path: Path) -> None:
    for size in (0, 1):
        code, said = run(str(bundle(tmp_path / f"{size}.zip", LEAVES[:size])), "--vkey", VKEY)
        assert code == 0, said


def test_a_checkpoint_of_an_empty_log_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(sealed([]).checkpoint)
    place = bundle(tmp_path / "b", LEAVES)
    code, said = run(str(place), "--old", str(tmp_path / "kept"))
    assert (code, "proves nothing" in said) == (2, True)


@pytest.mark.parametrize("kept", [b"", b"x", b"a\n\n\xe2\x80\x94 a AAAA\n"])
def test_an_old_checkpoint_that_is_none_is_said_so(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "kept").write_bytes(kept)
    code, said = run(str(bundle(tmp_path / "b", LEAVES)), "--old", str(tmp_path / "kept"))
    assert (code, "is no checkpoint" in said) == (2, True)
    code, said = run(str(tmp_path / "b"), "--old", str(tmp_path / "not there"))
    assert (code, "cannot be read" in said) == (2, True)


@pytest.mark.parametrize(
    "vkey", ["", "x", "a+b+c", VKEY[:-1], str(signing_key("w", "w", Algorithm.COSIGNATURE).verifier)]
)
def test_a_key_that_is_none_is_said_so(tmp_path: Path, vkey: str) -> None:
    code, said = run(str(bundle(tmp_path / "b", LEAVES)), "--vkey", vkey)
    assert (code, "is no key" in said) == (2, True), said


def test_a_verifier_may_ask_for_witnesses(tmp_path: Path) -> None:
    witnesses = [signing_key(f"w{n}", f"w{n}.example.net", Algorithm.COSIGNATURE) for n in range(3)]
    note = sealed(LEAVES).checkpoint
    for each in witnesses[:2]:
        note = cosign(note, each, 1_772_366_400)
    place = str(laid(listed({**packed(LEAVES), "checkpoint": note}), tmp_path))
    asked = [part for each in witnesses for part in ("--witness", str(each.verifier))]
    assert run(place, *asked[:4])[0] == 0
    assert run(place, *asked, "--quorum", "2")[0] == 0
    code, said = run(place, *asked)
    assert (code, "2 of the given witnesses have signed, 3 are asked for" in said) == (1, True)


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
    command = [sys.executable, "-I", "-S", "-c", script, str(SOURCE), place]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ran.returncode == 1, ran.stderr


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


def test_a_bundle_of_another_form_asks_for_another_verifier(tmp_path: Path) -> None:
    code, said = run(str(laid(listed(packed(LEAVES), v=2), tmp_path)))
    assert (code, "the bundle has form 2" in said) == (2, True)


def test_nothing_that_somebody_wrote_steers_the_terminal(tmp_path: Path) -> None:
    of = [leaf(0, stream="\x1b[2J\u202e\x07" + "x" * 5_000, version=2)]
    code, said = run(str(laid(packed(of), tmp_path)))
    assert code == 1
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\u202e]{1,400}", said)


def test_every_sentence_is_there_in_both_languages_and_is_used() -> None:
    source = SOURCE.read_text("utf-8")
    for code, (english, french) in verify.SAID.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", french)), code
        assert source.count(f'"{code}"') >= 2, code


def test_an_unreadable_file_is_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bundle(tmp_path / "b", LEAVES)

    def fails(self: verify.Bundle, name: str) -> io.BytesIO:
        raise OSError("the disk does not answer")

    monkeypatch.setattr(verify.Bundle, "open", fails)
    code, said = run(str(place))
    assert (code, "the file manifest.json is damaged" in said) == (1, True)


def test_a_checkpoint_is_followed_from_every_size(tmp_path: Path) -> None:
    place = laid(packed(LEAVES), tmp_path)
    for size in range(1, len(LEAVES) + 1):
        found = verify.check(str(place), VKEY, sealed(LEAVES[:size]).checkpoint)
        assert found.old_size == size


def test_a_leaf_of_the_longest_kind_holds(tmp_path: Path) -> None:
    room = 65_535 - len(leaf(0, data={"t": ""}))
    code, said = run(str(bundle(tmp_path / "b", [leaf(0, data={"t": "x" * room})])), "--vkey", VKEY)
    assert code == 0, said
