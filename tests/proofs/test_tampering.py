"""Whoever changes a bundle is found out: thousands of changed ones, and none of them passes."""

from __future__ import annotations

import io
import re
import tempfile
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pytest

from cycle.proofs import verify
from cycle.proofs.note import Algorithm, cosign
from tests.proofs.changes import ANY, HONEST, LEAVES, NAMED
from tests.proofs.packing import laid, listed
from tests.proofs.sealing import KEY, SEALED_AT, sealed, signing_key

ROUNDS = 140


def test_there_are_thousands_of_changes_of_many_kinds() -> None:
    assert len(NAMED) >= 15
    assert ROUNDS * len(NAMED) >= 5_000


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and everything that was said, of the verifier as a program in this process."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        code = verify.main(["--lang", "en", *arguments])
    return code, said.getvalue()


@pytest.mark.parametrize("kind", NAMED)
def test_a_changed_bundle_does_not_hold(kind: str) -> None:
    chance = Random(kind)
    for _ in range(ROUNDS):
        found = NAMED[kind](chance)
        with tempfile.TemporaryDirectory() as folder:
            bundle = laid(found.files, Path(folder) / "bundle")
            arguments = [str(bundle), "--vkey", str(KEY.verifier)]
            if found.old is not None:
                kept = Path(folder) / "kept"
                kept.write_bytes(found.old)
                arguments += ["--old", str(kept)]
            code, said = run(*arguments)
        assert code == 1, said
        named = re.search(r"first wrong index (\d+)", said)
        if found.index != ANY:
            assert named, said
            assert int(named[1]) == found.index, said


def test_the_same_bundle_unchanged_holds(tmp_path: Path) -> None:
    bundle = laid(HONEST, tmp_path / "bundle")
    (tmp_path / "kept").write_bytes(sealed(LEAVES[:7]).checkpoint)
    code, said = run(str(bundle), "--vkey", str(KEY.verifier), "--old", str(tmp_path / "kept"))
    assert code == 0, said
    assert "The first 7 events are those of the checkpoint" in said
    assert unicodedata.is_normalized("NFC", said)
    assert f"{SEALED_AT:%Y-%m-%d}" in said


def test_a_checkpoint_that_a_witness_signed_after_us_still_holds(tmp_path: Path) -> None:
    files = listed(
        {**HONEST, "checkpoint": cosign(HONEST["checkpoint"], signing_key("w", "w", Algorithm.COSIGNATURE), 5)}
    )
    code, said = run(str(laid(files, tmp_path)), "--vkey", str(KEY.verifier))
    assert code == 0, said
