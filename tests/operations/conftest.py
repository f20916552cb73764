from __future__ import annotations

from tests.cli.conftest import cli, demo, told
from tests.vault.conftest import key, town

__all__ = ["cli", "demo", "key", "told", "town"]
