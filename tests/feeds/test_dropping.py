"""Whatever happens to the wire, a reader that goes on from its last id meets each event, in order, none missing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

import httpx2
import msgspec
import pytest

from cycle.aggregates.organisation import Form, RegisterOrganisation
from cycle.aggregates.terms import Constituency
from cycle.engine import Engine
from tests.access.places import DIORO, say, two_communes
from tests.feeds.cutting import Cutting
from tests.http.town import API, named, serving
from tests.store.held import held_open
from tests.subscribers.http import Pulls, Streams
from tests.subscribers.subscriber import following
from tests.subscribers.trial import LASTING

WRITERS, APPENDS, CUTS = 8, 15, 25


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
            serving(engine, LASTING) as address,
            Cutting(address, Random(seed), CUTS, 40_000) as wire,
            ThreadPoolExecutor(WRITERS) as pool,
        ):
            everything, own = [Streams([wire.address], who) for who in ("auditor", "fanta")]
            pulled = Pulls([wire.address], "auditor", 0)
            with following((everything, own, pulled)):
                for writing in [pool.submit(write, engine, writer) for writer in range(WRITERS)]:
                    writing.result(120)
                for each in (everything, own, pulled):
                    each.comes_to(position, 120)
        assert engine.store.head().position == position
        assert everything.once == [event["id"] for event in pulled.events] == of_log(engine)
        assert own.once == of_log(engine, DIORO)
        assert wire.left < CUTS - 4
        assert everything.connections + own.connections + pulled.connections >= CUTS - wire.left
    # What came again came as it had come before.
    for reader in (everything, own):
        assert len({msgspec.json.encode(event) for event in reader.events}) == len(reader.once)


@pytest.mark.parametrize("seed", range(3))
def test_a_wire_that_is_cut_within_the_first_bytes_is_no_loss_either(sqlite_url: str, seed: int) -> None:
    with Engine(sqlite_url) as engine:
        two_communes(engine)
        head = engine.store.head().position
        with serving(engine, LASTING) as address, Cutting(address, Random(seed), CUTS, 1_500) as wire:
            reader = Streams([wire.address], "auditor")
            with following([reader]):
                reader.comes_to(head, 60)
        assert (reader.once, wire.left) == (of_log(engine), 0)


def test_an_insert_that_is_held_open_holds_up_what_stands_behind_it_and_loses_nothing(database_url: str) -> None:
    """Another process has written and not committed; others write meanwhile, and wait for it. Then it commits."""
    with Engine(database_url) as engine:
        two_communes(engine)
        head = engine.store.head().position
        with serving(engine, LASTING) as address, ThreadPoolExecutor(WRITERS) as pool:
            begun, reader = Event(), Streams([address], "auditor")
            with following([reader]):
                with held_open(engine, database_url) as commit:
                    writing = [pool.submit(_say_when_begun, engine, begun, n) for n in range(WRITERS)]
                    begun.set()
                    asked = f"{address}{API}/events?after={head}&wait=1"
                    early = httpx2.get(asked, headers=named("auditor"), timeout=60)
                    # Nobody sees what may yet be taken back, nor what would come to stand behind it.
                    assert (early.json()["count"], early.json()["head"]) == (0, head)
                    commit()
                for each in writing:
                    each.result(60)
                reader.comes_to(head + 1 + WRITERS, 60)
        ids = of_log(engine)
        assert ids[head] == "held-1"
        assert reader.once == ids
        assert len(ids) == head + 1 + WRITERS


def _say_when_begun(engine: Engine, begun: Event, number: int) -> None:
    begun.wait(60)
    say(engine, organisation(f"Coopérative {number}"))
