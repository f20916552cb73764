"""The page on timings is run."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, does_what_it_says


def test_the_page_on_timings_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(DOCS / "timings.md", tmp_path)
