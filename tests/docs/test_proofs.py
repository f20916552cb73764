"""The pages on leaves and proofs are run: their commands, what these print, and the code that specifies."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cycle.leaf import leaf_hash
from cycle.proofs.bundle import verifier
from tests.proofs.sealing import KEY, bundle, leaves, sealed

ROOT = Path(__file__).parents[2]
PROOFS, LEAF = ((ROOT / "docs" / name).read_text("utf-8") for name in ("proofs.md", "leaf.md"))
GOLDEN = ROOT / "tests/proofs/golden"


def printed(page: str, folder: Path) -> str:
    """What the commands of a page print, one after another."""
    script = "set -eu\n" + "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_leaf_is_hashed_as_the_page_says() -> None:
    expected = re.findall(r"```text\n(.*?)```", LEAF, re.DOTALL)[0]
    assert printed(LEAF, ROOT) == expected * 2


def test_a_bundle_is_checked_as_the_page_says(tmp_path: Path) -> None:
    of = leaves(24)
    bundle(tmp_path / "ML-4-01-04.zip", of)
    (tmp_path / "verify.py").write_bytes(verifier())
    (tmp_path / "published-key").write_text(f"{KEY.verifier}\n")
    (tmp_path / "kept-checkpoint").write_bytes(sealed(of[:9]).checkpoint)
    said = printed(PROOFS, tmp_path)
    for line in re.findall(r"```text\n(.*?)```", PROOFS, re.DOTALL)[0].splitlines():
        assert line in said


def test_the_code_that_specifies_the_trees_is_right() -> None:
    code: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PROOFS, re.DOTALL)[0], code)
    golden = json.loads((GOLDEN / "trees.json").read_bytes())
    hashes = [leaf_hash(bytes.fromhex(each)) for each in golden["leaves_hex"]]
    roots = [bytes.fromhex(each) for each in golden["roots"]]
    assert [code["root"](hashes[:size]) for size in range(len(roots))] == roots
    for case in golden["inclusion"]:
        index, size, proof = case["index"], case["size"], [bytes.fromhex(each) for each in case["proof"]]
        assert code["root_by_inclusion"](hashes[index], index, size, proof) == roots[size]
    for case in golden["consistency"]:
        old, size, proof = case["old_size"], case["size"], [bytes.fromhex(each) for each in case["proof"]]
        assert code["roots_by_consistency"](old, size, proof, roots[old]) == (roots[old], roots[size])


def test_the_checkpoint_on_the_page_is_the_golden_one() -> None:
    assert json.loads((GOLDEN / "notes.json").read_bytes())["note"] in PROOFS
