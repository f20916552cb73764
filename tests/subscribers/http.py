"""Subscribers over HTTP, who come again whatever cut them off."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.http.town import API, named
from tests.subscribers.subscriber import Heard, Patience, Place, heard


class Streamed:
    """Reads the stream as an EventSource does: comes again with its last id, whatever cut it off."""

    def __init__(self, address: str, who: str = "auditor", after: int = 0) -> None:
        self._url, self._who = f"{address}{API}/events/stream?after={after}", who
        self.last = ""
        self.got: list[Any] = []
        """Every event that arrived, as often as it did."""
        self.covered = after
        """How far the marks between them say that it has read."""
        self.connections = 0

    @classmethod
    def at(cls, place: Place) -> Streamed:
        return cls(place.address, after=place.after)

    def begins(self) -> None:
        """Whoever asks hears what was recorded before he did."""

    def until(self, position: int) -> list[Heard]:
        """Read until a mark says that this position is behind it."""
        patience = Patience()
        while self.covered < position:
            self.connections += 1
            # An EventSource takes it for a lost connection, too, when the answer never began.
            try:
                self._connected(position, patience)
            except httpx2.TransportError:
                continue
        return heard(self.got)

    def _connected(self, position: int, patience: Patience) -> None:
        headers = named(self._who, **({"Last-Event-ID": self.last} if self.last else {}))
        with httpx2.Client(timeout=60) as client, client.sse(self._url, headers=headers) as source:
            for message in source:
                patience.demand()
                self.last = message.id or self.last
                if message.event == "message" and message.data:
                    self.got.append(message.json())
                elif message.event in ("checkpoint", "caught-up"):
                    marks: Any = message.json()
                    self.covered = marks["to"]
                    if self.covered >= position:
                        return

    @property
    def once(self) -> list[str]:
        """The ids in their order, each once."""
        return list(dict.fromkeys(event["id"] for event in self.got))


class Puller:
    """Reads page by page, waiting for more; asks again whatever cut off the answer."""

    def __init__(self, address: str, after: int = 0) -> None:
        self._url, self.after = f"{address}{API}/events", after
        self.got: list[Any] = []
        self.connections = 0

    @classmethod
    def at(cls, place: Place) -> Puller:
        return cls(place.address, place.after)

    def begins(self) -> None:
        """Whoever asks hears what was recorded before he did."""

    def until(self, position: int) -> list[Heard]:
        patience = Patience()
        while self.after < position:
            patience.demand()
            self.connections += 1
            parameters = {"after": self.after, "limit": 30, "wait": 10}
            try:
                answer = httpx2.get(self._url, params=parameters, headers=named("auditor"), timeout=60)
            except httpx2.TransportError:
                continue
            batch = answer.json()
            assert (batch["from"], batch["passed_over"]) == (self.after + 1, 0)
            self.got += batch["events"]
            self.after = batch["next"]
        return heard(self.got)
