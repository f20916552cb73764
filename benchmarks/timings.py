"""Timings from a log of a million events: each metric's data, in seconds and in memory."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from itertools import chain, islice
from pathlib import Path
from random import Random
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter

from msgspec.structs import replace
from tests.people import everybody

from benchmarks.histories import history
from benchmarks.measure import databases, line
from cycle.aggregates.base import Recorded
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.history import EVERYTHING
from cycle.projections.runner import Runner
from cycle.reading import Filters, Reader
from cycle.store import Append
from cycle.timings.durations import METRICS
from cycle.timings.measuring import measured

EACH = 400
"""Events of a framework: eight cycles of fifty."""
SECONDS, MEGABYTES = 2, 100
FIRST = date(2016, 1, 1)


def facts(framework: int) -> list[Recorded]:  # type: ignore[type-arg]
    """A framework with a speed of its own."""
    factor = Random(framework).gammavariate(4, 0.25)
    told = history(f"0185958b-1c00-7000-8000-{framework:012x}", f"ML-4-01-{framework // 3:04}", EACH)
    begin = told[0].occurred_on
    return [replace(each, occurred_on=FIRST + (each.occurred_on - begin) * factor) for each in told]


def fill(url: str, events: int) -> None:
    """A log of so many events, and every projection of it."""
    with Engine(url) as engine:
        everybody(engine)
        leaves = chain.from_iterable(map(facts, range(events // EACH)))
        number = 0
        while part := [new_leaf(each) for each in islice(leaves, 500)]:
            number += 1
            engine.store.append(Append(tuple(part), f"fill {number}", b"d"))
        Runner(engine.store, engine.leaves).catch_up()


def asked(url: str, metric: str) -> None:
    """One metric in a process that does nothing else: seconds, and the megabytes that it takes beside the process."""
    with Engine(url) as engine:
        reader = Reader(engine, "auditor")
        reader.catch_up()
        before, begin = getrusage(RUSAGE_SELF).ru_maxrss, perf_counter()
        measured(reader, METRICS[metric], None, Filters(), EVERYTHING, 100)
        print(perf_counter() - begin, (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"Timings from {events:,} events")
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            fill(database.url, events)
            for metric in METRICS:
                command = (sys.executable, "-m", "benchmarks.timings", "--one", database.url, metric)
                told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                seconds, megabytes = map(float, told.split())
                line(database.kind, f"{metric}, seconds", seconds, f"at most {SECONDS}")
                line(database.kind, f"{metric}, MB", megabytes, f"at most {MEGABYTES}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        asked(*sys.argv[2:])
    else:
        main()
