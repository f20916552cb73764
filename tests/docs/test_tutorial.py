"""The tutorial is run: its commands in their order, and what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```(sh|text)\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    script = "set -eu\n" + "".join(f"echo '@@@{n}'\n{body}" for n, (kind, body) in enumerate(blocks) if kind == "sh")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CYCLE_", "LC_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "250"}
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=-1,
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
