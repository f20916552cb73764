"""What streams cost the server: its CPU for each event while 1, 20 and 100 of them follow the log.

Of CPU, not of the clock: the server is a process of its own, whoever reads and writes is another. An event is recorded
when everybody has had the one before, so that none is told with another, however busy the machine is: ten
milliseconds would be a whole core at a hundred events a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from socket import create_connection, socket
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import process_time

from msgspec.structs import replace
from tests.http.town import API, WIDE, listening, rooms
from tests.people import everybody
from tests.store.saves import save

from benchmarks.measure import databases, line
from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.limits import Following

STREAMS = (1, 20, 100)
EVENTS = 100


def serve(url: str) -> None:
    """A server that says where it is, and how much it has worked whenever it is asked."""
    limits = replace(WIDE, following=Following(each=200))
    with Engine(url) as engine, listening(make_app(engine, OneAccount("auditor"), rooms(engine), limits)) as address:
        print(address, flush=True)
        for _ in sys.stdin:
            print(process_time(), flush=True)


class Server:
    def __init__(self, process: Popen[str]) -> None:
        self._process = process
        self.address = self._said()

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def worked_seconds(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._said())


@contextmanager
def serving(url: str) -> Iterator[Server]:
    with Popen([sys.executable, "-m", __spec__.name, url], stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Readers:
    """So many streams, read by one thread until each has had an event at a position."""

    def __init__(self, address: str, many: int, after: int) -> None:
        host, _, port = address.rpartition("/")[2].partition(":")
        self._sockets = [create_connection((host, int(port))) for _ in range(many)]
        for each in self._sockets:
            each.sendall(f"GET {API}/events/stream?after={after} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.until(b"event: caught-up")

    def until(self, wanted: bytes) -> None:
        """Read until this has come to each."""
        with ExitStack() as stack:
            selector = stack.enter_context(DefaultSelector())
            tails: dict[socket, bytes] = {}
            for each in self._sockets:
                selector.register(each, EVENT_READ)
                tails[each] = b""
            while tails:
                for key, _ in selector.select():
                    found: socket = key.fileobj  # type: ignore[assignment]
                    tails[found] = tails[found][-100:] + found.recv(1 << 16)
                    if wanted in tails[found]:
                        selector.unregister(found)
                        del tails[found]

    def close(self) -> None:
        for each in self._sockets:
            each.close()


def cost(engine: Engine, server: Server, many: int) -> float:
    """Milliseconds of CPU that the server takes for each event that is recorded while so many follow."""
    readers = Readers(server.address, many, engine.store.head().position)
    before = server.worked_seconds()
    for number in range(EVENTS):
        position = engine.store.append(save(f"of-{many}-{number}")).position
        readers.until(f"id: {position}\n".encode())
    worked = server.worked_seconds() - before
    readers.close()
    return worked * 1000 / EVENTS


def compare(kind: str, url: str) -> None:
    with Engine(url) as engine:
        everybody(engine)
        with serving(url) as server:
            for many in STREAMS:
                line(kind, f"{many} streams, CPU of the server for an event, ms", cost(engine, server, many), "")


def main() -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url)


if __name__ == "__main__":
    serve(sys.argv[1]) if sys.argv[1:] else main()
