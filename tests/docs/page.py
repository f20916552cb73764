"""A page of the documentation is run: its commands in their order, and what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def does_what_it_says(page: Path, folder: Path) -> None:
    """Run every ``sh`` block of a page in one shell; each line of a ``text`` block was printed by the block above."""
    blocks = re.findall(r"```(sh|text)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    script = "set -eu\n" + "".join(f"echo '@@@{n}'\n{body}" for n, (kind, body) in enumerate(blocks) if kind == "sh")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CYCLE_", "LC_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "250"}
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    said = ran.stdout.translate({0xA0: " ", 0x202F: " "})
    printed = dict(re.findall(r"@@@(\d+)\n(.*?)(?=@@@|\Z)", said, re.DOTALL))
    for n, (kind, body) in enumerate(blocks):
        if kind == "text":
            for line in body.splitlines():
                assert line in printed[str(n - 1)], f"block {n}: {line!r} is not in\n{printed[str(n - 1)]}"
