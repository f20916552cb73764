from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cycle.vault.keys import new_key
from tests.vault.town import Town


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key outside of the database."""
    new_key(tmp_path / "vault.key")
    return tmp_path / "vault.key"


@pytest.fixture
def town(database_url: str, key: Path) -> Iterator[Town]:
    """A commune on each database in turn."""
    found = Town(database_url, key).founded()
    yield found
    found.engine.close()
