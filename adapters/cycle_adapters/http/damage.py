"""Where the log does not hold, once a request has met a row that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from msgspec import MsgspecError

from cycle.codec import UnknownEvent
from cycle.proofs.audit import Broken

UNREADABLE = (MsgspecError, UnknownEvent)
"""What reading a row ends with that is not as it was written."""
KEPT_SECONDS = 60.0
"""What was found is said again for so long: to look reads the whole log, whoever asks and however often."""


class Search:
    """Looks for the first place, one at a time; who comes meanwhile is told nothing of it."""

    def __init__(self, look: Callable[[], Broken | None], now: Callable[[], float] = monotonic) -> None:
        self._look, self._now = look, now
        self._lock = Lock()
        self._found: Broken | None = None
        self._due = 0.0

    def __call__(self) -> Broken | None:
        """The place; None: there is none, or somebody is looking."""
        if not self._lock.acquire(blocking=False):
            return self._found
        try:
            if self._now() >= self._due:
                self._found = self._look()
                self._due = self._now() + KEPT_SECONDS
            return self._found
        finally:
            self._lock.release()
