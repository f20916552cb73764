from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from cycle.identity import passwords
from tests.identity.house import House, made_key


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm with little work; that the real parameters hold is a test of its own."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Everybody, on each database in turn."""
    found = House(database_url, made_key(tmp_path)).begun()
    yield found
    found.engine.close()
