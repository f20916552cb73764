"""A small demo, and what an evaluator takes away from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest

from tests.cli.conftest import told
from tests.cli.run import Cli

__all__ = ["told"]
Take = Callable[..., Path]
"""``take("csv", "--as-of", "2024-01-01")`` -> the folder."""


@pytest.fixture
def demo(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On a copy of the small demo, as its evaluator."""
    copyfile(told, tmp_path / "cycle.db")
    monkeypatch.setenv("CYCLE_ACTOR", "evaluator-pact")
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(f"sqlite:///{tmp_path / 'cycle.db'}", capsys)


@pytest.fixture
def take(demo: Cli, tmp_path: Path) -> Take:
    taken: list[Path] = []

    def exported(form: str, *options: str) -> Path:
        taken.append(tmp_path / f"taken-{len(taken)}")
        demo.ok("export", form, "--to", str(taken[-1]), *options)
        return taken[-1]

    return exported
