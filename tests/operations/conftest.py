from __future__ import annotations

from tests.cli.conftest import cli, demo, told

__all__ = ["cli", "demo", "told"]
