"""How much one sender may ask for: every number once, and the buckets that count."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic

from msgspec import Struct

BODY_BYTES = 1_048_576
"""The largest body that is read."""
JSON_DEPTH = 32
"""How deep a body may be nested."""
HEADER_BYTES = 16_384
"""The largest request line and headers together."""
KEEP_ALIVE_SECONDS = 15
"""How long a connection without a request stays open."""
THREADS = 15
"""Requests that are worked on at the same time: as many as there are connections to the database."""


class Rate(Struct, frozen=True):
    """So many requests a second for long, and so many at once."""

    per_second: float
    burst: int


class Following(Struct, frozen=True):
    """How requests that last follow the log.

    ``most`` at the same time, ``each`` of one account; ``longest_seconds`` one of them, then it comes again. While
    nothing happens there is a ping every ``ping_seconds``, and every ``pings`` of them a checkpoint. Who does not take
    what he is sent in ``slow_seconds`` is sent no more.
    """

    most: int = 200
    each: int = 20
    longest_seconds: float = 3_600
    ping_seconds: float = 15
    pings: int = 4
    slow_seconds: float = 20


class Limits(Struct, frozen=True):
    """What one account and what one address may ask for.

    ``waiting``: how many requests may wait for a position at the same time, each ``wait_seconds`` at most.
    ``printing``, ``bundling`` and ``past``: how many may have a sheet set, a bundle written, or everything looked at as
    of a past moment, at the same time.
    """

    account: Rate = Rate(50, 200)
    address: Rate = Rate(100, 400)
    waiting: int = 4
    wait_seconds: float = 2.0
    printing: int = 2
    bundling: int = 1
    past: int = 2
    following: Following = Following()


REMEMBERED = 10_000
"""Senders that are counted at the same time: beyond that, those that have used nothing lately are forgotten."""


class Buckets:
    """A bucket of tokens for each name; one request takes one token, and time fills them up."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._lock = Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> int:
        """Take a token; returns how many seconds to wait where there is none, else 0."""
        now, rate = self._clock(), self._rate
        with self._lock:
            left, at = self._left.get(name, (float(rate.burst), now))
            left = min(rate.burst, left + (now - at) * rate.per_second)
            if left < 1:
                return ceil((1 - left) / rate.per_second)
            if name not in self._left and len(self._left) >= REMEMBERED:
                self._forget(now)
            self._left[name] = left - 1, now
            return 0

    def _forget(self, now: float) -> None:
        """Forget whoever has a full bucket again; where nobody has, everybody: no sender fills the memory."""
        rate = self._rate
        kept = {
            n: (left, at) for n, (left, at) in self._left.items() if left + (now - at) * rate.per_second < rate.burst
        }
        self._left = kept if len(kept) < REMEMBERED else {}
