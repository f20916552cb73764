"""Many processes on one PostgreSQL: each of them may be killed, and nothing that was acknowledged is lost.

The whole size is a command: ``python -m benchmarks.trial``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.trials.trial import KILLS, trial


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own, which every new run of it closes to the account of the server again."""
    with TemporaryDirectory(prefix="cycle-trial-") as found:
        yield Path(found)


def test_each_is_killed_in_turn_and_nothing_is_lost(folder: Path) -> None:
    with trial(folder, per_second=15, clients=3) as found:
        found.load.goes_on(20)
        for kill in KILLS.values():
            kill(found)
        found.ends()
        assert found.house.errors() == []
        assert found.checkpoints > len(KILLS)
