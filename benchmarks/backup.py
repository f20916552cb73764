"""How long a log of a million events takes out of a database and into another, and in how much memory.

Run with ``python -m benchmarks.backup [events]``. Each step is a process of its own, as in life.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace
from tests.postgres import new_database

from benchmarks.append import said
from benchmarks.histories import history
from benchmarks.measure import databases, line, seconds
from cycle.aggregates.rulebook import PublishPolicy
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.policy import sample
from cycle.store import RECORDED_AT_HOLE, Claimed
from cycle_adapters.files.backup import backup, restore
from cycle_adapters.files.events import export, import_
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder

EACH = 1_000
"""Events of one framework."""
CONTEXT = get_context("spawn")


def log(events: int) -> Iterator[Claimed]:
    for number in range(events // EACH):
        for fact in history(f"0{number:07}", f"ML-{number}", EACH, first_second=number * EACH):
            leaf = new_leaf(fact)
            time = fact.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
            state = leaf.state[: leaf.hole] + time + leaf.state[leaf.hole + len(RECORDED_AT_HOLE) :]
            yield Claimed(fact.causation, sha256(state).digest(), replace(leaf, state=state, hole=0))


def filled(url: str, events: int) -> None:
    before = datetime(2025, 1, 1, tzinfo=UTC)
    with Engine(url, clock=lambda: before) as engine:
        engine.execute(replace(said(PublishPolicy(document=sample())), on=before.date()))
        with engine.store.loading() as loading:
            loading.write(log(events), lambda done: None)


def backing_up(url: str, path: Path) -> None:
    with closing(SqlRecorder(open_database(url))) as store:
        backup(store, path, lambda done, of: None)


def restoring(url: str, path: Path) -> None:
    with closing(SqlRecorder(open_database(url))) as store:
        restore(store, path, lambda done, of: None)


def exporting(url: str, path: Path) -> None:
    with Engine(url) as engine:
        export(engine, path)


def importing(url: str, path: Path) -> None:
    with Engine(url) as engine, path.open("rb") as file:
        import_(engine, file, lambda done: None)


def _measured(act: Callable[..., None], url: str, what: object, found: Any) -> None:
    open_database(url).dispose()
    taken = seconds(lambda: act(url, what))
    found.put((taken, getrusage(RUSAGE_SELF).ru_maxrss / 1024))


def measured(kind: str, act: Callable[..., None], url: str, what: object) -> None:
    found = CONTEXT.Queue()
    process = CONTEXT.Process(target=_measured, args=(act, url, what, found))
    process.start()
    taken, memory = found.get()
    process.join()
    line(kind, f"{act.__name__}, seconds ({memory:.0f} MB)", taken, "at most 200 MB")


def main(events: int = 1_000_000) -> None:
    with TemporaryDirectory() as name, databases(Path(name)) as found:
        folder = Path(name)
        fresh = {"sqlite": lambda n: f"sqlite:///{folder / n}.db", "postgresql": lambda n: new_database(found[1].url)}
        for kind, _, _ in found:
            url = fresh[kind]("source")
            measured(kind, filled, url, events)
            measured(kind, backing_up, url, folder / f"{kind}.zip")
            measured(kind, exporting, url, folder / f"{kind}.jsonl")
            sizes = [(folder / f"{kind}.{end}").stat().st_size / 1e6 for end in ("zip", "jsonl")]
            line(kind, "backup, and the same events as lines, MB", sizes[0], f"{sizes[1]:.0f} MB")
            measured(kind, restoring, fresh[kind]("restored"), folder / f"{kind}.zip")
            measured(kind, importing, fresh[kind]("imported"), folder / f"{kind}.jsonl")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
