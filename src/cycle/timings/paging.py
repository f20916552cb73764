"""Some of many things that come one after the other, and where to go on."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Some(Generic[T]):
    """At most ``limit`` of those behind a place; None: all of them."""

    def __init__(self, limit: int | None, after: str) -> None:
        self._limit, self._after, self._last = limit, after, ""
        self.found: list[T] = []
        self.is_full = False
        """There are more."""

    def take(self, place: str, each: T) -> None:
        """The next one of all, wherever it stands."""
        if self.is_full or place <= self._after:
            return
        self.is_full = len(self.found) == self._limit
        if not self.is_full:
            self.found.append(each)
            self._last = place

    @property
    def next(self) -> str | None:
        """Behind which to go on, where there are more."""
        return self._last or None if self.is_full else None
