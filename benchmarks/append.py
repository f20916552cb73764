"""Appending by the full command path, against bare INSERT + commit of the same bytes in the same run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count as numbers
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy import make_url
from tests.people import everybody, sayer

from benchmarks.measure import databases, line, seconds
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode
from cycle.engine import Engine, Said
from cycle.policy import sample

DAY = date(2026, 2, 2)
PAPER = AttachDocument(title="Liste de présence", sha256="0" * 64, bytes=1200, media="application/pdf")


def said(command: Any, target: str | None = None) -> Said:
    return Said(command=command, by=sayer(command), on=DAY, target=target)


def prepared(engine: Engine, frameworks: int) -> list[str]:
    """Frameworks to append to, one commune each."""
    everybody(engine)
    engine.execute(said(PublishPolicy(document=sample())))
    found = []
    for n in range(frameworks):
        code = CommuneCode(f"ML-4-01-{n:02}")
        engine.execute(said(RegisterCommune(commune=code, name=f"C{n}", region="R", circle="C")))
        receipt = engine.execute(said(ProposeFramework(commune=code, title="Cadre")))
        found.append(receipt.stream.partition("-")[2])
    return found


class Bare:
    """The same bytes, one INSERT and one commit each, on a connection per thread."""

    def __init__(self, url: str, leaf: bytes, threads: int) -> None:
        self._leaf = leaf
        self._sqlite = url.startswith("sqlite")
        self._numbers = numbers()
        self._connections = [self._connect(url) for _ in range(threads)]
        create = (
            f"CREATE TABLE bare_{threads} (position BIGINT PRIMARY KEY, stream TEXT NOT NULL, version INT NOT NULL,"
            f" leaf {'BLOB' if self._sqlite else 'BYTEA'} NOT NULL, UNIQUE (stream, version))"
        )
        self._connections[0].execute(create)
        self._connections[0].commit()
        mark = "?" if self._sqlite else "%s"
        self._put = f"INSERT INTO bare_{threads} VALUES ({mark}, {mark}, {mark}, {mark})"

    def _connect(self, url: str) -> Any:
        address = make_url(url)
        if not self._sqlite:
            return psycopg.connect(
                host=address.host, port=address.port, user=address.username, dbname=str(address.database)
            )
        connection = sqlite3.connect(str(address.database), timeout=60, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def one(self, thread: int) -> None:
        connection, number = self._connections[thread], next(self._numbers)
        if self._sqlite:
            connection.execute("BEGIN IMMEDIATE")
        connection.execute(self._put, (number, f"s{thread}", number, self._leaf))
        connection.commit()

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def many(one: Callable[[int], object], threads: int, each: int) -> Callable[[], None]:
    def run() -> None:
        if threads == 1:
            for _ in range(each):
                one(0)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda thread: [one(thread) for _ in range(each)], range(threads)))

    return run


def compare(kind: str, url: str, limits: dict[int, str], count: int) -> None:
    with Engine(url) as engine:
        frameworks = prepared(engine, 16)
        written = engine.execute(said(PAPER, frameworks[0]))
        leaf = bytes(next(engine.store.read(written.position - 1, 1))[3])
        for threads, limit in limits.items():
            bare = Bare(url, leaf, threads)

            def by_command(thread: int) -> None:
                engine.execute(said(PAPER, frameworks[thread]))

            each = 300 if threads == 1 else 40
            runs = {"bare": many(bare.one, threads, each), "cycle": many(by_command, threads, each)}
            for run in runs.values():
                run()
            times = [{name: seconds(run) for name, run in runs.items()} for _ in range(count)]
            speed = median(t["bare"] / t["cycle"] for t in times)
            rate = each * threads / median(t["cycle"] for t in times)
            line(kind, f"commands/s, {threads} thread(s)", rate, "")
            line(kind, f"commands / bare INSERT + commit, {threads} thread(s)", speed, limit)
            bare.close()


def main(count: int = 7) -> None:
    limits = {
        "sqlite": {1: "at least 0.65", 16: "at least 1.1"},
        "postgresql": {1: "at least 0.55", 16: "at least 0.40"},
    }
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, limits[database.kind], count)


if __name__ == "__main__":
    main()
