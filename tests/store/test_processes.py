"""Several processes on one log, and processes that die in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder

ROOT = Path(__file__).parents[2]


def start(url: str, name: str, many: int, size: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.writer", url, name, str(many), str(size)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def acknowledged(process: subprocess.Popen[str]) -> list[tuple[int, str]]:
    out, _ = process.communicate(timeout=120)
    lines = (line.split() for line in out.splitlines())
    return [(int(line[0]), line[1]) for line in lines if len(line) == 2]


def test_processes_share_one_log_without_gap_or_duplicate(database_url: str) -> None:
    """Four processes on one SQLite file; on PostgreSQL the same four, each with its own connection."""
    SqlRecorder(open_database(database_url)).close()
    processes = [start(database_url, f"p{n}", 60) for n in range(4)]
    for process in processes:
        go(process)
    positions = sorted(position for process in processes for position, _ in acknowledged(process))
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert positions == list(range(1, 241))
    store = SqlRecorder(open_database(database_url))
    assert [row.position for row in store.read(0, 1000)] == positions
    store.close()


def test_two_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    command = [sys.executable, "-m", "tests.store.writer", database_url, "x", "0", "1"]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in processes:
        out, _ = process.communicate("\n", timeout=60)
        assert (out, process.returncode) == ("ready\n", 0)


@pytest.mark.parametrize("kills", [50])
def test_a_writer_killed_at_any_moment_loses_nothing_that_was_acknowledged(database_url: str, kills: int) -> None:
    chance = Random(kills)
    acked: list[tuple[int, str]] = []
    for number in range(kills):
        process = start(database_url, f"k{number}", 10_000, 3)
        go(process)
        assert process.stdout is not None
        for _ in range(chance.randint(0, 25)):
            position, key = process.stdout.readline().split()
            acked.append((int(position), key))
        process.kill()
        acked += acknowledged(process)
    store = SqlRecorder(open_database(database_url))
    rows = store.read(0, 1_000_000)
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) % 3 == 0, "half a save"
    for position, key in acked:
        found = store.receipt(key)
        assert found is not None
        assert found[1].position == position
    assert store.head().position == len(rows)
    store.close()
