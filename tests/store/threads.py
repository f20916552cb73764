"""A program in which two threads write through one store, each noting when. Run by the tests.

Each line tells one save: the thread, the head it saw before, when it began, when it was acknowledged
(nanoseconds of the machine's own monotonic clock, which all processes share), and its positions.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import monotonic_ns

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import save

THREADS = 2


def sizes(name: str, many: int) -> list[int]:
    """How many events each save of a thread holds."""
    chance = Random(name)
    return [chance.choice((1, 1, 3)) for _ in range(many)]


def written(name: str, many: int) -> int:
    """How many events a program of this name writes."""
    return sum(sum(sizes(f"{name}-{n}", many)) for n in range(THREADS))


def write(store: SqlRecorder, name: str, many: int) -> list[str]:
    version, told = 1, []
    for size in sizes(name, many):
        head = store.head().position
        began = monotonic_ns()
        receipt = store.append(save(name, version, size))
        acknowledged = monotonic_ns()
        positions = ",".join(str(line.position) for line in receipt.events)
        told.append(f"{name} {head} {began} {acknowledged} {positions}")
        version += size
    return told


def main(url: str, name: str, many: int) -> None:
    store = SqlRecorder(open_database(url))
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        for told in pool.map(lambda n: write(store, f"{name}-{n}", many), range(THREADS)):
            print("\n".join(told), flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
