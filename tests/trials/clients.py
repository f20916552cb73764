"""A program: clients that send commands over HTTP at a pace, each again under its key until it is acknowledged.

It reads an ``Orders`` from standard input, tells each ``Acknowledged`` or ``Refused`` in a line, and begins no more
when its input ends. A process of its own: whoever measures shares no interpreter with those who send.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Lock, Thread
from time import monotonic
from uuid import uuid4

import msgspec
from msgspec import Struct

RECORDED = (200, 201)
"""200: it was recorded already, and the answer was lost."""
NOT_NOW = (409, 425, 429, 500, 502, 503, 504)
"""Answers after which the same is sent again: nothing was recorded, or the key tells."""
AGAIN_SECONDS = 0.05
LAST_SECONDS = 60.0
"""As long is sent again what has begun, when nothing more is to begin."""


class Client(Struct, frozen=True):
    """Who sends what, again and again."""

    path: str
    body: bytes
    headers: dict[str, str]


class Orders(Struct, frozen=True):
    """Clients, servers that they ask in turn, and how many seconds lie between two commands of one of them."""

    addresses: tuple[str, ...]
    clients: tuple[Client, ...]
    each_seconds: float


class Acknowledged(Struct, frozen=True, tag=True):
    """What a client was told that is recorded, how often it had sent it, and when it began and was told (seconds)."""

    key: str
    position: int
    id: str
    times: int
    began: float
    told: float


class Refused(Struct, frozen=True, tag=True):
    """An answer that no sending again makes good; nobody should ever be told one."""

    status: int
    said: str


class Line(Struct, frozen=True):
    """The last of the facts of a receipt."""

    id: str


class Receipt(Struct, frozen=True):
    position: int
    events: tuple[Line, ...]


receipt = msgspec.json.Decoder(Receipt).decode


class Clients:
    """All of them, until the input ends."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._stop, self._over, self._telling = Event(), Event(), Lock()
        self._threads = [Thread(target=self._client, args=(n,), daemon=True) for n in range(len(orders.clients))]

    def work(self) -> None:
        for thread in self._threads:
            thread.start()
        sys.stdin.read()
        self._stop.set()
        until = monotonic() + LAST_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        self._over.set()

    def _client(self, number: int) -> None:
        orders, count, connections = self._orders, 0, dict[str, HTTPConnection]()
        begun = monotonic() + number * orders.each_seconds / len(orders.clients)
        while not self._stop.wait(max(0.0, begun + count * orders.each_seconds - monotonic())):
            self._says(connections, number + count, orders.clients[number])
            count += 1

    def _says(self, connections: dict[str, HTTPConnection], server: int, client: Client) -> None:
        """Send one command until it is acknowledged."""
        key, began, times = uuid4().hex, monotonic(), 0
        while not self._over.is_set():
            address = self._orders.addresses[(server + times) % len(self._orders.addresses)]
            times += 1
            headers = {**client.headers, "Content-Type": "application/json", "Idempotency-Key": key}
            status, said = _asked(connections, address, client.path, client.body, headers)
            if status in RECORDED:
                done = receipt(said)
                self._tell(Acknowledged(key, done.position, done.events[-1].id, times, began, monotonic()))
                return
            if status and status not in NOT_NOW:
                self._tell(Refused(status, said.decode(errors="replace")))
                return
            # Another one may answer.
            Event().wait(AGAIN_SECONDS)

    def _tell(self, said: Acknowledged | Refused) -> None:
        with self._telling:
            sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
            sys.stdout.buffer.flush()


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


if __name__ == "__main__":
    Clients(msgspec.json.decode(sys.stdin.readline(), type=Orders)).work()
