"""The stream: messages a browser's EventSource takes, where it is told from, and why it ends."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Iterator, MutableMapping
from contextlib import contextmanager
from threading import Thread
from time import sleep
from typing import Any

import httpx2
import pytest
from httpx2 import ServerSentEvent
from msgspec.structs import replace

from cycle.aggregates.account import CloseAccount
from cycle.aggregates.credentials import RevokeToken
from cycle.aggregates.framework.setup import PrioritiseSectors
from cycle.engine import Engine, Said
from cycle.store import Unavailable
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import Callers
from cycle_adapters.http.following import Feeds
from cycle_adapters.http.limits import Following
from cycle_adapters.http.serving import Server
from cycle_adapters.http.serving import listening as bound_to
from cycle_adapters.http.signing_in import SignedIn
from cycle_adapters.http.streaming import EventStream
from cycle_adapters.stopping import Stopping, Systemd
from tests.access.places import DAY, revoke, say
from tests.feeds.test_feed import Town
from tests.http.town import API, WIDE, Named, listening, named, rooms, served
from tests.identity.house import DHIS, KADI, House
from tests.people import ADMINISTRATOR, everybody
from tests.store.saves import save

MORE = PrioritiseSectors(sectors=("rice", "fish"))
LASTING = replace(WIDE, following=Following())


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    with Engine(database_url) as engine:
        yield Town(engine)


@contextmanager
def serving(engine: Engine, following: Following = Following(), callers: Callers | None = None) -> Iterator[str]:  # noqa: B008
    """The application behind a real server; yields the address of the stream."""
    limits = replace(WIDE, following=following)
    with listening(make_app(engine, callers or Named(engine), rooms(engine), limits)) as address:
        yield f"{address}{API}/events/stream"


@contextmanager
def reading(address: str, who: str = "auditor", **headers: str) -> Iterator[Iterator[ServerSentEvent]]:
    """The messages of a stream, as they come."""
    headers = named(who, **{"Accept-Language": "en", **headers})
    with httpx2.Client(timeout=60) as client, client.sse(address, headers=headers) as source:
        yield iter(source)


def until(messages: Iterator[ServerSentEvent], name: str) -> list[ServerSentEvent]:
    """The messages up to and with the first of this name."""
    found = []
    for each in messages:
        found.append(each)
        if each.event == name:
            return found
    raise AssertionError(f"it ended before {name}: {found[-1:]}")


def data(message: ServerSentEvent) -> Any:
    return message.json()


def ids(messages: list[ServerSentEvent]) -> list[int]:
    """The positions of the events among some messages."""
    return [int(each.id) for each in messages if each.event == "message" and each.data]


def test_it_gives_the_log_says_that_it_is_caught_up_and_goes_on(town: Town) -> None:
    with serving(town.engine) as address, reading(address) as messages:
        found = until(messages, "caught-up")
        assert ids(found) == [row.position for row in town.log]
        assert [int(data(each)["globalposition"]) for each in found if ids([each])] == ids(found)
        assert found[0].retry == 2000
        assert (data(found[-1])["next"], found[-1].id) == (len(town.log), str(len(town.log)))
        say(town.engine, MORE, town.dioro)
        event, caught_up = until(messages, "caught-up")
        assert data(event)["type"] == "org.cycle.sectors-prioritised.v1"
        assert (data(caught_up)["from"], data(caught_up)["to"]) == (len(town.log) + 1, len(town.log) + 1)


def test_a_checkpoint_moves_on_over_what_is_left_out(town: Town) -> None:
    head = len(town.log)
    with serving(town.engine) as address, reading(f"{address}?after={head}", "fanta") as messages:
        assert ids(until(messages, "caught-up")) == []
        say(town.engine, MORE, town.koula)
        (passed,) = until(messages, "checkpoint")
        assert (passed.id, data(passed)["passed_over"], data(passed)["count"]) == (str(head + 1), 1, 0)
        assert data(passed)["logs"] == []
        say(town.engine, MORE, town.dioro)
        assert ids(until(messages, "caught-up")) == [head + 2]


def test_whoever_comes_again_goes_on_behind_the_last_id(town: Town) -> None:
    positions = [row.position for row in town.log]
    with serving(town.engine) as address:
        for seen in ("7", "00000000000000000007"):
            # The id goes before what the address says: that is as it was when the reader came first.
            with reading(f"{address}?after=3", **{"Last-Event-ID": seen}) as messages:
                assert ids(until(messages, "caught-up")) == positions[7:]
        with reading(f"{address}?after=3", **{"Last-Event-ID": ""}) as messages:
            assert ids(until(messages, "caught-up")) == positions[3:]
        with reading(address, **{"Last-Event-ID": "x"}) as messages, pytest.raises(httpx2.SSEError):
            next(messages)


def test_while_nothing_happens_there_are_pings_and_checkpoints(town: Town) -> None:
    with serving(town.engine, Following(ping_seconds=0.01, pings=2)) as address, httpx2.Client(timeout=60) as client:
        asked = client.stream("GET", f"{address}?after={len(town.log)}", headers=named("fanta"))
        with asked as answer:
            lines = answer.iter_lines()
            assert [line for line in _first(lines, "event: checkpoint") if line.startswith(":")] == [": ping"] * 2
            assert [line for line in _first(lines, "event: checkpoint") if line.startswith(":")] == [": ping"] * 2


def _first(lines: Iterator[str], wanted: str) -> list[str]:
    found = []
    for line in lines:
        found.append(line)
        if line == wanted:
            return found
    raise AssertionError(found)


def test_many_events_come_in_batches_with_a_checkpoint_between(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cycle_adapters.http.following.STREAMED", 10)
    monkeypatch.setattr("cycle_adapters.http.following.CHUNK_BYTES", 1_000)
    with serving(town.engine) as address, reading(address) as messages:
        found = until(messages, "caught-up")
    assert ids(found) == [row.position for row in town.log]
    marks = [data(each) for each in found if each.event in ("checkpoint", "caught-up")]
    assert [mark["from"] for mark in marks] == [1, *(mark["next"] + 1 for mark in marks[:-1])]
    assert [mark["count"] for mark in marks[:-1]] == [10] * (len(town.log) // 10)


def closed(messages: Iterator[ServerSentEvent]) -> tuple[str, str]:
    """Why a stream ended."""
    last = until(messages, "closed")[-1]
    assert list(messages) == []
    return data(last)["reason"], data(last)["text"]


def test_it_ends_when_the_reader_may_no_longer(town: Town) -> None:
    with serving(town.engine) as address:
        with reading(address, "fanta") as messages:
            until(messages, "caught-up")
            revoke(town.engine, "fanta")
            assert closed(messages)[0] == "forbidden"
        with reading(address) as messages:
            until(messages, "caught-up")
            say(town.engine, CloseAccount(reason="fin"), "auditor", ADMINISTRATOR)
            assert closed(messages)[0] in ("forbidden", "sign-in-needed")


def test_it_ends_when_its_token_is_revoked(house: House) -> None:
    token, _ = house.credentials.issue(KADI, DHIS, ("events",), 30)
    with serving(house.engine, callers=SignedIn(house.sessions)) as address, reading(address, str(token)) as messages:
        until(messages, "caught-up")
        house.engine.execute(Said(command=RevokeToken(token=token.id), by=ADMINISTRATOR, on=DAY, target=DHIS))
        assert closed(messages)[0] == "sign-in-needed"


def test_it_lasts_so_long_and_no_longer(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, serving(engine, Following(longest_seconds=0)) as address:
        Town(engine)
        with reading(address) as messages:
            assert closed(messages) == (
                "renew", "It has lasted long enough: come again, and go on from the last id.",
            )  # fmt: skip


def test_it_ends_with_words_when_the_database_cannot_be_used(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **more: object) -> object:
        raise Unavailable("no-server", "secret-host")

    with Engine(sqlite_url) as engine, serving(engine) as address:
        town = Town(engine)
        with reading(address) as messages:
            until(messages, "caught-up")
            monkeypatch.setattr(engine.store, "feed", fails)
            say(engine, MORE, town.dioro)
            reason, words = closed(messages)
    assert reason == "unavailable"
    assert "secret" not in words


def test_it_ends_when_the_server_stops_and_nobody_waits_for_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This process does not end with the server, and is not to be ended a minute later.
    monkeypatch.setattr("cycle_adapters.http.serving.end_within", lambda seconds: None)
    with Engine(sqlite_url) as engine:
        town = Town(engine)
        app, stop = make_app(engine, Named(engine), rooms(engine), LASTING), Stopping()
        stop.ends.append(app.state.feeds.tail.end)
        with bound_to("127.0.0.1", 0) as listener:
            listener.listen()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}{API}/events/stream"
            thread = Thread(target=Server(app, stop, Systemd({}), 60).run, args=([listener],))
            thread.start()
            with reading(address) as messages:
                assert ids(until(messages, "caught-up")) == [row.position for row in town.log]
                stop.asked = True
                assert closed(messages)[0] == "stopping"
            thread.join(30)
            assert not thread.is_alive()


def test_only_the_headers_are_asked_for(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, served(engine, "auditor", LASTING) as client:
        Town(engine)
        answer = client.head(f"{API}/events/stream")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_it_is_not_compressed_nor_kept(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, served(engine, "auditor") as client:
        Town(engine)
        answer = client.get(f"{API}/events/stream", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")


# A reader that does not read.


def test_whoever_takes_a_chunk_late_is_told_why_it_is_his_last() -> None:
    sent = _sent_to(late=True)
    assert sent == [b"", b"one", b"farewell", b""]


def test_whoever_takes_what_he_is_sent_gets_all_of_it() -> None:
    assert _sent_to(late=False) == [b"", b"one", b"two", b""]


def _sent_to(late: bool) -> list[bytes]:
    """What a reader is sent who takes each chunk so late, or at once."""
    sent: list[bytes] = []
    slow_seconds = 0.2

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"one"
        yield b"two"

    async def send(message: MutableMapping[str, Any]) -> None:
        if late and message.get("body") == b"one":
            await asyncio.sleep(1.5 * slow_seconds)
        sent.append(message.get("body", b""))

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    stream = EventStream(chunks(), slow_seconds, lambda: b"farewell")
    asyncio.run(stream({"type": "http"}, receive, send))  # type: ignore[arg-type]
    return sent


def test_whoever_reads_no_more_is_cut_off_and_holds_no_place(sqlite_url: str) -> None:
    """More than sockets hold between the two: six thousand bytes each, and the reader takes none."""
    with Engine(sqlite_url) as engine:
        everybody(engine)
        for number in range(30):
            engine.store.append(save(f"long-{number}", many=100, note="国" * 2_000))
        app = make_app(engine, Named(engine), rooms(engine), replace(WIDE, following=Following(slow_seconds=0.1)))
        feeds: Feeds = app.state.feeds
        with listening(app) as address, never_reading(address) as reader:
            while not feeds._following:
                sleep(0)
            while feeds._following:
                sleep(0)
            # What was on its way arrives, and the end of the stream does not.
            taken = b"".join(iter(lambda: reader.recv(1 << 20), b""))
            assert not taken.endswith(b"0\r\n\r\n")
            last = int(re.findall(rb"id: (\d+)\n\n", taken)[-1])
            with reading(f"{address}{API}/events/stream", **{"Last-Event-ID": str(last)}) as messages:
                assert ids(until(messages, "caught-up"))[0] == last + 1


@contextmanager
def never_reading(address: str) -> Iterator[socket.socket]:
    """Somebody who asks for the stream and takes nothing of it."""
    with socket.socket() as reader:
        reader.connect(("127.0.0.1", int(address.rpartition(":")[2])))
        asked = f"GET {API}/events/stream HTTP/1.1", "Host: x", "Authorization: Bearer auditor", "", ""
        reader.sendall("\r\n".join(asked).encode())
        yield reader
