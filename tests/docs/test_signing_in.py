"""The page on signing in does what it says, and the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.page import DOCS, ROOT, does_what_it_says

PAGE = DOCS / "signing-in.md"


def test_the_page_on_signing_in_does_what_it_says(tmp_path: Path) -> None:
    does_what_it_says(PAGE, tmp_path)


def test_every_test_that_the_tables_name_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text("utf-8") + (DOCS / "threats.md").read_text("utf-8")))
    there = {
        name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert named - there == set()
    assert len(named) > 40
