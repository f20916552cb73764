from tests.cli.conftest import cli, demo, told

__all__ = ["cli", "demo", "told"]
