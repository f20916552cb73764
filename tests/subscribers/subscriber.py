"""What a subscriber is, whatever way it hears of events by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any, NamedTuple, Protocol

from cycle.engine import Engine
from tests.webhooks.receiver import Receiver

AGAIN_SECONDS = 0.05
"""Before whoever was cut off comes again."""
MORE = 5
"""What was on its way to somebody when its sender was killed is less than that."""


class Heard(NamedTuple):
    """An event, as often as it came."""

    id: str
    stream: str
    position: int


class Place(NamedTuple):
    """Where one subscribes: an engine, who one is there, which servers answer, and where what is sent comes to.

    ``types``: what is wanted; none: everything. ``chance``: by which whoever takes events fails now and then.
    """

    engine: Engine
    account: str
    token: str
    addresses: Sequence[str]
    receiver: Receiver
    nats: str
    types: tuple[str, ...] = ()
    chance: Random | None = None


class Subscriber:
    """Hears, while it runs, of every event that is recorded after it was made; at least once, whatever is cut off."""

    in_all = True
    """Whether in the order of the log, and not only in that of each stream."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        """All that came, as it came: CloudEvents."""
        self.times: list[float] = []
        """When each of them did."""
        self.covered = 0
        """How far it was told that it has read, where it is told that."""
        self.connections = 0
        self._positions: set[int] = set()
        self._came, self._stopped = Condition(), Event()

    def run(self) -> None:
        """Hear until it is stopped."""
        raise NotImplementedError

    def stop(self) -> None:
        self._stopped.set()

    def takes(self, event: Any) -> None:
        with self._came:
            self.events.append(event)
            self.times.append(monotonic())
            self._positions.add(int(event["globalposition"]))
            self._came.notify_all()

    def covers(self, position: int) -> None:
        """It was told that nothing up to there is still to come."""
        with self._came:
            self.covered = position
            self._came.notify_all()

    @property
    def heard(self) -> list[Heard]:
        return [Heard(each["id"], each["subject"], int(each["globalposition"])) for each in tuple(self.events)]

    @property
    def once(self) -> list[str]:
        """The ids in their order, each once."""
        return list(dict.fromkeys(each.id for each in self.heard))

    def waits(self, until: Callable[[], bool], seconds: float) -> None:
        """Raises:
        AssertionError: what it waits for has not come in time.
        """
        with self._came:
            assert self._came.wait_for(until, seconds), (type(self).__name__, self.covered, self.events[-1:])

    def has(self, positions: Collection[int], seconds: float) -> None:
        """Wait until these have come."""
        wanted = frozenset(positions)
        self.waits(lambda: wanted <= self._positions, seconds)

    def comes_to(self, position: int, seconds: float) -> None:
        """Wait until it was told that this position is behind it."""
        self.waits(lambda: self.covered >= position, seconds)

    def hears_more(self, than: int) -> float:
        """Wait until it has heard of some more than it had; returns when it did."""
        enough = than + MORE
        self.waits(lambda: len(self.events) >= enough, 60)
        return self.times[enough - 1]


Kind = Callable[[Place], Subscriber]
"""Subscribes: what is recorded from then on is to be heard."""


class Outcome(NamedTuple):
    """What one subscriber heard against what was recorded."""

    recorded: Sequence[Heard]
    heard: Sequence[Heard]
    in_all: bool = True

    @property
    def once(self) -> list[Heard]:
        """Each event when it came first."""
        return list(dict.fromkeys(self.heard))

    @property
    def again(self) -> int:
        """How many came that had come before."""
        return len(self.heard) - len(self.once)

    @property
    def is_whole(self) -> bool:
        """Whether each event came, none that was not recorded, and in the order that was promised."""
        once, recorded = self.once, list(self.recorded)
        if self.in_all:
            return once == recorded
        # Sorting is stable: what is left of the order is that within each stream.
        return sorted(once, key=lambda each: each.stream) == sorted(recorded, key=lambda each: each.stream)


class Runs(Protocol):
    """Whoever does something until he is stopped."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


@contextmanager
def following(subscribers: Collection[Runs]) -> Iterator[None]:
    """All of them follow until the end of the block."""
    threads = [Thread(target=each.run, daemon=True) for each in subscribers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for each in subscribers:
            each.stop()
        for thread in threads:
            thread.join(60)
