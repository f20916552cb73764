"""The guide for facilitators quotes what the pages say."""

from __future__ import annotations

import re

from cycle import catalogue
from tests.docs.page import DOCS


def test_whatever_the_guide_quotes_is_said_on_the_pages() -> None:
    page = " ".join((DOCS / "desk.md").read_text("utf-8").split())
    said = {words.get("en", "") for words in catalogue._texts().values()}
    quoted = set(re.findall("“([^”]+)”", page)) - {"quotation marks"}
    assert len(quoted) > 20
    assert quoted - said == set()
