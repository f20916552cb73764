"""The trial of subscribers: eight writers in four processes, and an insert that is held open while they write.

Whatever a subscriber hears by, it hears each event once after what came twice is taken out, in the order of the
log, and none is missing. The wire to whoever reads over HTTP is cut again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import NamedTuple

import httpx2
import msgspec
from msgspec.structs import replace

from cycle_adapters.http.limits import Following
from tests.feeds.cutting import Cutting
from tests.http.town import API, WIDE, named, serving
from tests.store.held import held_open
from tests.store.test_processes import go, program, told
from tests.store.threads import written
from tests.subscribers.subscriber import Heard, Kind, Place
from tests.webhooks.town import Town

PROCESSES = 4
CUTS, MOST_BYTES = 25, 40_000
LASTING = replace(WIDE, following=Following())


class Outcome(NamedTuple):
    """What one subscriber heard against what was recorded."""

    recorded: Sequence[Heard]
    heard: Sequence[Heard]

    @property
    def once(self) -> list[Heard]:
        """Each event when it came first."""
        return list(dict.fromkeys(self.heard))

    @property
    def again(self) -> int:
        """How many came that had come before."""
        return len(self.heard) - len(self.once)


def trial(town: Town, kinds: Mapping[str, Kind], seed: int, appends: int) -> dict[str, Outcome]:
    """One trial of some kinds at once; returns what each heard."""
    store = town.engine.store
    with serving(town.engine, LASTING) as address, Cutting(address, Random(seed), CUTS, MOST_BYTES) as wire:
        place = Place(town, wire.address, store.head().position)
        subscribers = {name: kind(place) for name, kind in kinds.items()}
        for each in subscribers.values():
            each.begins()
        begin, names = store.head().position, [f"seed-{seed}-{n}" for n in range(PROCESSES)]
        position = begin + 1 + sum(written(name, appends) for name in names)
        writers = [program("tests.store.threads", town.url, name, str(appends)) for name in names]
        with ThreadPoolExecutor(len(kinds)) as pool:
            hearing = {name: pool.submit(each.until, position) for name, each in subscribers.items()}
            for writer in writers:
                go(writer)
            _hold_one_open(town, address)
            acknowledged = {each for writer in writers for saved in told(writer) for each in saved.positions}
            heard = {name: future.result() for name, future in hearing.items()}
    recorded = _recorded(town, begin)
    assert {each.position for each in recorded} - acknowledged == {_held(recorded)}
    # Before the trial somebody subscribed, which is an event, too.
    return {name: Outcome(recorded, [each for each in heard[name] if each.position > begin]) for name in kinds}


def _hold_one_open(town: Town, address: str) -> None:
    """In the middle of it all an event is written and not committed for a second, and nobody sees what may follow."""
    with held_open(town.engine, town.url) as commit:
        head = town.engine.store.head().position
        early = httpx2.get(f"{address}{API}/events?after={head}&wait=1", headers=named("auditor"), timeout=60).json()
        assert (early["count"], early["head"]) == (0, head)
        commit()


def _recorded(town: Town, after: int) -> list[Heard]:
    store = town.engine.store
    rows = store.stored(after, store.head().position)
    return [Heard(msgspec.json.decode(row.leaf)["id"], row.position) for row in rows]


def _held(recorded: Sequence[Heard]) -> int:
    return next(each.position for each in recorded if each.id == "held-1")
