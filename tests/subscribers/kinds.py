"""Every kind of subscriber. Whoever adds a way to hear of events adds it here, and the trials are its trial."""

from __future__ import annotations

from contextlib import closing

import msgspec

from cycle.cloudevents import Envelopes
from cycle.fanout.subjects import EVERYTHING, PREFIX
from cycle.feed import Feed, Wanted
from cycle.reading import Reader
from cycle.store import Unavailable
from cycle.webhooks.endpoints import Webhooks
from tests.nats.reader import InOrder
from tests.subscribers.http import PAUSE_SECONDS, Group, Pulls, Streams
from tests.subscribers.subscriber import AGAIN_SECONDS, Kind, Place, Subscriber
from tests.webhooks.receiver import Sent
from tests.webhooks.town import ADDRESS

FAILURES = 2
"""So many answers of a receiver of webhooks go wrong, after it has kept the event."""


class Library(Subscriber):
    """Reads on within a process of ours, woken by the store."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._store, self.covered = place.engine.store, place.engine.store.head().position
        self._feed = Feed(Reader(place.engine, place.account), Wanted(place.types))
        self._envelopes = Envelopes(ADDRESS)

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except Unavailable:
                self._stopped.wait(AGAIN_SECONDS)

    def _follow(self) -> None:
        with closing(self._store.waker(PAUSE_SECONDS)) as waker:
            while not self._stopped.is_set():
                batch = self._feed.read(self.covered, 100)
                for event in batch.told(self._envelopes, lambda log: None).events:
                    self.takes(msgspec.json.decode(msgspec.json.encode(event)))
                self.covers(batch.to)
                if batch.at_head:
                    waker.wait(1)


class IsSent(Subscriber):
    """Receives a webhook."""

    # What follows in other streams does not wait for what was not taken.
    in_all = False

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._chance, self._failures = place.chance, FAILURES
        place.receiver.answers = self._answers
        Webhooks(place.engine).add(place.account, place.receiver.url, place.types)

    def _answers(self, sent: Sent) -> int:
        self.takes(sent.event)
        if self._chance and self._failures and self._chance.random() < 0.02:
            self._failures -= 1
            return 500
        return 200

    def run(self) -> None:
        """It is sent what there is, in threads of the receiver."""
        self._stopped.wait()


class FromNats(Subscriber):
    """Takes from NATS what is published from its position on."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        # One consumer has one subject here: of one type, or of all.
        subject = f"{PREFIX}.*.*.*.{place.types[0]}" if place.types else EVERYTHING
        self._reader = InOrder(place.nats, subject, place.engine.store.head().position)
        self._reader.takes = self.takes

    def run(self) -> None:
        self._reader.run()

    def stop(self) -> None:
        self._reader.stop()


KINDS: dict[str, Kind] = {
    "pull": Pulls.at,
    "stream": Streams.at,
    "library": Library,
    "webhook": IsSent,
    "group": Group,
    "nats": FromNats,
}
