"""Timings from a log of a million events: what each picture and each metric is made of, in seconds and megabytes.

A look back, for which the log is read again, has no limit in seconds.

Run with ``python -m benchmarks.timings [events]``, or with ``--at URL [events]`` on a database of your own, which is
filled when it is empty and stays. Each figure is of a process of its own, after its projections have caught up.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from sqlalchemy import text
from tests.people import everybody

from benchmarks.measure import databases, line
from benchmarks.territories import TODAY, fill
from cycle.engine import Engine
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.reading import Filters, Reader
from cycle.timings.durations import METRICS
from cycle.timings.measuring import By, measured

SECONDS, MEGABYTES = 2, 100
PAGE = 100
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
A_YEAR_AGO = Cutoffs(as_of=date(TODAY.year - 1, TODAY.month, TODAY.day))
TABLES = ("stage_visit", "cycle_interval", "policy_run")
KEPT = {name: projection for name, projection in PROJECTIONS.items() if not projection.appends}
"""The audit trail is as long as the log, and no metric asks for it."""


def opened(url: str) -> Engine:
    return Engine(url, clock=lambda: NOW)


def filled(url: str, events: int) -> None:
    """A log of so many events, unless there is one, and every projection of it."""
    with opened(url) as engine:
        if not engine.store.head().position:
            everybody(engine)
            begin = perf_counter()
            fill(engine, events)
            print(f"filled in {perf_counter() - begin:.0f} s", flush=True)
        begin = perf_counter()
        Runner(engine.store, engine.leaves, KEPT).catch_up()
        print(f"projections caught up in {perf_counter() - begin:.0f} s", flush=True)


def visits(reader: Reader) -> object:
    """Every visit to a stage by number of its cycle, with median and quartiles of the closed ones."""
    found = defaultdict[tuple[str | None, int], list[int]](list)
    for each in METRICS["M2"].durations(reader.together(Filters(), EVERYTHING), TODAY):
        found[each.about, each.cycle].append(each.days)
    return {row: quantiles(days) for row, days in found.items() if len(days) > 1}


def between_stages(reader: Reader) -> object:
    """Median days in a stage, and how often, by the stage that followed it."""
    found = defaultdict[tuple[str | None, str | None], Counter[int]](Counter)
    before = None
    for each in METRICS["M2"].durations(reader.together(Filters(), EVERYTHING), TODAY):
        if before is not None and before.framework == each.framework:
            found[before.about, each.about][before.days] += 1
        before = each
    return {pair: quantiles(days.elements()) for pair, days in found.items() if days.total() > 1}


def strips(reader: Reader) -> object:
    """Of each framework its cycles, one after the other."""
    found = defaultdict[str, list[tuple[date, int, int | None]]](list)
    for each in METRICS["M1"].durations(reader.together(Filters(), EVERYTHING), TODAY):
        found[each.framework].append((each.start.on, each.days, each.active_days))
    return found


def metric(name: str, by: By | None, cutoffs: Cutoffs, reader: Reader) -> object:
    return measured(reader, METRICS[name], by, Filters(), cutoffs, PAGE)


QUESTIONS: Mapping[str, Callable[[Reader], object]] = {
    "picture 1, every visit by cycle": visits,
    "picture 2, M1 by region": partial(metric, "M1", By.REGION, EVERYTHING),
    "picture 3, days from stage to stage": between_stages,
    "picture 4, the cycles of each framework": strips,
    **{name: partial(metric, name, None, EVERYTHING) for name in METRICS},
}
LOOKS_BACK: Mapping[str, Callable[[Reader], object]] = {
    "M1, as of a year ago": partial(metric, "M1", None, A_YEAR_AGO),
    "M2, as of a year ago": partial(metric, "M2", None, A_YEAR_AGO),
    "M2, as known a year ago": partial(metric, "M2", None, Cutoffs(known_at=NOW.replace(year=NOW.year - 1))),
}


def bare(url: str) -> float:
    """Seconds of the driver for the rows that a metric is made of, in the same run."""
    with opened(url) as engine, engine.store.database.connect() as connection:
        begin = perf_counter()
        for table in TABLES:
            for _ in connection.execute(text(f"SELECT * FROM {table} ORDER BY key")).cursor:
                pass
        return perf_counter() - begin


def asked(url: str, question: str) -> None:
    """One question in a process that does nothing else: seconds, of them busy, and megabytes beside the process."""
    with opened(url) as engine:
        reader = Reader(engine, "auditor", Runner(engine.store, engine.leaves, KEPT))
        reader.catch_up()
        before, begin, busy = memory(), perf_counter(), process_time()
        {**QUESTIONS, **LOOKS_BACK}[question](reader)
        print(perf_counter() - begin, process_time() - busy, memory() - before, bare(url))


def memory() -> float:
    """Megabytes that this process has had at its most."""
    # What `getrusage` tells begins with the most of the process that started this one.
    [most] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(most.split()[1]) / 1024


def measure(kind: str, url: str, events: int, wanted: str) -> None:
    filled(url, events)
    for question in (*QUESTIONS, *LOOKS_BACK):
        if wanted in question:
            limited = question in QUESTIONS
            command = (sys.executable, "-m", "benchmarks.timings", "--one", url, question)
            told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            seconds, busy, megabytes, least = map(float, told.split())
            line(kind, f"{question}: seconds ({busy:.2f} busy)", seconds, f"at most {SECONDS}" if limited else "")
            line(kind, f"{question}: against the driver alone", seconds / least, "")
            line(kind, f"{question}: MB", megabytes, f"at most {MEGABYTES}")


def main(events: int = 1_000_000) -> None:
    print(f"Timings from {events:,} events")
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            measure(database.kind, database.url, events, "")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--one", url, question]:
            asked(url, question)
        case ["--at", url, events, *wanted]:
            measure(url.partition(":")[0].partition("+")[0], url, int(events), " ".join(wanted))
        case events:
            main(*map(int, events))
