"""However many write, and however many take, slow ones and killed ones: each event, in order, none missing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Event, Lock

import msgspec
import pytest

from cycle.groups.leasing import Taken
from cycle.groups.shapes import Chosen, LeaseLost
from cycle.subscriptions.lag import lag_of
from cycle_adapters.sql import leases, queues
from tests.feeds.test_dropping import held_open
from tests.groups.town import PAPERS, SECONDS, Town, positions

WRITERS, APPENDS, MEMBERS, SEEDS = 8, 10, 4, (1,)
"""As many as the suite has time for; more of each by hand."""


class Handled:
    """What workers did, in the order in which they did it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.by_stream: dict[str, list[int]] = {}
        self.times = 0

    def note(self, stream: str, position: int) -> None:
        with self._lock:
            self.by_stream.setdefault(stream, []).append(position)
            self.times += 1

    def once(self) -> dict[str, list[int]]:
        return {stream: list(dict.fromkeys(done)) for stream, done in self.by_stream.items()}


def work(town: Town, member: str, chance: Random, over: Event, handled: Handled) -> None:
    """Take and settle by chance, as good, careless and dying workers do, until nothing is left."""
    while True:
        all_written = over.is_set()
        taken = town.lease(member, limit=chance.randint(1, 6), seconds=SECONDS)
        if taken.lease is not None:
            with suppress(LeaseLost):
                handle(town, taken, chance, handled)
        elif all_written and lag_of(town.groups, town.own()).events == 0:
            return
        else:
            # Its clock runs ahead of those of the others: it takes what they still have.
            town.later(chance.choice((0, SECONDS / 3)))


def handle(town: Town, taken: Taken, chance: Random, handled: Handled) -> None:
    """Do some or all of it, and settle that, or die before."""
    mood, many = chance.random(), len(taken.rows)
    some = many if mood < 0.5 else chance.randint(0, many)
    for _, _, _, leaf in taken.rows[:some]:
        told = msgspec.json.decode(leaf)
        handled.note(told["stream"], told["version"])
    ids = [msgspec.json.decode(leaf)["id"] for *_, leaf in taken.rows]
    if mood < 0.8:
        town.ack(taken, Chosen(frozenset(ids[:some])))
        town.nack(taken, Chosen(frozenset(ids[some:])))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_eight_write_and_four_take_is_done_once_each_in_order(
    town: Town, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (leases, queues):
        monkeypatch.setattr(module, "ATTEMPTS", 1_000_000)
    town.made()
    over, handled = Event(), Handled()

    def write(framework: str) -> int:
        return len(town.happens(framework, APPENDS))

    members = [town.another() for _ in range(MEMBERS)]
    with ThreadPoolExecutor(WRITERS + MEMBERS) as pool:
        writing = [pool.submit(write, (town.dioro, town.koula)[n % 2]) for n in range(WRITERS)]
        working = [
            pool.submit(work, each, f"member-{n}", Random(seed * 100 + n), over, handled)
            for n, each in enumerate(members)
        ]
        assert sum(each.result(120) for each in writing) == WRITERS * APPENDS
        over.set()
        for each in working:
            each.result(120)
    recorded: dict[str, list[int]] = {}
    for *_, leaf in town.engine.store.read(0, types=PAPERS):
        told = msgspec.json.decode(leaf)
        recorded.setdefault(told["stream"], []).append(told["version"])
    assert handled.once() == recorded
    assert handled.times > WRITERS * APPENDS, "some came again, or nothing was tried"


def test_what_is_held_open_comes_when_it_is_committed_and_what_stands_behind_it_not_before(
    town: Town, database_url: str
) -> None:
    """Another process has written and not committed; others write meanwhile, and wait for it. Then it commits."""
    town.made(types=())
    first = town.lease()
    town.ack(first)
    head = town.engine.store.head().position
    with ThreadPoolExecutor(2) as pool:
        with held_open(town.engine, database_url) as commit:
            writing = [pool.submit(town.happens, framework) for framework in (town.dioro, town.koula)]
            assert town.lease().lease is None
            commit()
        for each in writing:
            each.result(60)
    assert positions(town.lease()) == [head + 1, head + 2, head + 3]
