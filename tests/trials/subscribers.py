"""Whoever follows the log from outside: each goes on where it was, whatever is killed, and keeps what it got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any, Protocol

import httpx2

from tests.http.town import API, named
from tests.nats.reader import Reader
from tests.webhooks.receiver import Receiver

PAPER_ATTACHED = "document-attached"
HOLD_SECONDS = 5
"""How long a worker of a group may keep what it was given."""
MORE = 5
"""What was on its way to somebody when its sender was killed is less than that."""
AGAIN_SECONDS = 0.05
"""Before whoever was cut off comes again."""


class Subscriber:
    """Somebody who hears of papers that are attached; ``heard`` is what came, as it came: id, stream and position."""

    name = ""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int]] = []
        self.times: list[float] = []
        """When each of them came."""
        self.came = Condition()

    def takes(self, event: dict[str, Any]) -> None:
        with self.came:
            self.heard.append((event["id"], event["subject"], int(event["globalposition"])))
            self.times.append(monotonic())
            self.came.notify_all()

    def hears_more(self, than: int) -> float:
        """Wait until it has heard of some more than it had; returns when it did."""
        with self.came:
            enough = than + MORE
            assert self.came.wait_for(lambda: len(self.heard) >= enough, 60), (self.name, self.heard[-1:])
            return self.times[enough - 1]

    def hears(self, position: int, seconds: float) -> None:
        """Wait until it has heard of something from a position on."""
        with self.came:
            last = (self.name, self.heard[-1:])
            assert self.came.wait_for(lambda: any(at >= position for *_, at in self.heard), seconds), last


class Follower(Subscriber):
    """Asks one server after the other, as long as it takes."""

    def __init__(self, addresses: Sequence[str], token: str, after: int) -> None:
        super().__init__()
        self._addresses, self._token, self._after = cycle(addresses), token, after
        self._stop = Event()

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                with httpx2.Client(base_url=next(self._addresses), timeout=20, headers=named(self._token)) as client:
                    self._follow(client)
            except (httpx2.HTTPError, httpx2.SSEError):
                self._stop.wait(AGAIN_SECONDS)

    def _follow(self, client: httpx2.Client) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self._stop.set()


class Pulls(Follower):
    """Reads the pull feed on."""

    name = "pull feed"

    def _follow(self, client: httpx2.Client) -> None:
        while not self._stop.is_set():
            asked = {"after": self._after, "type": PAPER_ATTACHED, "wait": 1, "limit": 500}
            found = client.get(f"{API}/events", params=asked).raise_for_status().json()
            for event in found["events"]:
                self.takes(event)
            self._after = found["next"]


class Streams(Follower):
    """Reads the stream, and comes again behind the last id that it has seen."""

    name = "stream"

    def _follow(self, client: httpx2.Client) -> None:
        asked = f"{API}/events/stream?type={PAPER_ATTACHED}"
        with client.sse(asked, headers={"Last-Event-ID": str(self._after)}) as messages:
            for each in messages:
                if self._stop.is_set():
                    return
                if each.event == "message" and each.data:
                    self.takes(each.json())
                if each.id:
                    self._after = int(each.id)


class Shares(Follower):
    """One of several workers that share a consumer group: what it hears, the group has heard."""

    def __init__(self, addresses: Sequence[str], token: str, group: str, member: str, whole: Subscriber) -> None:
        super().__init__(addresses, token, 0)
        self._path, self._member, self._whole = f"{API}/groups/{group}", member, whole

    def _follow(self, client: httpx2.Client) -> None:
        asked = {"member": self._member, "limit": 50, "seconds": HOLD_SECONDS, "wait": 1}
        while not self._stop.is_set():
            found = client.post(f"{self._path}/lease", json=asked).raise_for_status().json()
            for event in found["events"]:
                self._whole.takes(event)
            if found["lease"] is not None:
                client.post(f"{self._path}/leases/{found['lease']}/ack", json={}).raise_for_status()


class Group(Subscriber):
    """All that the members of a group hear."""

    name = "consumer group"


class FromNats(Subscriber):
    """Takes all there is from NATS, and keeps the papers that came after it did."""

    name = "nats"

    def __init__(self, url: str, after: int) -> None:
        super().__init__()
        self._after, self.reader = after, Reader(url)
        self.reader.takes = self._keeps

    def _keeps(self, event: dict[str, Any]) -> None:
        if event["type"].split(".")[2] == PAPER_ATTACHED and int(event["globalposition"]) > self._after:
            self.takes(event)


class IsSent(Subscriber):
    """Receives a webhook."""

    name = "webhook"

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        receiver.answers = lambda sent: self.takes(sent.event) or 200


class Runs(Protocol):
    """Follows until it is stopped."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


@contextmanager
def following(followers: Sequence[Runs]) -> Iterator[None]:
    threads = [Thread(target=each.run, daemon=True) for each in followers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for each in followers:
            each.stop()
        for thread in threads:
            thread.join(60)
