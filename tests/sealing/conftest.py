from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.conftest import cli, demo, tell, told
from tests.cli.run import Cli
from tests.postgres import new_database

__all__ = ["cli", "demo", "told"]


@pytest.fixture
def keyed(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On the small demo, with a key in the environment and seals beside the database."""
    key = tmp_path / "seal.key"
    demo.ok("seal", "--new-key", "cycle.example.org", "--key-file", str(key))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    return demo


@pytest.fixture(scope="session")
def told_in_postgres(postgres: str) -> str:
    """The name of a database with the small demo, to make others like it."""
    url = new_database(postgres)
    tell(url)
    return str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, keyed: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The same on either database, the folder of seals being named."""
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    if request.param == "postgresql":
        like: str = request.getfixturevalue("told_in_postgres")
        keyed.url = new_database(request.getfixturevalue("postgres"), like)
    return keyed
