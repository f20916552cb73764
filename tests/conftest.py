"""Real databases for every test that needs one: a SQLite file, and a PostgreSQL that we start ourselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cycle.engine import Engine
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.postgres import cluster, new_database


@pytest.fixture(scope="session")
def postgres(worker_id: str) -> Iterator[str]:
    """The URL of a running cluster: one for each worker, so that none stops another's.

    Not below pytest's own folder, which every new run of pytest closes to other accounts again.
    """
    with TemporaryDirectory(prefix=f"cycle-{worker_id}-") as folder, cluster(Path(folder)) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of a new database."""
    return new_database(postgres)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'cycle.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def store(database_url: str) -> Iterator[SqlRecorder]:
    """A new and empty store."""
    recorder = SqlRecorder(open_database(database_url))
    yield recorder
    recorder.close()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a new and empty database."""
    with Engine(database_url) as engine:
        yield engine


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SQLite that was not built to overwrite what is deleted, as some systems' is."""
    connect = sqlite3.connect

    def connected(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.execute("PRAGMA secure_delete = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connected)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", connected)
