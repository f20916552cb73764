"""Feeds: the pull feed against a bare SELECT of the same rows, and from commit to a subscriber of the stream.

The feed is read as a route reads it: rights asked for, rows read, envelopes made, JSON written; a thousand events at
a time, of fifty frameworks. Over HTTP the same is asked of a real server in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep

import httpx2
from msgspec.structs import replace
from sqlalchemy import create_engine
from tests.http.town import API, WIDE, listening, rooms
from tests.people import everybody
from tests.store.saves import save

from benchmarks.histories import history
from benchmarks.measure import databases, line, ratio, rounds
from cycle.cloudevents import Envelopes
from cycle.codec import new_leaf
from cycle.engine import Engine
from cycle.feed import Feed, Wanted
from cycle.reading import Reader
from cycle.settings import DEFAULT_ADDRESS
from cycle.store import Append
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.encoding import encoded
from cycle_adapters.http.limits import Following

FRAMEWORKS = 50
PAGE = 1_000
PER_SECOND, LIVE = 100, 500


def fill(engine: Engine, events: int) -> int:
    """A log of so many events; returns its last position."""
    everybody(engine)
    for number in range(FRAMEWORKS):
        facts = history(f"0199{number:04}-0000-7000-8000-000000000001", "ML-4-01-01", events // FRAMEWORKS)
        engine.store.append(Append(tuple(map(new_leaf, facts)), f"benchmark-{number}", b"benchmark"))
    return engine.store.head().position


def bare(url: str, head: int) -> Callable[[], None]:
    """SELECT of the same rows through the driver, page by page, and nothing else."""
    connection = create_engine(url).raw_connection()
    mark = "?" if url.startswith("sqlite") else "%s"
    select = f"SELECT position, log, log_index, leaf FROM events WHERE position > {mark} ORDER BY position LIMIT {PAGE}"

    def run() -> None:
        cursor, after = connection.cursor(), 0
        while after < head:
            cursor.execute(select, (after,))
            after = cursor.fetchall()[-1][0]
        connection.rollback()

    return run


def fed(engine: Engine, head: int) -> Callable[[], None]:
    """The feed, page by page, as the bytes of its answers."""
    feed, envelopes = Feed(Reader(engine, "auditor"), Wanted()), Envelopes(DEFAULT_ADDRESS)

    def run() -> None:
        after = 0
        while after < head:
            batch = feed.read(after, PAGE)
            encoded(batch.told(envelopes, lambda log: None))
            after = batch.to

    return run


def over_http(address: str, head: int) -> Callable[[], None]:
    """The same asked of a server."""
    connection = HTTPConnection(address.removeprefix("http://"))

    def run() -> None:
        for after in range(0, head, PAGE):
            connection.request("GET", f"{API}/events?limit={PAGE}&after={after}")
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()

    return run


def from_commit_to_subscriber(engine: Engine, address: str, head: int) -> list[float]:
    """Milliseconds from the answer to a save until a subscriber has its event, at a hundred saves a second."""
    arrived: dict[int, float] = {}
    ready = Event()

    def subscribe() -> None:
        with httpx2.Client(timeout=60) as client, client.sse(f"{address}{API}/events/stream?after={head}") as source:
            for message in source:
                if message.event == "caught-up":
                    ready.set()
                elif message.event == "message" and message.data:
                    arrived[int(message.id)] = perf_counter()
                if len(arrived) == LIVE:
                    return

    reader = Thread(target=subscribe)
    reader.start()
    ready.wait(60)
    committed, begin = {}, perf_counter()
    for number in range(LIVE):
        sleep(max(0.0, begin + number / PER_SECOND - perf_counter()))
        position = engine.store.append(save(f"live-{number}")).position
        committed[position] = perf_counter()
    reader.join(60)
    return [max(0.0, arrived[position] - at) * 1000 for position, at in committed.items()]


def compare(kind: str, url: str, events: int, count: int) -> None:
    with Engine(url) as engine:
        head = fill(engine, events)
        limits = replace(WIDE, following=Following())
        with listening(make_app(engine, OneAccount("auditor"), rooms(engine), limits)) as address:
            runs = {"bare": bare(url, head), "feed": fed(engine, head), "http": over_http(address, head)}
            times = rounds(runs, count)
            late = from_commit_to_subscriber(engine, address, head)
    line(kind, "pull feed, events/s", head / median(each["feed"] for each in times), "")
    line(kind, "pull feed / bare SELECT of the same rows", ratio(times, "bare", "feed"), "at least 0.3")
    line(kind, "pull feed over HTTP, events/s", head / median(each["http"] for each in times), "")
    line(kind, "pull feed over HTTP / bare SELECT", ratio(times, "bare", "http"), "")
    line(kind, f"commit to subscriber at {PER_SECOND}/s, median, ms", median(late), "")
    line(kind, "99 of 100 within, ms", quantiles(late, n=100)[98], "at most 100")


def main(events: int = 20_000, count: int = 5) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, events, count)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
