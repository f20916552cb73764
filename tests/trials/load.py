"""Clients that send commands over HTTP at a pace, and send each again under its key until it is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any, NamedTuple

from cycle.aggregates.framework.anytime import AttachDocument
from tests.access.places import DAY
from tests.http.town import key, named, sent
from tests.trials.subscribers import AGAIN_SECONDS

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")
RECORDED = (200, 201)
"""200: it was recorded already, and the answer was lost."""
NOT_NOW = (409, 425, 429, 500, 502, 503, 504)
"""Answers after which the same is sent again: nothing was recorded, or the key tells."""


class Acknowledged(NamedTuple):
    """What a client was told that is recorded, how often it had sent it, and when it began and was told (seconds)."""

    key: str
    position: int
    id: str
    times: int
    began: float
    told: float


class Load:
    """So many commands a second, of clients with a token each, to servers in turn; ``refused`` should stay empty."""

    def __init__(
        self,
        addresses: Sequence[str],
        tokens: Sequence[str],
        frameworks: Sequence[str],
        per_second: float,
    ) -> None:
        self._addresses, self._frameworks = addresses, frameworks
        self.per_second = per_second
        self._each_seconds = len(tokens) / per_second
        self._stop, self._over = Event(), Event()
        self._came = Condition()
        self.acknowledged: list[Acknowledged] = []
        self.last: tuple[int, bytes] | None = None
        """The last answer after which something was sent again."""
        self.refused: list[tuple[int, bytes]] = []
        self.threads = [
            Thread(target=self._client, args=(n, token), name=f"client-{n}", daemon=True)
            for n, token in enumerate(tokens)
        ]

    def _client(self, number: int, token: str) -> None:
        begun, count, server = monotonic() + number * self._each_seconds / len(self.threads), 0, number
        connections: dict[str, HTTPConnection] = {}
        path, body = sent(PAPER, DAY, self._frameworks[number % len(self._frameworks)])
        payload = json.dumps(body).encode()
        while not self._stop.wait(max(0.0, begun + count * self._each_seconds - monotonic())):
            # As through a proxy: each client at an address of its own.
            headers = named(token, **key(), **{"X-Forwarded-For": f"192.0.2.{number + 1}"})
            headers |= {"Content-Type": "application/json"}
            at, times = monotonic(), 0
            while not self._over.is_set():
                address = self._addresses[server % len(self._addresses)]
                times += 1
                status, said = _asked(connections, address, path, payload, headers)
                if status in RECORDED:
                    self._note(headers["Idempotency-Key"], json.loads(said), times, at)
                    break
                if status and status not in NOT_NOW:
                    self.refused.append((status, said))
                    return
                self.last = status, said
                # Another one may answer.
                server += 1
                Event().wait(AGAIN_SECONDS)
            count += 1
        for connection in connections.values():
            connection.close()

    def _note(self, key: str, receipt: dict[str, Any], times: int, began: float) -> None:
        found = Acknowledged(key, receipt["position"], receipt["events"][-1]["id"], times, began, monotonic())
        with self._came:
            self.acknowledged.append(found)
            self._came.notify_all()

    def goes_on(self, more: int, seconds: float = 60) -> int:
        """Wait until so many more are acknowledged; returns the highest position of them."""
        with self._came:
            wanted = len(self.acknowledged) + more
            assert self._came.wait_for(lambda: len(self.acknowledged) >= wanted, seconds), (self.refused, self.last)
            return max(each.position for each in self.acknowledged)

    def since(self, moment: float) -> float:
        """When the first command that began after a moment was acknowledged, in seconds after it."""
        with self._came:
            found = lambda: [each.told for each in self.acknowledged if each.began > moment]  # noqa: E731
            assert self._came.wait_for(lambda: bool(found()), 60)
            return min(found()) - moment

    def end(self) -> None:
        """Begin no more; what has begun is sent until it is acknowledged, for a minute."""
        self._stop.set()
        until = monotonic() + 60
        for thread in self.threads:
            thread.join(max(0.0, until - monotonic()))
        self._over.set()


def _asked(
    connections: dict[str, HTTPConnection], address: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes]:
    """Status and body of the answer; 0 when there is none."""
    connection = connections.get(address) or HTTPConnection(address.removeprefix("http://"), timeout=20)
    connections[address] = connection
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        with suppress(OSError):
            connections.pop(address).close()
        return 0, b""


@contextmanager
def sending(load: Load) -> Iterator[Load]:
    for thread in load.threads:
        thread.start()
    try:
        yield load
    finally:
        load.end()
