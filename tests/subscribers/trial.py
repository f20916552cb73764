"""The trial of subscribers: eight writers in four processes, and an insert that is held open while they write.

Whatever a subscriber hears by, it hears each event once after what came twice is taken out, in the order that it is
promised, and none is missing. The wire to whoever reads over HTTP or from NATS is cut again and again, NATS is
killed, a receiver of webhooks fails, workers of a group die.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from subprocess import Popen
from threading import Event, Thread

import httpx2
import msgspec
from msgspec.structs import replace

from cycle.aggregates.base import Role
from cycle.cloudevents import Envelopes
from cycle.fanout.handing import HandingOn
from cycle.turns import Work
from cycle.webhooks.delivering import Deliverer
from cycle.webhooks.endpoints import Webhooks
from cycle_adapters.http.limits import Following
from cycle_adapters.jetstream.connecting import Servers
from cycle_adapters.jetstream.running import Running as Publishing
from cycle_adapters.webhooks.running import Running as Delivering
from cycle_adapters.webhooks.sending import Sender
from cycle_adapters.work import Shift, in_turn
from tests.feeds.cutting import Cutting
from tests.http.town import API, WIDE, named, serving
from tests.nats.server import Node
from tests.store.held import held_open
from tests.store.test_processes import go, program, told
from tests.subscribers.subscriber import Heard, Kind, Outcome, Place, following
from tests.webhooks.town import ADDRESS, DHIS, HERE, Town

PROCESSES = 4
PATIENCE_SECONDS = 600.0
"""As long a subscriber may take for what has to come."""
CUTS, MOST_BYTES = 25, 40_000
NATS_CUTS, MOST_NATS_BYTES = 8, 200_000
LASTING = replace(WIDE, following=Following(ping_seconds=1))


def trial(town: Town, node: Node, kinds: Mapping[str, Kind], seed: int, appends: int) -> dict[str, Outcome]:
    """One trial of some kinds at once; returns what each heard."""
    with ExitStack() as over:
        address = over.enter_context(serving(town.engine, LASTING))
        wire = over.enter_context(Cutting(address, Random(f"http {seed}"), CUTS, MOST_BYTES))
        to_nats = over.enter_context(Cutting(node.url, Random(f"nats {seed}"), NATS_CUTS, MOST_NATS_BYTES))
        nats = f"nats://{to_nats.address.rpartition('/')[2]}"
        place = Place(town.engine, DHIS, DHIS, [wire.address], town.receiver, nats, (), Random(seed))
        subscribers = {name: kind(place) for name, kind in kinds.items()}
        over.enter_context(_working(town, nats))
        over.enter_context(following(subscribers.values()))
        begin = town.engine.store.head().position
        recorded = _recorded(town, begin, _written(town, node, address, f"seed-{seed}", appends))
        for each in subscribers.values():
            each.has([event.position for event in recorded], PATIENCE_SECONDS)
    # Before the trial somebody subscribed, which is an event, too.
    return {
        name: Outcome(recorded, [event for event in each.heard if event.position > begin], each.in_all)
        for name, each in subscribers.items()
    }


@contextmanager
def _working(town: Town, nats: str) -> Iterator[None]:
    """What sends to webhooks and hands on to NATS, as a worker does."""
    engine, account, stop = town.engine, Role.WORKER.value, Event()
    deliverer = Deliverer(Webhooks(engine), Sender(HERE), account, Envelopes(ADDRESS))
    handing = HandingOn(engine, account, Envelopes(ADDRESS))
    parts: dict[Work, Callable[[Shift], None]] = {
        Work.DELIVERING: Delivering(engine, deliverer).run,
        Work.PUBLISHING: Publishing(engine, handing, Servers((nats,))).run,
    }
    turns = engine.store.turns
    threads = [Thread(target=in_turn, args=(turns, work, part, stop)) for work, part in parts.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _written(town: Town, node: Node, address: str, name: str, appends: int) -> frozenset[int]:
    """Have writers write, and an insert held open, while NATS is killed; returns the acknowledged positions."""
    writers = _writers(town, [f"{name}-{number}" for number in range(PROCESSES)], appends)
    for writer in writers:
        go(writer)
    node.kill()
    _hold_one_open(town, address)
    node.start()
    return frozenset(at for writer in writers for saved in told(writer) for at in saved.positions)


def _writers(town: Town, names: Collection[str], appends: int) -> list[Popen[str]]:
    """Processes that are ready to write."""
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda name: program("tests.store.threads", town.url, name, str(appends)), names))


def _hold_one_open(town: Town, address: str) -> None:
    """In the middle of it all an event is written and not committed for a second, and nobody sees what may follow."""
    with held_open(town.engine, town.url) as commit:
        head = town.engine.store.head().position
        early = httpx2.get(f"{address}{API}/events?after={head}&wait=1", headers=named("auditor"), timeout=60).json()
        assert (early["count"], early["head"]) == (0, head)
        commit()


def _recorded(town: Town, after: int, acknowledged: frozenset[int]) -> Sequence[Heard]:
    """What is recorded: all that was acknowledged, and what was held open."""
    store = town.engine.store
    rows = [(row.position, msgspec.json.decode(row.leaf)) for row in store.stored(after, store.head().position)]
    found = [Heard(leaf["id"], leaf["stream"], position) for position, leaf in rows]
    assert [each.position for each in found] == list(range(after + 1, store.head().position + 1)), "a gap"
    assert {each.position for each in found} - acknowledged == {_held(found)}
    return found


def _held(recorded: Sequence[Heard]) -> int:
    return next(each.position for each in recorded if each.id == "held-1")
