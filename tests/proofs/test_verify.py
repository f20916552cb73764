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
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cycle.aggregates.base import LogName
from cycle.leaf import LeafError, canonical, check_leaf, leaf_hash
from cycle.proofs import verify
from cycle.proofs.checkpoint import Checkpoint, sign_checkpoint
from cycle.proofs.disclosure import digest
from cycle.proofs.note import Algorithm, Note, cosign
from cycle.proofs.receipt import sign_receipt
from cycle.proofs.registry import RegistryProof
from cycle.proofs.tree import root_of
from tests.proofs.golden.make import refused, written
from tests.proofs.packing import laid, listed, packed
from tests.proofs.sealing import KEY, LOG, OPERATOR, bundle, leaf, leaves, opening, sealed, signing_key
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


MISCOPIED = f"{OPERATOR}+00000000+{VKEY.split('+', 2)[2]}"
OF_A_WITNESS = str(signing_key("w", "w", Algorithm.COSIGNATURE).verifier)


@pytest.mark.parametrize("vkey", ["", "x", "a+b+c", VKEY[:-1], MISCOPIED, OF_A_WITNESS])
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


def test_one_witness_under_two_names_is_one(tmp_path: Path) -> None:
    twice = [signing_key("w", name, Algorithm.COSIGNATURE) for name in ("w.example.net", "x.example.net")]
    note = sealed(LEAVES).checkpoint
    for each in twice:
        note = cosign(note, each, 5)
    place = laid(listed({**packed(LEAVES), "checkpoint": note}), tmp_path / "cosigned")
    asked = [part for each in twice for part in ("--witness", str(each.verifier))]
    code, said = run(str(place), *asked)
    assert (code, "1 of the given witnesses have signed, 2 are asked for" in said) == (1, True)


def test_a_witness_alone_makes_no_checkpoint(tmp_path: Path) -> None:
    """Whoever has the key of a witness signs no log with it."""
    witness = signing_key("w", "w.example.net", Algorithm.COSIGNATURE)
    text, _, own = sealed(LEAVES).checkpoint.decode().rpartition("\n\n")
    note = cosign(sealed(LEAVES).checkpoint, witness, 5).decode().replace(own, "", 1)
    assert note.startswith(text)
    place = laid(listed({**packed(LEAVES), "checkpoint": note.encode()}), tmp_path / "cosigned")
    code, said = run(str(place), "--vkey", VKEY, "--witness", str(witness.verifier))
    assert (code, "is not signed by" in said) == (1, True)


def test_a_receipt_that_the_operator_did_not_sign_is_no_evidence(tmp_path: Path) -> None:
    place = str(bundle(tmp_path / "b", LEAVES))
    [note] = sign_receipt(KEY, "paper-1", "2026-02-01T08:00:00.000000Z", [(LOG, 4, leaf_hash(LEAVES[4]))])
    [foreign] = sign_receipt(signing_key("other"), "paper-1", "2026-02-01T08:00:00.000000Z", [(LOG, 4, bytes(32))])
    given = tmp_path / "receipt"

    def checked(receipt: bytes) -> tuple[int, str]:
        given.write_bytes(receipt)
        return run(place, "--vkey", VKEY, "--receipt", str(given))

    assert checked(note)[0] == 0
    code, said = checked(note.replace(b" 4 ", b" 5 "))
    assert (code, "the signature on --receipt does not hold" in said) == (1, True)
    code, said = checked(foreign)
    assert (code, "--receipt is not signed by" in said) == (2, True)
    own = note.decode().rpartition("\n\n")[2]
    code, said = checked(foreign.replace(b" 4 ", b" 5 ") + own.encode())
    assert (code, "the signature on --receipt does not hold" in said) == (1, True)


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


def test_a_salt_that_can_be_guessed_is_refused_even_where_its_digest_was_sealed(tmp_path: Path) -> None:
    text = base64.urlsafe_b64encode(b'["c2hvcnQ","data.witness","Awa"]').rstrip(b"=").decode()
    of = [leaf(0, sealed=[digest(text)])]
    line = canonical({"disclosure": text, "index": 0}) + b"\n"
    code, said = run(str(laid(listed({**packed(of), "disclosures.jsonl": line}), tmp_path)))
    assert (code, "disclosures.jsonl, line 1: not in the form" in said) == (1, True)


def test_two_values_under_one_name_are_refused_even_where_both_were_sealed(tmp_path: Path) -> None:
    """Else an operator could seal two names of a witness, and show whichever suits him."""
    both = sorted(opening(number).disclosure() for number in (3, 1003))
    lines = b"".join(canonical({"disclosure": each, "index": 3}) + b"\n" for each in both)
    code, said = run(str(laid(listed({**packed(LEAVES), "disclosures.jsonl": lines}), tmp_path)))
    assert (code, "first wrong index 3: disclosures.jsonl, line 2: not in the form" in said) == (1, True)


def test_a_tree_of_the_operator_that_is_not_the_registry_does_not_pass_for_it(tmp_path: Path) -> None:
    """A log may hold as an event what looks like a head: its checkpoint has another origin."""
    proof = RegistryProof.parse(sealed(LEAVES).registry_proof)
    registry = Checkpoint.parse(Note.parse(proof.checkpoint).text)
    posing = sign_checkpoint(replace(registry, origin=f"{OPERATOR}/other"), KEY)
    files = {**packed(LEAVES), "registry-proof": bytes(replace(proof, checkpoint=posing))}
    code, said = run(str(laid(listed(files), tmp_path)), "--vkey", VKEY)
    assert (code, f"registry-proof is of {OPERATOR}/other, not of {OPERATOR}" in said) == (1, True)


def test_hashes_that_cannot_be_read_a_second_time_are_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, opened = bundle(tmp_path / "b", LEAVES), verify.Bundle.open
    times: list[str] = []

    def fails_later(self: verify.Bundle, name: str) -> Any:
        times.append(name)
        if times.count("leaf-hashes") == 2:
            raise OSError("the disk does not answer")
        return opened(self, name)

    monkeypatch.setattr(verify.Bundle, "open", fails_later)
    code, said = run(str(place))
    assert (code, "the file leaf-hashes is damaged" in said) == (1, True)


def test_the_checkpoint_of_another_log_says_nothing_of_this_one_even_with_the_same_root(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(sealed(LEAVES, LogName("other")).checkpoint)
    code, said = run(str(bundle(tmp_path / "b", LEAVES)), "--old", str(tmp_path / "kept"))
    assert (code, f"--old is of {OPERATOR}/other, not of {OPERATOR}/{LOG}" in said) == (1, True), said
