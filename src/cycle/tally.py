"""How many events of each type the log holds, for whoever may read them: counted on from where it was left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from threading import Lock

from msgspec import Struct

from cycle.feed import QUESTION
from cycle.reading import Reader
from cycle.store import LogRecorder

WINDOW = 200_000
"""Positions that one question counts at most: of a long log one hears at first how far it is counted."""


class Counted(Struct, frozen=True):
    """How many events there are up to ``to``, by type."""

    to: int
    head: int
    events: Mapping[str, int]

    @property
    def whole(self) -> bool:
        return self.to >= self.head


class Tally:
    """The counts of one log, kept in memory: by log and type."""

    def __init__(self, store: LogRecorder, window: int = WINDOW) -> None:
        self._store, self._window = store, window
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._to = 0

    def read_by(self, reader: Reader) -> Counted:
        """The events that an account may read.

        Raises:
            Forbidden: it may read none.
        """
        logs = reader.readable(QUESTION)
        with self._lock:
            head, more = self._store.tally(self._to, self._to + self._window)
            self._counts.update(more)
            self._to = max(self._to, min(self._to + self._window, head))
            return Counted(self._to, head, _by_type(self._counts, logs))


def _by_type(counts: Mapping[tuple[str, str], int], logs: Collection[str] | None) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (log, type), count in counts.items():
        if logs is None or log in logs:
            found[type] += count
    return dict(found)
