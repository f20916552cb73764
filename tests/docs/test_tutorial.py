"""The tutorial is run."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, does_what_it_says


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(DOCS / "tutorial.md", tmp_path)
