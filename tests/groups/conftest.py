from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.groups.town import Town


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """Everybody, on each database in turn."""
    found = Town(database_url).begun()
    yield found
    found.close()
