"""Timings from a log of a million events: what each picture and each metric is made of, in seconds and megabytes.

A look back, for which the log is read again, has no limit in seconds.

Run with ``python -m benchmarks.timings [events]``, or with ``--at URL [events]`` on a database of your own, which is
filled when it is empty and stays. Each figure is of a process of its own, after its projections have caught up.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from sqlalchemy import text
from tests.http.town import served
from tests.people import everybody

from benchmarks.measure import databases, line
from benchmarks.territories import TODAY, fill
from cycle.engine import Engine
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.reading import Filters, Reader
from cycle.timings.measuring import By
from cycle.timings.metrics import IDS, asked
from cycle.timings.pictures.all import PICTURES, Picture, pictured
from cycle.timings.risk import at_risk

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


def metric(name: str, cutoffs: Cutoffs, reader: Reader) -> object:
    return asked(reader, name, None, Filters(), cutoffs, PAGE)


def picture(which: Picture, by: By | None, reader: Reader) -> object:
    filters = Filters()
    if which.alone:
        row = max(reader.frameworks(), key=attrgetter("cycle"))
        filters = Filters(commune=row.commune, framework=row.framework)
    return pictured(reader, which, by, filters, EVERYTHING)


def at_a_glance(reader: Reader) -> object:
    return at_risk(reader, Filters(), EVERYTHING, PAGE)


PICTURED: Mapping[str, Callable[[Reader], object]] = {
    **{f"picture {each.id}": partial(picture, each, None) for each in PICTURES.values()},
    "picture next-plan, by region": partial(picture, PICTURES["next-plan"], By.REGION),
}
"""With the limit."""
MEASURED: Mapping[str, Callable[[Reader], object]] = {
    **{name: partial(metric, name, EVERYTHING) for name in IDS},
    "frameworks at risk": at_a_glance,
    "M1, as of a year ago": partial(metric, "M1", A_YEAR_AGO),
    "M2, as of a year ago": partial(metric, "M2", A_YEAR_AGO),
    "M2, as known a year ago": partial(metric, "M2", Cutoffs(known_at=NOW.replace(year=NOW.year - 1))),
}
QUESTIONS = {**PICTURED, **MEASURED}


PAGES = ("/timings?metric=M1", "/timings?metric=M1&by=region", "/timings?metric=M2", "/timings/risk")
KILOBYTES = 60


def page(url: str, path: str) -> None:
    """Seconds and kilobytes over the wire of a page in French, asked for a second time."""
    with opened(url) as engine, served(engine, "auditor") as client:
        for _ in range(2):
            begin = perf_counter()
            with client.stream("GET", path, headers={"Accept-Encoding": "gzip", "Accept-Language": "fr"}) as answer:
                assert answer.status_code == 200, answer.read()
                size = sum(map(len, answer.iter_raw()))
            took = perf_counter() - begin
        print(took, size / 1000)


def bare(url: str) -> float:
    """Seconds of the driver for the rows that a metric is made of, in the same run."""
    with opened(url) as engine, engine.store.database.connect() as connection:
        begin = perf_counter()
        for table in TABLES:
            for _ in connection.execute(text(f"SELECT * FROM {table} ORDER BY key")).cursor:
                pass
        return perf_counter() - begin


def one(url: str, question: str) -> None:
    """One question in a process that does nothing else: seconds, of them busy, and megabytes beside the process."""
    with opened(url) as engine:
        reader = Reader(engine, "auditor", Runner(engine.store, engine.leaves, KEPT))
        reader.catch_up()
        before, begin, busy = memory(), perf_counter(), process_time()
        QUESTIONS[question](reader)
        print(perf_counter() - begin, process_time() - busy, memory() - before, bare(url))


def memory() -> float:
    """Megabytes that this process has had at its most."""
    # What `getrusage` tells begins with the most of the process that started this one.
    [most] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(most.split()[1]) / 1024


def measure(kind: str, url: str, events: int, wanted: str) -> None:
    filled(url, events)
    for question in QUESTIONS:
        if wanted in question:
            limited = question in PICTURED
            seconds, busy, megabytes, least = told("--one", url, question)
            line(kind, f"{question}: seconds ({busy:.2f} busy)", seconds, f"at most {SECONDS}" if limited else "")
            line(kind, f"{question}: against the driver alone", seconds / least, "")
            line(kind, f"{question}: MB", megabytes, f"at most {MEGABYTES}" if limited else "")
    for path in PAGES:
        if wanted in path:
            took, size = told("--page", url, path)
            line(kind, f"{path}: seconds", took, "")
            line(kind, f"{path}: kB compressed", size, f"at most {KILOBYTES}")


def told(*asked: str) -> list[float]:
    """What a process of its own says."""
    command = (sys.executable, "-m", "benchmarks.timings", *asked)
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(each) for each in said.split()]


def main(events: int = 1_000_000) -> None:
    print(f"Timings from {events:,} events")
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            measure(database.kind, database.url, events, "")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--one", url, question]:
            one(url, question)
        case ["--page", url, path]:
            page(url, path)
        case ["--at", url, events, *wanted]:
            measure(url.partition(":")[0].partition("+")[0], url, int(events), " ".join(wanted))
        case events:
            main(*map(int, events))
