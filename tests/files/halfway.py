"""A program that stops in the middle of a backup or a restore, says so, and waits. Run by the tests."""

from __future__ import annotations

import sys
from pathlib import Path

from cycle_adapters.files.backup import backup, restore
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder


def main(act: str, url: str, path: str, calls: int) -> None:
    store = SqlRecorder(open_database(url))
    left = calls

    def stop(done: int, of: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            print("ready", flush=True)
            sys.stdin.readline()

    (backup if act == "backup" else restore)(store, Path(path), stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
