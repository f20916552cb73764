"""Every kind of subscriber there is. Whoever adds a way to hear of events adds it here, and the trial is its trial."""

from __future__ import annotations

from contextlib import closing
from time import time

from cycle.cloudevents import Envelopes
from cycle.feed import Feed, Wanted
from cycle.reading import Reader
from tests.subscribers.http import Puller, Streamed
from tests.subscribers.subscriber import Heard, Kind, Patience, Place, heard
from tests.webhooks.town import ADDRESS

LOOK_SECONDS = 0.05
"""Between two looks of whoever was not woken."""


class Library:
    """Reads on within a process of ours, woken by the store."""

    def __init__(self, place: Place) -> None:
        self._store, self._after = place.town.engine.store, place.after
        self._feed, self._envelopes = Feed(Reader(place.town.engine, "auditor"), Wanted()), Envelopes(ADDRESS)

    def begins(self) -> None:
        """Whoever asks hears what was recorded before he did."""

    def until(self, position: int) -> list[Heard]:
        patience, found = Patience(), list[Heard]()
        with closing(self._store.waker()) as waker:
            while self._after < position:
                patience.demand()
                batch = self._feed.read(self._after, 100)
                events = batch.told(self._envelopes, lambda log: None).events
                found += [Heard(event.id, int(event.globalposition)) for event in events]
                self._after = batch.to
                if batch.at_head and self._after < position:
                    waker.wait(1)
        return found


class Webhook:
    """Is sent each event by the deliverer."""

    def __init__(self, place: Place) -> None:
        self._town = place.town

    def begins(self) -> None:
        self._town.registered()

    def until(self, position: int) -> list[Heard]:
        patience, receiver = Patience(), self._town.receiver
        with closing(self._town.engine.store.waker()) as waker:
            while position not in receiver.positions[-1:]:
                patience.demand(self._failed)
                # What has failed is tried again when it is due, by the time that it is.
                self._town.now = time()
                if not self._town.deliverer.round():
                    waker.wait(LOOK_SECONDS)
        return heard(sent.event for sent in receiver.sent)

    def _failed(self) -> str:
        """What was not taken when it was sent first."""
        queue, [webhook] = self._town.webhooks.queue, self._town.webhooks.refresh()
        sent = queue.deliveries(webhook, limit=5_000)
        return str([(each.position, each.answers) for each in sent if each.attempts != 1])


KINDS: dict[str, Kind] = {"pull": Puller.at, "stream": Streamed.at, "library": Library, "webhook": Webhook}
