"""Exports of a million events: seconds of the processor, events a second, memory beside the process.

``python -m benchmarks.exports [EVENTS]``
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benchmarks.measure import databases, line
from benchmarks.timings import filled
from cycle.aggregates.terms import ExportForm
from cycle.engine import Engine
from cycle.history import EVERYTHING
from cycle.reading import Filters, Reader
from cycle_adapters.exports.taking import WRITERS, Wanted, export

MEGABYTES = 100
EVENTS_A_SECOND = 2_000


def asked(url: str, form: str, to: str) -> None:
    """One export in a process that does nothing else: seconds, megabytes beside the process, megabytes written."""
    with Engine(url) as engine:
        reader = Reader(engine, "evaluator")
        reader.catch_up()
        if form == ExportForm.PARQUET:
            import pyarrow.parquet  # noqa: F401  # What the library itself takes is no matter of the log.
        before, begin = peak_kilobytes(), process_time()
        wanted = Wanted(ExportForm(form), Filters(), EVERYTHING, "en")
        made = export(reader, Path(to), wanted, lambda log: None, lambda done, of: None)
        seconds, peak = process_time() - begin, peak_kilobytes()
        written = sum(each.bytes for each in made.files.values())
        print(seconds, (peak - before) / 1024, written / 1e6)


def peak_kilobytes() -> int:
    """Of this process alone: what ``getrusage`` tells, a child has from its parent."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("VmHWM"))


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"Exports of {events:,} events")
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            filled(database.url, events)
            for form in WRITERS:
                to = str(Path(folder) / f"{database.kind}-{form.value}")
                command = (sys.executable, "-m", "benchmarks.exports", "--one", database.url, form.value, to)
                told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                seconds, megabytes, written = map(float, told.split())
                line(database.kind, f"{form.value}, seconds ({written:,.0f} MB written)", seconds, "")
                line(database.kind, f"{form.value}, events a second", events / seconds, f"at least {EVENTS_A_SECOND:,}")
                line(database.kind, f"{form.value}, MB", megabytes, f"at most {MEGABYTES}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        asked(*sys.argv[2:])
    else:
        main()
