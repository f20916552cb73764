"""The runbook for whoever runs the machine is run, as far as no root is needed."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, does_what_it_says


def test_the_page_on_operations_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(DOCS / "operations.md", tmp_path)
