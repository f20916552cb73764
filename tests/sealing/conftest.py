from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import cli, demo, told
from tests.cli.run import Cli

__all__ = ["cli", "demo", "told"]


@pytest.fixture
def keyed(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On the small demo, with a key in the environment and seals beside the database."""
    key = tmp_path / "seal.key"
    demo.ok("seal", "--new-key", "cycle.example.org", "--key-file", str(key))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    return demo
