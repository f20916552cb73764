"""The page on sealing is run: its commands in their order, and what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile

from tests.cli.conftest import told

__all__ = ["told"]
PAGE = Path(__file__).parents[2] / "docs" / "sealing.md"


def test_the_page_on_sealing_does_what_it_says(told: Path, tmp_path: Path) -> None:
    copyfile(told, tmp_path / "cycle.db")
    blocks = re.findall(r"```(sh|text)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    script = "set -eu\n" + "".join(f"echo '@@@{n}'\n{body}" for n, (kind, body) in enumerate(blocks) if kind == "sh")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CYCLE_", "LC_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    printed = dict(re.findall(r"@@@(\d+)\n(.*?)(?=@@@|\Z)", ran.stdout, re.DOTALL))
    for n, (kind, body) in enumerate(blocks):
        if kind == "text":
            for line in body.splitlines():
                assert line in printed[str(n - 1)], f"block {n}: {line!r} is not in\n{printed[str(n - 1)]}"
