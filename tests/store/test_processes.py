"""Several processes on one log, and processes that die in the middle."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import NamedTuple

import msgspec
import pytest

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder

ROOT = Path(__file__).parents[2]


def start(url: str, name: str, many: int, size: int = 1) -> subprocess.Popen[str]:
    return program("tests.store.writer", url, name, str(many), str(size))


def program(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A program of the tests that has opened its database and waits for ``go``."""
    command = [sys.executable, "-m", module, *arguments]
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
    assert [position for position, *_ in store.read(0, 1000)] == positions
    store.close()


class Saved(NamedTuple):
    """What one writer saw of one of its saves; the times are of the clock that all processes share."""

    writer: str
    head_before: int
    began: int
    acknowledged: int
    positions: list[int]


def told(process: subprocess.Popen[str]) -> list[Saved]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    lines = (line.split() for line in out.splitlines())
    return [
        Saved(writer, int(head), int(began), int(acknowledged), [int(p) for p in positions.split(",")])
        for writer, head, began, acknowledged, positions in lines
    ]


def follow(store: SqlRecorder, armed: Flag, ended: Flag) -> list[int]:
    """Every position as a reader meets it that goes on from the last one it has seen, until nothing is left."""
    seen: list[int] = []
    waker = store.waker()
    armed.set()
    while True:
        last_look = ended.is_set()
        found = [position for position, *_ in store.read(seen[-1] if seen else 0, 7)]
        seen += found
        if not found and last_look:
            waker.close()
            return seen
        if not found:
            waker.wait(0.1)


def test_the_order_of_the_log_is_the_order_of_the_commits(database_url: str) -> None:
    """Eight writers in four processes. Whoever began after another was acknowledged stands behind it."""
    store = SqlRecorder(open_database(database_url))
    processes = [program("tests.store.threads", database_url, f"p{n}", "40") for n in range(4)]
    armed, ended = Flag(), Flag()
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(follow, store, armed, ended)
        assert armed.wait(30)
        try:
            for process in processes:
                go(process)
            saves = [saved for process in processes for saved in told(process)]
        finally:
            ended.set()
        seen = reader.result(60)
    assert len({saved.writer for saved in saves}) == 8
    everything = sorted(position for saved in saves for position in saved.positions)
    assert everything == list(range(1, len(everything) + 1)), "a gap, or a position given twice"
    assert seen == everything, "something appeared below what a reader had already passed"
    for saved in saves:
        first, last = saved.positions[0], saved.positions[-1]
        assert saved.positions == list(range(first, last + 1)), "somebody else stands inside of a save"
        assert first > saved.head_before
    # Independently of what positions anybody saw: by the clock.
    by_acknowledgement = sorted(saves, key=lambda saved: saved.acknowledged)
    by_beginning = sorted(saves, key=lambda saved: saved.began)
    done, highest, ordered = 0, 0, 0
    for saved in by_beginning:
        while done < len(saves) and by_acknowledgement[done].acknowledged < saved.began:
            highest = max(highest, by_acknowledgement[done].positions[-1])
            done += 1
        assert saved.positions[0] > highest, "it began after that was acknowledged, and stands before it"
        ordered += highest > 0
    assert ordered > len(saves) / 2, "hardly any two followed each other: nothing was compared"
    leaves = [msgspec.json.decode(leaf) for *_, leaf in store.read(0)]
    assert all(one["recorded_at"] <= other["recorded_at"] for one, other in pairwise(leaves))
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
    rows = list(store.read(0))
    assert [position for position, *_ in rows] == list(range(1, len(rows) + 1))
    assert len(rows) % 3 == 0, "half a save"
    for position, key in acked:
        found = store.receipt(key)
        assert found is not None
        assert found[1].position == position
    assert store.head().position == len(rows)
    store.close()
