"""The runbook is run: whoever needs it has no time for a command that does not work."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, does_what_it_says


def test_the_page_on_restoring_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(DOCS / "restore.md", tmp_path)
