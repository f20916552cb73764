"""Programs as systemd starts them: real processes, with their lines on standard error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CYCLE = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()"]


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone at the end, whatever becomes of the test."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CYCLE_")}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**own, "LC_ALL": "C.UTF-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def said(process: subprocess.Popen[str]) -> str:
    """The next line that it prints; it has begun then."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return line


def stopped(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, list[Any]]:
    """Its exit code after a signal, and its lines."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in errors.splitlines()]
