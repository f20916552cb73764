"""The page on paper is run: its commands in their order, and what it says that they print."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

from tests.cli.conftest import told
from tests.docs.page import DOCS, does_what_it_says

__all__ = ["told"]


def test_the_page_on_paper_does_what_it_says(told: Path, tmp_path: Path) -> None:
    copyfile(told, tmp_path / "cycle.db")
    does_what_it_says(DOCS / "paper.md", tmp_path)
