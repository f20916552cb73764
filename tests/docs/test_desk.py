"""The guides for facilitators and integrators quote what the pages say."""

from __future__ import annotations

import re

import pytest

from cycle import catalogue
from tests.docs.page import DOCS


@pytest.mark.parametrize(("guide", "least"), [("desk.md", 20), ("console.md", 10)])
def test_whatever_a_guide_quotes_is_said_on_the_pages(guide: str, least: int) -> None:
    page = " ".join((DOCS / guide).read_text("utf-8").split())
    said = {words.get("en", "") for words in catalogue._texts().values()}
    quoted = set(re.findall("“([^”]+)”", page)) - {"quotation marks"}
    assert len(quoted) > least
    assert not {words for words in quoted if not any(each.startswith(words) for each in said)}
