from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nats.server import Node, node
from tests.nats.town import Town


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Node]:
    """One server of NATS, empty."""
    with node(tmp_path / "nats") as found:
        yield found


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A town on each database in turn."""
    found = Town(database_url).begun()
    yield found
    found.close()


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Town]:
    """A town on SQLite: for what does not depend on the database."""
    found = Town(sqlite_url).begun()
    yield found
    found.close()
