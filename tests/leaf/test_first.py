"""Many threads are the first to decode into something, and none of them meets half of what there is to know of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = ("cli", "files", "sealing", "demo", "proofs", "jetstream")
"""Rooms in which one thread works, or no other one decodes into the same."""


def test_who_comes_second_waits_until_all_is_known() -> None:
    program = [sys.executable, "-m", "tests.leaf.first"]
    done = subprocess.run(program, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def shapes(code: ast.AST) -> Iterator[ast.expr]:
    """What is decoded into while a programme runs: what is made at its beginning is made by one thread."""
    for function in ast.walk(code):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call):
                    match ast.unparse(call.func):
                        case "msgspec.convert":
                            yield call.args[1]
                        case "msgspec.json.decode":
                            yield from (each.value for each in call.keywords if each.arg == "type")
                        case "msgspec.json.Decoder":
                            yield call


SOURCES = [
    path
    for room in ("src/cycle", "adapters/cycle_adapters")
    for path in sorted((ROOT / room).rglob("*.py"))
    if not set(path.parts) & set(ALONE) and path.name != "shapes.py"
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_is_decoded_into_is_understood_before(path: Path) -> None:
    plain = ("understood(", "dict[", "date", "tuple[str")
    for shape in shapes(ast.parse(path.read_text("utf-8"))):
        assert ast.unparse(shape).startswith(plain), f"line {shape.lineno}"
