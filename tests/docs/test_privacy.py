"""The page on privacy is run: its commands in their order, and what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_the_page_on_privacy_does_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```(sh|text)?\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    script = "set -eu\n" + "".join(f"echo '@@@{n}'\n{body}" for n, (kind, body) in enumerate(blocks) if kind != "text")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CYCLE_", "LC_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "250"}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    printed = dict(re.findall(r"@@@(\d+)\n(.*?)(?=@@@|\Z)", ran.stdout, re.DOTALL))
    assert any(kind == "text" for kind, _ in blocks)
    for n, (kind, body) in enumerate(blocks):
        if kind == "text":
            for line in body.splitlines():
                assert line in printed[str(n - 1)], f"block {n}: {line!r} is not in\n{printed[str(n - 1)]}"
    assert b"Awa" not in b"".join(path.read_bytes() for path in tmp_path.glob("town.db*") if path.is_file())
