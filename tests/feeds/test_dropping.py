"""Whatever happens to the wire, a reader that goes on from its last id meets each event, in order, none missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Event
from typing import Any

import httpx2
import msgspec
import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url

from cycle.aggregates.organisation import Form, RegisterOrganisation
from cycle.aggregates.terms import Constituency
from cycle.engine import Engine
from cycle.store import Append
from cycle_adapters.http.app import make_app
from cycle_adapters.http.limits import Following
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.postgres import CALL, _sent
from cycle_adapters.sql.recorder import SqlRecorder
from cycle_adapters.sql.sqlite import SqliteWriter
from tests.access.places import DIORO, say, two_communes
from tests.feeds.cutting import Cutting
from tests.http.town import API, WIDE, Named, listening, named, rooms
from tests.store.saves import save

WRITERS, APPENDS, CUTS = 8, 15, 25


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    app = make_app(engine, Named(engine), rooms(engine), replace(WIDE, following=Following()))
    with listening(app) as address:
        yield address


class Subscriber:
    """Reads the stream as an EventSource does: comes again with its last id, whatever cut it off."""

    def __init__(self, address: str, who: str = "auditor") -> None:
        self._url, self._who = f"{address}{API}/events/stream", who
        self.last = ""
        self.got: list[Any] = []
        """Every event that arrived, as often as it did."""
        self.covered = 0
        """How far the marks between them say that it has read."""
        self.connections = 0

    def until(self, position: int) -> Subscriber:
        """Read until a mark says that this position is behind it."""
        while self.covered < position:
            self.connections += 1
            # An EventSource takes it for a lost connection, too, when the answer never began.
            try:
                self._connected(position)
            except httpx2.TransportError:
                continue
        return self

    def _connected(self, position: int) -> None:
        headers = named(self._who, **({"Last-Event-ID": self.last} if self.last else {}))
        with httpx2.Client(timeout=60) as client, client.sse(self._url, headers=headers) as source:
            for message in source:
                self.last = message.id or self.last
                if message.event == "message" and message.data:
                    self.got.append(message.json())
                elif message.event in ("checkpoint", "caught-up"):
                    marks: Any = message.json()
                    self.covered = marks["to"]
                    if self.covered >= position:
                        return

    @property
    def once(self) -> list[str]:
        """The ids in their order, each once."""
        return list(dict.fromkeys(event["id"] for event in self.got))


class Puller:
    """Reads page by page, waiting for more; asks again whatever cut off the answer."""

    def __init__(self, address: str) -> None:
        self._url = f"{address}{API}/events"
        self.got: list[Any] = []
        self.after = self.connections = 0

    def until(self, position: int) -> Puller:
        while self.after < position:
            self.connections += 1
            parameters = {"after": self.after, "limit": 30, "wait": 10}
            try:
                answer = httpx2.get(self._url, params=parameters, headers=named("auditor"), timeout=60)
            except httpx2.TransportError:
                continue
            batch = answer.json()
            assert (batch["from"], batch["passed_over"]) == (self.after + 1, 0)
            self.got += batch["events"]
            self.after = batch["next"]
        return self


def of_log(engine: Engine, log: str | None = None) -> list[str]:
    """The ids of what is recorded."""
    rows = engine.store.stored(0, engine.store.head().position)
    return [msgspec.json.decode(row.leaf)["id"] for row in rows if log in (None, row.log)]


def organisation(name: str) -> RegisterOrganisation:
    return RegisterOrganisation(
        commune=DIORO, name=name, constituency=Constituency.PROFESSIONAL_ORGANISATION, form=Form.COOPERATIVE
    )


def write(engine: Engine, writer: int) -> None:
    for number in range(APPENDS):
        say(engine, organisation(f"Coopérative {writer}-{number}"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reader_whose_wire_is_cut_meets_every_event_of_eight_writers_once(database_url: str, seed: int) -> None:
    with Engine(database_url) as engine:
        two_communes(engine)
        position = engine.store.head().position + WRITERS * APPENDS
        with (
            serving(engine) as address,
            Cutting(address, Random(seed), CUTS, 40_000) as wire,
            ThreadPoolExecutor(WRITERS + 3) as pool,
        ):
            readers = [Subscriber(wire.address, who) for who in ("auditor", "fanta")]
            reading = [pool.submit(each.until, position) for each in readers]
            pulling = pool.submit(Puller(wire.address).until, position)
            for writing in [pool.submit(write, engine, writer) for writer in range(WRITERS)]:
                writing.result(120)
            everything, own = [each.result(120) for each in reading]
            pulled = pulling.result(120)
        assert engine.store.head().position == position
        assert everything.once == [event["id"] for event in pulled.got] == of_log(engine)
        assert own.once == of_log(engine, DIORO)
        assert wire.left < CUTS - 4
        assert everything.connections + own.connections + pulled.connections >= CUTS - wire.left
    # What came again came as it had come before.
    for each in (everything, own):
        assert len({msgspec.json.encode(event) for event in each.got}) == len(each.once)


@pytest.mark.parametrize("seed", range(3))
def test_a_wire_that_is_cut_within_the_first_bytes_is_no_loss_either(sqlite_url: str, seed: int) -> None:
    with Engine(sqlite_url) as engine:
        two_communes(engine)
        head = engine.store.head().position
        with serving(engine) as address, Cutting(address, Random(seed), CUTS, 1_500) as wire:
            reader = Subscriber(wire.address).until(head)
        assert (reader.once, wire.left) == (of_log(engine), 0)


def test_an_insert_that_is_held_open_holds_up_what_stands_behind_it_and_loses_nothing(database_url: str) -> None:
    """Another process has written and not committed; others write meanwhile, and wait for it. Then it commits."""
    with Engine(database_url) as engine:
        two_communes(engine)
        head = engine.store.head().position
        with serving(engine) as address, ThreadPoolExecutor(WRITERS + 1) as pool:
            begun = Event()
            reading = pool.submit(Subscriber(address).until, head + 1 + WRITERS)
            with held_open(engine, database_url) as commit:
                writing = [pool.submit(_say_when_begun, engine, begun, n) for n in range(WRITERS)]
                begun.set()
                early = httpx2.get(f"{address}{API}/events?after={head}&wait=1", headers=named("auditor"), timeout=60)
                # Nobody sees what may yet be taken back, nor what would come to stand behind it.
                assert (early.json()["count"], early.json()["head"]) == (0, head)
                commit()
            for each in writing:
                each.result(60)
            reader = reading.result(60)
        ids = of_log(engine)
        assert ids[head] == "held-1"
        assert reader.once == ids
        assert len(ids) == head + 1 + WRITERS


def _say_when_begun(engine: Engine, begun: Event, number: int) -> None:
    begun.wait(60)
    say(engine, organisation(f"Coopérative {number}"))


@contextmanager
def held_open(engine: Engine, url: str) -> Iterator[Callable[[], None]]:
    """A transaction of another process that has appended an event; yields what commits it."""
    one = save("held", key="held")
    if engine.store.database.dialect.name == "sqlite":
        with _held_open_in_file(url, one) as commit:
            yield commit
        return
    where = make_url(url)
    with psycopg.connect(host=where.host, port=where.port, user=where.username, dbname=where.database) as connection:
        connection.execute(CALL, (msgspec.json.encode([_sent(one)]).decode(),))
        yield connection.commit


@contextmanager
def _held_open_in_file(url: str, one: Append) -> Iterator[Callable[[], None]]:
    """A store of its own that stops before it commits."""
    store, written, go_on = SqlRecorder(open_database(url)), Event(), Event()

    def stop(statement: str) -> None:
        if statement == "COMMIT":
            written.set()
            go_on.wait(60)

    assert isinstance(store._writer, SqliteWriter)
    store._writer._connection.set_trace_callback(stop)
    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(store.append, one)
        assert written.wait(60)
        try:
            yield go_on.set
        finally:
            go_on.set()
            appending.result(60)
    store.close()
