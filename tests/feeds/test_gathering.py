"""Whoever waits for the same event is answered with others: it is read once, and rights are each one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from cycle.aggregates.framework.setup import PrioritiseSectors
from cycle.engine import Engine
from cycle.feed import Batch
from cycle.store import Unavailable
from cycle_adapters.http.gathering import AT_ONCE, Ask, Gathering
from tests.access.places import revoke, say
from tests.feeds.test_feed import Town
from tests.feeds.test_stream import closed, ids, reading, serving, until

MORE = PrioritiseSectors(sectors=("rice", "fish"))


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    with Engine(database_url) as engine:
        yield Town(engine)


def asks(town: Town, who: str = "auditor", after: int = 0) -> Ask:
    """What somebody wants to read: five events behind a position."""
    return lambda reads: town.feed(who).read(after, 5, reads)


class Counting:
    """Counts how often a town's store reads a stretch; the first time it waits until it is let go on."""

    def __init__(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        self._feed, self.times, self.begun, self.go_on = town.engine.store.feed, 0, Event(), Event()
        monkeypatch.setattr(town.engine.store, "feed", self)

    def __call__(self, *stretch: Any, **wanted: Any) -> Any:
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(60)
        return self._feed(*stretch, **wanted)


@pytest.mark.parametrize("each", [2, AT_ONCE])
def test_whoever_asks_meanwhile_is_answered_by_one_read_that_begins_after_all_have_asked(
    town: Town, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, after = Counting(town, monkeypatch), len(town.log)

    async def ask() -> list[Batch]:
        together = Gathering(town.engine)
        asked = [asyncio.create_task(together(asks(town, after=after)))]
        await asyncio.to_thread(counting.begun.wait, 60)
        for who in ("auditor", "fanta"):
            asked += [asyncio.create_task(together(asks(town, who, after))) for _ in range(each)]
        await asyncio.sleep(0)
        say(town.engine, MORE, town.koula)
        counting.go_on.set()
        return list(await asyncio.gather(*asked))

    _, *found = asyncio.run(ask())
    own, others = found[:each], found[each:]
    assert [[row[0] for row in batch.rows] for batch in own] == [[after + 1]] * each
    # Fanta does not read what happens in Koula.
    assert [(list(batch.rows), batch.to) for batch in others] == [([], after + 1)] * each
    # The first one, and then one for all who read the same.
    assert counting.times == 1 + 2


def test_who_may_not_is_refused_alone_and_what_fails_for_all_is_told_to_all(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise Unavailable("no-server", "x")

    async def ask() -> list[Any]:
        together = Gathering(town.engine)
        asked = [together(asks(town, who)) for who in ("auditor", "operator")]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    read, refused = asyncio.run(ask())
    assert len(read.rows) == 5
    assert type(refused).__name__ == "Forbidden"
    monkeypatch.setattr(town.engine.door, "refresh", fails)
    assert [type(each) for each in asyncio.run(ask())] == [Unavailable] * 2


def test_one_who_has_gone_meanwhile_keeps_nobody_from_being_answered(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(town, monkeypatch)

    async def ask() -> Batch:
        together = Gathering(town.engine)
        gone = asyncio.create_task(together(asks(town)))
        await asyncio.to_thread(counting.begun.wait, 60)
        gone.cancel()
        stays = asyncio.create_task(together(asks(town)))
        await asyncio.sleep(0)
        counting.go_on.set()
        return await stays

    assert len(asyncio.run(ask()).rows) == 5


def test_many_streams_of_many_accounts_hear_each_what_is_their_own(town: Town) -> None:
    with serving(town.engine) as address, ExitStack() as stack:
        own = [stack.enter_context(reading(address, "auditor")) for _ in range(8)]
        others = [stack.enter_context(reading(address, "fanta")) for _ in range(8)]
        for each in (*own, *others):
            until(each, "caught-up")
        say(town.engine, MORE, town.koula)
        head = len(town.log) + 1
        assert [ids(until(each, "caught-up")) for each in own] == [[head]] * 8
        assert [ids(until(each, "checkpoint")) for each in others] == [[]] * 8
        revoke(town.engine, "fanta")
        assert {closed(each)[0] for each in others} == {"forbidden"}
