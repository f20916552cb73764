"""What lasts as long as a stream does: it is no slow answer, it is counted while it lasts, and nobody is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx2
import pytest
from httpx2 import ServerSentEvent
from msgspec.structs import replace

from cycle.engine import Engine
from cycle.identity.sessions import IDLE_SECONDS
from cycle.projections.runner import Runner
from cycle.settings import Settings
from cycle_adapters.http.app import make_app
from cycle_adapters.http.limits import Following
from cycle_adapters.http.observing import WAITED, Observed
from cycle_adapters.http.serving import application
from cycle_adapters.http.signing_in import LOCAL, SignedIn
from cycle_adapters.stopping import Stopping
from tests.feeds.test_feed import Town
from tests.feeds.test_stream import closed, ids, reading, serving, until
from tests.http.town import API, WIDE, Named, listening, named, rooms
from tests.identity.house import OUSMANE, House
from tests.store.saves import save


class Counted(NamedTuple):
    route: str
    seconds: float
    waited: float


@contextmanager
def counting(engine: Engine, following: Following) -> Iterator[tuple[str, list[Counted]]]:
    """The application, watched; and what is counted of each request, with what it said that it had waited."""
    found: list[Counted] = []
    app = make_app(engine, Named(engine), rooms(engine), replace(WIDE, following=following))

    async def watched(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        def count(method: str, route: str, status: int, seconds: float) -> None:
            found.append(Counted(route, seconds, scope.get(WAITED, 0.0)))

        await Observed(app, count)(scope, receive, send)

    with listening(watched) as address:  # type: ignore[arg-type]
        yield address, found


def test_a_stream_is_no_slow_answer_however_long_it_lasts(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which every stream lasts an hour at least."""
    seconds = iter(range(0, 10**9, 3_600))
    monkeypatch.setattr("cycle_adapters.http.observing.perf_counter", lambda: float(next(seconds)))
    monkeypatch.setattr("cycle_adapters.http.following.perf_counter", lambda: float(next(seconds)))
    with Engine(sqlite_url) as engine:
        town = Town(engine)
        with counting(engine, Following(longest_seconds=0)) as (address, found):
            with reading(f"{address}{API}/events/stream") as messages:
                assert closed(messages)[0] == "renew"
            headers = named("auditor")
            httpx2.get(f"{address}{API}/events?after={len(town.log)}&wait=1", headers=headers, timeout=60)
            httpx2.get(f"{address}{API}/events", headers=headers, timeout=60)
        # Each look at the clock is an hour later: before it, before and behind what it followed, and behind it.
        assert found == [
            (f"{API}/events/stream", 2 * 3600.0, 3600.0),
            (f"{API}/events", 2 * 3600.0, 3600.0),
            (f"{API}/events", 3600.0, 0.0),
        ]


def test_whoever_follows_the_log_is_counted_for_as_long_as_he_does(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine:
        Town(engine)
        runner, stop = Runner(engine.store, engine.leaves), Stopping()
        settings = Settings(sqlite_url, "en", False, "operator")
        app = application(engine, runner, settings, Named(engine), None, rooms(engine), "http://x", stop)

        def followers(address: str) -> str:
            figures = httpx2.get(f"{address}/metrics", timeout=60).text.splitlines()
            return next(line for line in figures if line.startswith("cycle_followers "))

        with listening(app) as address:  # type: ignore[arg-type]
            assert followers(address) == "cycle_followers 0.0"
            streams = f"{address}{API}/events/stream"
            with reading(streams) as one, reading(streams, "fanta") as another:
                until(one, "caught-up")
                until(another, "caught-up")
                assert followers(address) == "cycle_followers 2.0"
                for end in stop.ends:
                    end()
                assert {closed(one)[0], closed(another)[0]} == {"stopping"}
            assert followers(address) == "cycle_followers 0.0"


@contextmanager
def signed_in(address: str, session: str) -> Iterator[Iterator[ServerSentEvent]]:
    """The messages of a stream that a browser has opened."""
    with (
        httpx2.Client(timeout=60) as client,
        client.sse(address, headers={"Cookie": f"{LOCAL}={session}"}) as source,
    ):
        yield iter(source)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_stream_keeps_no_session_from_being_over(house: House, is_there: bool) -> None:
    """It once was asked at each event whether the session held, which was taken for somebody who is there."""
    session = house.with_password().enters(OUSMANE).id
    with serving(house.engine, callers=SignedIn(house.sessions)) as address, signed_in(address, session) as first:
        until(first, "caught-up")
        house.later(IDLE_SECONDS / 2).engine.store.append(save("one"))
        assert ids(until(first, "caught-up"))
        # It comes again by itself, as a page that was left open does.
        with signed_in(address, session) as again:
            until(again, "caught-up")
            if is_there:
                page = address.replace("/events/stream", "/frameworks")
                httpx2.get(page, headers={"Cookie": f"{LOCAL}={session}"}, timeout=60).raise_for_status()
            house.later(IDLE_SECONDS / 2).engine.store.append(save("two"))
            names = [next(each.event for each in stream if each.event != "message") for stream in (first, again)]
            assert names == (["caught-up"] * 2 if is_there else ["closed"] * 2)
