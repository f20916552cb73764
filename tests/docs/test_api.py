"""The walk through the API is run: against a real server, with what it says that it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.page import DOCS, does_what_it_says
from tests.postgres import free_port


def test_the_walk_through_the_api_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    does_what_it_says(DOCS / "api-intro.md", tmp_path)
