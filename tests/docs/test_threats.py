"""The page of threats names tests that are there."""

from __future__ import annotations

import re

import pytest

from tests.docs.page import DOCS

PAGE = (DOCS / "threats.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| threat |")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_threat_names_a_test_that_is_there(row: str) -> None:
    files = re.findall(r"\]\((\.\./tests/[^)]+\.py)\)", row)
    assert files, "no test is named"
    texts = [(DOCS / file).read_text("utf-8") for file in files]
    for name in re.findall(r"`(test_\w+)`", row):
        assert any(f"\ndef {name}(" in text for text in texts), f"{name} is in none of {files}"


def test_there_are_threats() -> None:
    """The rows are found at all, also below the headings."""
    assert len(ROWS) > 35
    assert {"The vault", "The sealer"} <= set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
