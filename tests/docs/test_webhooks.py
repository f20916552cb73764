"""The page on webhooks does what it says: its receivers verify what a real worker sends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import DOCS, does_what_it_says
from tests.postgres import free_port

PAGE = DOCS / "webhooks.md"


def snippet(language: str) -> str:
    """The block of the page in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found)


def test_the_walk_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "RECEIVER"):
        monkeypatch.setenv(name, str(free_port()))
    (tmp_path / "receiver.py").write_text(snippet("python"), "utf-8")
    does_what_it_says(PAGE, tmp_path)
