"""The page on NATS does what it says: with a real server, a real worker and its own consumer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import DOCS, does_what_it_says
from tests.postgres import free_port

PAGE = DOCS / "nats.md"


def test_the_walk_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_PORT", str(free_port()))
    [consumer] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "consumer.py").write_text(consumer, "utf-8")
    does_what_it_says(PAGE, tmp_path)
