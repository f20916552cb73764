"""The page on exports is run."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, does_what_it_says


def test_the_page_on_exports_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(DOCS / "exports.md", tmp_path)
