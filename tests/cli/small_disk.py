"""A program with a small disk of its own, which it fills. Run by the tests in a name space in which it may mount.

Takes the folder to mount on, where to copy the file at the end, how many bytes to leave free, and the
arguments of a command; prints what became of the command on the full disk and after room was made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cycle.aggregates.base import Role
from cycle.engine import Engine
from tests.people import accounts_begin, admit

DISK_BYTES = 2_000_000
AWA_ON_A_SMALL_DISK = [("awa", role, "/") for role in (Role.FACILITATOR, Role.PROGRAMME, Role.OPERATOR)]


def cycle(*arguments: str) -> tuple[int, str, str]:
    program = "from cycle_adapters.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "--lang", "fr", *arguments], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


def fill(path: Path, left_free: int) -> None:
    """Whatever room there is, but for so many bytes."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - left_free))


def main(disk: Path, copy: Path, left_free: int, *arguments: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(disk)], check=True)
    os.environ["CYCLE_ROLE"] = "facilitator"
    os.environ["CYCLE_DATABASE"] = f"sqlite:///{disk / 'cycle.db'}"
    os.environ["CYCLE_ACTOR"] = "awa"
    with Engine(os.environ["CYCLE_DATABASE"]) as engine:
        accounts_begin(engine)
        admit(engine, *AWA_ON_A_SMALL_DISK)
    cycle("policy", "publish")
    cycle("do", "register-commune", *(f"--set={f}" for f in ("commune=ML-1", "name=Dioro", "region=R", "circle=C")))
    cycle("show", "frameworks")  # the projections have their tables from now on
    fill(disk / "fill", left_free)
    full = cycle(*arguments)
    (disk / "fill").unlink()
    healed = cycle(*arguments)
    shutil.copyfile(disk / "cycle.db", copy)
    print(json.dumps([full, healed]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
