"""What every benchmark shares: both databases, and times in turn."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from sqlalchemy import make_url
from tests.postgres import cluster


class Database(NamedTuple):
    """One database, and the library's own settings for a second one of the same kind."""

    kind: str
    url: str
    library: dict[str, str]


@contextmanager
def databases(folder: Path) -> Iterator[list[Database]]:
    """A new SQLite file and a new PostgreSQL cluster, both on this disk."""
    sqlite = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(folder / "library.db"),
    }
    with cluster(folder / "postgres") as url:
        address = make_url(url)
        postgres = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": "template1",
            "POSTGRES_HOST": str(address.host),
            "POSTGRES_PORT": str(address.port),
            "POSTGRES_USER": str(address.username),
            "POSTGRES_PASSWORD": "",
        }
        yield [
            Database("sqlite", f"sqlite:///{folder / 'cycle.db'}", sqlite),
            Database("postgresql", url, postgres),
        ]


def seconds(run: Callable[[], object]) -> float:
    # What another run left behind is not this run's to collect.
    gc.collect()
    begin = perf_counter()
    run()
    return perf_counter() - begin


def rounds(runs: Mapping[str, Callable[[], object]], count: int) -> list[dict[str, float]]:
    """Each of them in turn, ``count`` times after a first round that warms up."""
    for run in runs.values():
        run()
    return [{name: seconds(run) for name, run in runs.items()} for _ in range(count)]


def ratio(times: list[dict[str, float]], of: str, to: str) -> float:
    """The median of the ratios within a round: what drifts between rounds does not matter."""
    return median(each[of] / each[to] for each in times)


def line(kind: str, what: str, value: float, limit: str) -> None:
    print(f"{kind:10}  {what:58} {value:8.2f}   {limit}", flush=True)
