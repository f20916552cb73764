"""A sample territory, told once, and its doors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient

from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.reading import Reader
from cycle_adapters.files.deliberations import recorded
from tests.cli.run import Cli
from tests.http.town import served


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frameworks of both regions, three cycles each."""
    path = tmp_path_factory.mktemp("timings") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=12, cycles=3)
    return path


@pytest.fixture
def cli(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    copyfile(told, tmp_path / "cycle.db")
    monkeypatch.setenv("CYCLE_ACTOR", "operator")
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(f"sqlite:///{tmp_path / 'cycle.db'}", capsys)


@pytest.fixture
def reader(cli: Cli) -> Iterator[Reader]:
    with Engine(cli.url) as engine:
        found = Reader(engine, "operator")
        found.catch_up()
        yield found


@pytest.fixture
def client(reader: Reader) -> Iterator[TestClient]:
    with served(reader.engine, "operator") as found:
        yield found
