"""A browser's EventSource, as npm has it, on a wire that is cut: each event once, in order, none missing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, NamedTuple

import pytest

from cycle.engine import Engine
from tests.access.places import DIORO, two_communes
from tests.feeds.cutting import Cutting
from tests.feeds.test_dropping import APPENDS, WRITERS, of_log, write
from tests.http.town import API, serving
from tests.js.parties import told
from tests.subscribers.trial import LASTING

CUTS = 12


class Heard(NamedTuple):
    """What an EventSource has told: the id that each connection began with, and all that came."""

    asked: list[str]
    events: list[Any]
    resumed: list[str]
    """For each connection the last id that was heard before it."""

    @property
    def once(self) -> list[str]:
        return list(dict.fromkeys(event["id"] for event in self.events))


def heard(address: str, who: str, until: int) -> Heard:
    """What an EventSource hears until the log has come so far."""
    said = told("eventsource.mjs", f"{address}{API}/events/stream", who, str(until))
    found, last = Heard([], [], []), ""
    for each in map(json.loads, said.splitlines()):
        if "asked" in each:
            found.asked.append(each["asked"])
            found.resumed.append(last)
        if "event" in each:
            found.events.append(each["event"])
        last = each.get("id", last)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_an_eventsource_whose_wire_is_cut_meets_every_event_of_eight_writers_once(
    database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It comes again as soon as the stream allows, and it need not be polite here.
    monkeypatch.setattr("cycle_adapters.http.streaming.RETRY_MS", 1)
    with Engine(database_url) as engine:
        two_communes(engine)
        position = engine.store.head().position + WRITERS * APPENDS
        with (
            serving(engine, LASTING) as address,
            Cutting(address, Random(seed), CUTS, 40_000) as wire,
            ThreadPoolExecutor(WRITERS + 2) as pool,
        ):
            readers = [pool.submit(heard, wire.address, who, position) for who in ("auditor", "fanta")]
            for writing in [pool.submit(write, engine, writer) for writer in range(WRITERS)]:
                writing.result(120)
            everything, own = [each.result(120) for each in readers]
        assert everything.once == of_log(engine)
        assert own.once == of_log(engine, DIORO)
        assert wire.left < CUTS - 4
    for each in (everything, own):
        # It goes on behind the last thing that it heard, and never from the beginning again.
        assert each.asked == each.resumed
        assert each.asked[-1] != ""
        assert len({json.dumps(event) for event in each.events}) == len(each.once)
