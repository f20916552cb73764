"""Two communes with a framework each, whose events are handed on by the test itself, or by a worker."""

from __future__ import annotations

from cycle.aggregates.base import By, Role
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.cloudevents import Envelopes
from cycle.engine import Busy, Engine, Said
from cycle.fanout.handing import HandingOn
from cycle_adapters.jetstream.connecting import Servers
from cycle_adapters.jetstream.filling import caught_up
from cycle_adapters.jetstream.stream import Stream
from tests.access.places import two_communes
from tests.operations.processes import CYCLE

ADDRESS = "https://cycle.example.ml"
PAPER = "0" * 64
WORKER = Role.WORKER.value


class Town:
    """An engine with something in it."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, Engine(url)
        self.handing = HandingOn(self.engine, WORKER, Envelopes(ADDRESS))
        self.dioro = self.koula = ""

    def begun(self) -> Town:
        self.dioro, self.koula = two_communes(self.engine)
        return self

    @property
    def head(self) -> int:
        return self.engine.store.head().position

    @property
    def all(self) -> list[int]:
        """Every position that there is."""
        return list(range(1, self.head + 1))

    def happens(self, framework: str, times: int = 1) -> list[int]:
        """Papers are attached to a framework; returns the positions of these facts."""
        found = []
        for _ in range(times):
            command = AttachDocument(title="Reçu", sha256=PAPER, bytes=1, media="image/jpeg")
            by = By(Role.FACILITATOR.value, Role.FACILITATOR)
            said = Said(command=command, by=by, on=self.engine.today(), target=framework)
            found.append(self._executed(said))
        return found

    def _executed(self, said: Said) -> int:
        """Said again as long as others keep writing to the same framework: it says itself that nothing was written."""
        while True:
            try:
                return self.engine.execute(said).position
            except Busy:
                continue

    def publish(self, stream: Stream, after: int | None = None) -> int:
        """Hand on all that follows the end of the stream."""
        begun = self.handing.begin(stream.made().standing().tail) if after is None else after
        return caught_up(stream, self.handing, begun, lambda: True)

    def ids(self) -> list[str]:
        """The id of every event, in the order of the log."""
        return [each.id for each in self.handing.messages(0, 1_000_000)]

    def worker(self, servers: str, **more: str) -> tuple[tuple[str, ...], dict[str, str]]:
        command = (*CYCLE, "--lang", "en", "--database", self.url, "worker", "--log", "json")
        return command, {"CYCLE_NATS": servers, "CYCLE_ADDRESS": ADDRESS, **more}

    def close(self) -> None:
        self.engine.close()


def at(*addresses: str, replicas: int = 1) -> Servers:
    return Servers(addresses, replicas)
