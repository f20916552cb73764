from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest

from cycle.demo import Simulated
from cycle.demo.people import ADMINISTRATOR
from cycle_adapters.files.deliberations import recorded
from tests.cli.run import Cli
from tests.people import AWA, admit


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo: six frameworks, two cycles each, and each in another stage."""
    path = tmp_path_factory.mktemp("told") / "told.db"
    tell(f"sqlite:///{path}")
    return path


def tell(url: str) -> None:
    with Simulated(url, 1) as simulated:
        simulated.tell(recorded, frameworks=6, cycles=2)
        admit(simulated.engine, *AWA, administrator=ADMINISTRATOR)


@pytest.fixture
def cli(sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On a database that does not exist yet."""
    monkeypatch.setenv("CYCLE_ACTOR", "awa")
    monkeypatch.setenv("CYCLE_ROLE", "facilitator")
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(sqlite_url, capsys)


@pytest.fixture
def demo(told: Path, tmp_path: Path, cli: Cli) -> Cli:
    """On a copy of the small demo."""
    copyfile(told, tmp_path / "cycle.db")
    return cli
