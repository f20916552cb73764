"""The page on feeds is run: against a real server, with what it says that it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.page import DOCS, does_what_it_says
from tests.postgres import free_port


def test_the_page_on_feeds_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    does_what_it_says(DOCS / "feeds.md", tmp_path)
