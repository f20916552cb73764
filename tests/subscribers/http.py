"""Subscribers over HTTP, who come again whatever cut them off, and ask one server after the other."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from itertools import cycle
from random import Random
from typing import Any

import httpx2

from cycle.groups.known import Groups
from cycle.subscriptions.known import identity_of
from tests.http.town import API, named
from tests.subscribers.subscriber import AGAIN_SECONDS, Place, Subscriber, following

PAGE = 50
PAUSE_SECONDS = 0.25
"""Between two pages of whoever has read everything: nobody asks for each event by itself."""
MEMBERS = ("one", "two", "three")
HOLD_SECONDS = 2
"""How long a worker of a group may keep what it was given."""
DEATHS = 1
"""So many times each of them takes events and is never heard of again."""
TRUST = ssl.create_default_context()
"""Made once: it takes longer than any of the requests."""


class Follower(Subscriber):
    """Asks one server after the other, as long as it takes."""

    def __init__(self, addresses: Sequence[str], token: str) -> None:
        super().__init__()
        self._addresses, self._token = cycle(addresses), token

    def run(self) -> None:
        while not self._stopped.is_set():
            given: dict[str, Any] = {"base_url": next(self._addresses), "headers": named(self._token)}
            self.connections += 1
            try:
                with httpx2.Client(**given, timeout=20, verify=TRUST) as client:
                    self._follow(client)
            except (httpx2.HTTPError, httpx2.SSEError):
                self._stopped.wait(AGAIN_SECONDS)

    def _follow(self, client: httpx2.Client) -> None:
        raise NotImplementedError


class Pulls(Follower):
    """Reads page by page, waiting for more."""

    def __init__(self, addresses: Sequence[str], token: str, after: int, types: Sequence[str] = ()) -> None:
        super().__init__(addresses, token)
        self.covered, self._types = after, list(types)

    @classmethod
    def at(cls, place: Place) -> Pulls:
        return cls(place.addresses, place.token, place.engine.store.head().position, place.types)

    def _follow(self, client: httpx2.Client) -> None:
        while not self._stopped.is_set():
            asked: Any = {"after": self.covered, "type": self._types, "wait": 1, "limit": PAGE}
            batch = client.get(f"{API}/events", params=asked).raise_for_status().json()
            assert batch["from"] == self.covered + 1
            assert self._types or batch["passed_over"] == 0
            for event in batch["events"]:
                self.takes(event)
            self.covers(batch["next"])
            if batch["count"] < PAGE:
                self._stopped.wait(PAUSE_SECONDS)


class Streams(Follower):
    """Reads the stream as an EventSource does: comes again with its last id, whatever cut it off."""

    def __init__(self, addresses: Sequence[str], token: str, after: int = 0, types: Sequence[str] = ()) -> None:
        super().__init__(addresses, token)
        asked: Any = {"after": after, "type": list(types)}
        self._asked, self._last = httpx2.QueryParams(asked), ""

    @classmethod
    def at(cls, place: Place) -> Streams:
        return cls(place.addresses, place.token, place.engine.store.head().position, place.types)

    def _follow(self, client: httpx2.Client) -> None:
        last = {"Last-Event-ID": self._last} if self._last else {}
        with client.sse(f"{API}/events/stream?{self._asked}", headers=last) as messages:
            for each in messages:
                if self._stopped.is_set():
                    return
                self._last = each.id or self._last
                if each.event == "message" and each.data:
                    self.takes(each.json())
                elif each.event in ("checkpoint", "caught-up"):
                    marks: Any = each.json()
                    self.covers(marks["to"])


class Group(Subscriber):
    """Several workers who share what comes: what one of them has done, the group has heard."""

    in_all = False

    def __init__(self, place: Place) -> None:
        super().__init__()
        done = Groups(place.engine).add(place.account, "warehouse", place.types)
        path = f"{API}/groups/{identity_of(done.receipt.stream)}"
        self._members = [Member(place, path, name, self) for name in MEMBERS]

    def run(self) -> None:
        with following(self._members):
            self._stopped.wait()


class Member(Follower):
    """One of the workers: does what it is given and settles it; some of it, or none, when chance will have it so."""

    def __init__(self, place: Place, path: str, name: str, whole: Subscriber) -> None:
        super().__init__(place.addresses, place.token)
        self._path, self._name, self._whole = path, name, whole
        self._chance = place.chance and Random(f"{place.chance.random()} {name}")
        self._deaths = DEATHS

    def _follow(self, client: httpx2.Client) -> None:
        asked = {"member": self._name, "limit": PAGE, "seconds": HOLD_SECONDS, "wait": 1}
        while not self._stopped.is_set():
            given = client.post(f"{self._path}/lease", json=asked).raise_for_status().json()
            if given["lease"] is not None:
                self._works(client, given["lease"], given["events"])
                if len(given["events"]) < PAGE:
                    self._stopped.wait(PAUSE_SECONDS)

    def _works(self, client: httpx2.Client, lease: int, events: Sequence[Any]) -> None:
        mood = self._chance.random() if self._chance else 1.0
        some = self._chance.randint(0, len(events)) if self._chance and mood < 0.2 else len(events)
        for event in events[:some]:
            self._whole.takes(event)
        if mood < 0.05 and self._deaths:
            self._deaths -= 1
        elif some < len(events):
            self._settles(client, lease, "ack", {"events": [each["id"] for each in events[:some]]})
            self._settles(client, lease, "nack", {"events": [each["id"] for each in events[some:]], "delay": 0})
        else:
            self._settles(client, lease, "ack", {})

    def _settles(self, client: httpx2.Client, lease: int, how: str, said: dict[str, object]) -> None:
        answer = client.post(f"{self._path}/leases/{lease}/{how}", json=said)
        # Who was too slow settles nothing: it is done again.
        if answer.status_code != httpx2.codes.CONFLICT:
            answer.raise_for_status()
