"""A load: clients in a process of their own, and what they were told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Thread

import msgspec

from cycle.aggregates.framework.anytime import AttachDocument
from tests.access.places import DAY
from tests.http.town import named, sent
from tests.operations.processes import ROOT
from tests.trials.clients import LAST_SECONDS, Acknowledged, Client, Orders, Refused

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")
told = msgspec.json.Decoder(Acknowledged | Refused).decode


class Load:
    """So many commands a second, of clients with a token each, to servers in turn; ``refused`` should stay empty.

    Each client has a framework of its own, as far as there are as many.
    """

    def __init__(
        self, addresses: Sequence[str], tokens: Sequence[str], frameworks: Sequence[str], per_second: float
    ) -> None:
        self.per_second = per_second
        clients = [_client(number, token, frameworks) for number, token in enumerate(tokens)]
        self._orders = Orders(tuple(addresses), tuple(clients), len(clients) / per_second)
        self._came = Condition()
        self.acknowledged: list[Acknowledged] = []
        self.refused: list[Refused] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._hearing = Thread(target=self._hears, daemon=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def begin(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, "-m", "tests.trials.clients"], cwd=ROOT, **pipes)
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(self._orders) + b"\n")
        self._process.stdin.flush()
        self._hearing.start()

    def _hears(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = told(line)
            with self._came:
                if isinstance(said, Refused):
                    self.refused.append(said)
                else:
                    self.acknowledged.append(said)
                self._came.notify_all()

    def goes_on(self, more: int, seconds: float = 60) -> int:
        """Wait until so many more are acknowledged; returns the highest position of them."""
        with self._came:
            wanted = len(self.acknowledged) + more
            assert self._came.wait_for(lambda: len(self.acknowledged) >= wanted, seconds), self.refused
            return max(each.position for each in self.acknowledged)

    def since(self, moment: float) -> float:
        """When the first command that began after a moment was acknowledged, in seconds after it."""
        with self._came:
            found = lambda: [each.told for each in self.acknowledged if each.began > moment]  # noqa: E731
            assert self._came.wait_for(lambda: bool(found()), 60), self.refused
            return min(found()) - moment

    def end(self) -> None:
        """Begin no more; what has begun is sent until it is acknowledged, for a minute."""
        process = self._process
        assert process is not None
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        process.wait(LAST_SECONDS + 30)
        self._hearing.join()
        if process.stdout is not None:
            process.stdout.close()


def _client(number: int, token: str, frameworks: Sequence[str]) -> Client:
    path, body = sent(PAPER, DAY, frameworks[number % len(frameworks)])
    # As through a proxy: each at an address of its own.
    headers = named(token, **{"X-Forwarded-For": f"192.0.2.{number + 1}"})
    return Client(path, msgspec.json.encode(body), headers)


@contextmanager
def sending(load: Load) -> Iterator[Load]:
    load.begin()
    try:
        yield load
    finally:
        load.end()
