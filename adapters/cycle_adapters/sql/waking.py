"""Wakers: nobody sleeps through a commit, of this process or another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Lock
from time import monotonic, sleep

import psycopg

from cycle.store import Waker
from cycle_adapters.sql.postgres import Connection

LOOK_SECONDS = 0.02
"""How often a waiting SQLite reader looks whether another process has committed (7 µs a look)."""
CHANNEL = "cycle"


class Bell:
    """Rung after every commit of this process; wakers of the same process hear it at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rung = Condition(self._lock)
        self._waiting = 0
        self.count = 0

    def ring(self) -> None:
        with self._lock:
            self.count += 1
            if self._waiting:
                self._rung.notify_all()

    def wait(self, heard: int, timeout_seconds: float) -> int:
        """Wait until it has been rung more often than ``heard``; returns how often it was rung."""
        with self._lock:
            self._waiting += 1
            try:
                self._rung.wait_for(lambda: self.count != heard, timeout_seconds)
            finally:
                self._waiting -= 1
            return self.count


class SqliteWaker:
    """In-process bell, and ``PRAGMA data_version`` for other processes. Armed when made."""

    def __init__(self, bell: Bell, connection: sqlite3.Connection) -> None:
        self._bell, self._connection = bell, connection
        self._heard, self._seen = bell.count, self._look()
        self._woken = False

    def _look(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def wait(self, timeout_seconds: float) -> bool:
        deadline = monotonic() + timeout_seconds
        while True:
            seen, count = self._look(), self._bell.count
            if seen != self._seen or count != self._heard or self._woken:
                self._seen, self._heard, self._woken = seen, count, False
                return True
            left = deadline - monotonic()
            if left <= 0:
                return False
            self._bell.wait(self._heard, min(LOOK_SECONDS, left))

    def wake(self) -> None:
        """End a wait from another thread."""
        self._woken = True
        self._bell.ring()

    def close(self) -> None:
        self._connection.close()


class PostgresWaker:
    """A connection that listens; it is made again when it is lost, and then wakes to be safe."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._woken = Event()
        self._connection: Connection | None = None
        self._listen()

    def _listen(self) -> None:
        self._connection = self._connect()
        self._connection.execute(f"LISTEN {CHANNEL}")

    def wait(self, timeout_seconds: float) -> bool:
        deadline = monotonic() + timeout_seconds
        try:
            if self._connection is None:
                self._listen()
                return True
            while not self._woken.is_set():
                left = deadline - monotonic()
                if left <= 0:
                    return False
                # In slices, so that a stop from another thread is noticed.
                for _ in self._connection.notifies(timeout=min(left, 0.25), stop_after=1):
                    return True
        except psycopg.OperationalError:
            self.close()
            self._woken.wait(min(1.0, timeout_seconds))
        self._woken.clear()
        return True

    def wake(self) -> None:
        """End a wait from another thread."""
        self._woken.set()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


class PacedWaker:
    """Another waker, heard once in so many seconds at most: what comes in between is looked at together."""

    def __init__(self, waker: Waker, pause_seconds: float) -> None:
        self._waker, self._pause_seconds = waker, pause_seconds
        self._again = 0.0

    def wait(self, timeout_seconds: float) -> bool:
        pause = min(timeout_seconds, max(0.0, self._again - monotonic()))
        sleep(pause)
        if not self._waker.wait(timeout_seconds - pause):
            return False
        self._again = monotonic() + self._pause_seconds
        return True

    def wake(self) -> None:
        """End a wait from another thread, once the pause is over."""
        self._waker.wake()

    def close(self) -> None:
        self._waker.close()
