"""How long one command may be held up when four processes write to one database at the same time.

Run with ``python -m benchmarks.stalls [commands per process]``. Beside the four that write, a fifth may
follow with the projections, or build them anew: on SQLite they all share one write lock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event as Flag
from time import perf_counter
from typing import Any

from benchmarks.append import PAPER, prepared, said
from benchmarks.measure import databases, line
from cycle.engine import Engine
from cycle.projections.runner import Runner

PROCESSES = 4
# Started anew, as they are in life: nothing is shared but the database.
CONTEXT = get_context("spawn")


def write(url: str, framework: str, many: int, ready: Any, times: Any) -> None:
    """Tells how long each command took, in milliseconds; a failed one tells why instead."""
    found: list[float | str] = []
    with Engine(url) as engine:
        engine.states.history(engine.execute(said(PAPER, framework)).stream)
        ready.wait()
        for _ in range(many):
            begin = perf_counter()
            try:
                engine.execute(said(PAPER, framework))
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")
            else:
                found.append((perf_counter() - begin) * 1000)
    times.put(found)


def follow(url: str, ready: Any) -> None:
    with Engine(url) as engine:
        runner = Runner(engine.store, engine.leaves)
        ready.wait()
        runner.run(Flag())


def rebuild(url: str, ready: Any) -> None:
    with Engine(url) as engine:
        runner = Runner(engine.store, engine.leaves)
        ready.wait()
        while True:
            runner.rebuild()


def stalls(kind: str, url: str, frameworks: list[str], many: int, company: Callable[..., None] | None) -> None:
    """One round of all writers, alone or in company; prints failures, the median, and the worst."""
    ready, times = CONTEXT.Barrier(PROCESSES + (company is not None)), CONTEXT.Queue()
    writers = [CONTEXT.Process(target=write, args=(url, each, many, ready, times)) for each in frameworks]
    others = [CONTEXT.Process(target=company, args=(url, ready))] if company else []
    for process in (*writers, *others):
        process.start()
    found = [time for _ in writers for time in times.get()]
    for process in writers:
        process.join()
    for process in others:
        process.kill()
        process.join()
    took = [time for time in found if isinstance(time, float)]
    failures = [time for time in found if isinstance(time, str)]
    beside = f"{PROCESSES} processes, and one that {company.__name__}s" if company else f"{PROCESSES} processes"
    line(kind, f"{beside}: commands that failed", len(failures), "0")
    line(kind, f"{beside}: median of a command, ms", median(took), "")
    line(kind, f"{beside}: 99th of a hundred, ms", quantiles(took, n=100)[-1], "")
    line(kind, f"{beside}: worst of {len(took)}, ms", max(took), "")
    for failure in failures[:3]:
        print(failure, flush=True)


def main(many: int = 250) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            with Engine(database.url) as engine:
                frameworks = prepared(engine, PROCESSES)
            for company in (None, follow, rebuild):
                stalls(database.kind, database.url, frameworks, many, company)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
