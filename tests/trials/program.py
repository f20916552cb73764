"""One process of ours, which can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.operations.processes import CYCLE, ROOT

READY_SECONDS = 60


class Program:
    """One process of ours; what it says on standard error is kept in a file."""

    def __init__(
        self, name: str, command: Sequence[str], environment: dict[str, str], folder: Path, *, tells: bool = True
    ) -> None:
        """``tells``: whether it tells when it is ready."""
        self._tells = tells
        self.name, self.log = name, folder / f"{name}.log"
        own = {each: value for each, value in os.environ.items() if not each.startswith("CYCLE_")}
        self._command = (*CYCLE, "--lang", "en", *command)
        self._notes = folder / f"{name}.notes"
        self._environment = {**own, "LC_ALL": "C.UTF-8", "NOTIFY_SOCKET": str(self._notes), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; it is ready when this returns, as systemd waits for it, where it tells."""
        self._notes.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes, self.log.open("a") as log:
            notes.bind(str(self._notes))
            notes.settimeout(READY_SECONDS)
            given = {"cwd": ROOT, "env": self._environment, "stdout": subprocess.DEVNULL, "stderr": log}
            self._process = subprocess.Popen(self._command, **given)  # type: ignore[call-overload]
            while self._tells and notes.recv(1_000) != b"READY=1":
                pass

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As an operator stops it; returns its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        process.communicate(timeout=60)
        return process.returncode

    def end(self) -> None:
        if self._process is not None:
            self.kill()
