from __future__ import annotations

from collections.abc import Iterator

import pytest

from cycle.engine import Engine
from tests.cli.conftest import cli, demo, told
from tests.engine.path import Path as Way

__all__ = ["cli", "demo", "told"]


@pytest.fixture
def way(sqlite_url: str) -> Iterator[Way]:
    """A framework of Dioro, at its beginning; the tests choose where to stop."""
    with Engine(sqlite_url) as engine:
        yield Way(engine)
