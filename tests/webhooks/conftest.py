from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.town import Town, made_key


@pytest.fixture(autouse=True)
def in_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers of these tests stand on this machine, without TLS."""
    monkeypatch.setenv("CYCLE_WEBHOOK_NETWORKS", "127.0.0.0/8")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def town(database_url: str, tmp_path: Path, receiver: Receiver) -> Iterator[Town]:
    """Everybody, on each database in turn."""
    found = Town(database_url, made_key(tmp_path), receiver).begun()
    yield found
    found.close()
