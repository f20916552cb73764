"""The page on consumer groups does what it says: its worker takes from a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import DOCS, does_what_it_says
from tests.postgres import free_port

PAGE = DOCS / "groups.md"


def test_the_walk_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    [worker] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "worker.py").write_text(worker, "utf-8")
    does_what_it_says(PAGE, tmp_path)
