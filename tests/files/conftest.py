"""The command line on a new database and on a small demo."""

from tests.cli.conftest import cli, demo, told

__all__ = ["cli", "demo", "told"]
