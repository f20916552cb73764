"""The first steps of the README work on what ``make demo`` fills."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cycle.demo import Simulated
from cycle_adapters.files.deliberations import recorded

README = Path(__file__).parents[2] / "README.md"


def test_the_first_steps_of_the_readme_work(tmp_path: Path) -> None:
    with Simulated(f"sqlite:///{tmp_path / 'demo.db'}", 1) as simulated:
        simulated.tell(recorded)
    steps = README.read_text("utf-8").partition("## First steps")[2].partition("## How it is built")[0]
    lines = [line for block in re.findall(r"```\n(.*?)```", steps, re.DOTALL) for line in block.splitlines()]
    script = "\n".join(["set -eu", *(line for line in lines if not line.startswith(". "))])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CYCLE_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Recorded: Monitoring" in ran.stdout
