"""The page on importing deliberations is run."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import DOCS, ROOT, does_what_it_says


def test_the_page_on_imports_does_what_it_says(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    does_what_it_says(DOCS / "import-deliberations.md", here)
