"""The end of the log, as whoever waits for it hears of it: one thread for all who wait, none of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event, Lock, Thread

from starlette.concurrency import run_in_threadpool

from cycle.store import LogRecorder, Waker

LOOK_SECONDS = 1.0
"""Between two looks whether anybody still waits."""
PAUSE_SECONDS = 0.01
"""Between two rings at least."""


class Bell:
    """Rings when something may have been recorded, or when it is over. To be armed before the last look."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._rung = loop, asyncio.Event()

    def arm(self) -> None:
        self._rung.clear()

    def ring(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, seconds: float) -> bool:
        """Wait until it rings; False: it did not."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


class Tail:
    """Wakes everybody who waits for the log to grow. Its thread begins with the first of them."""

    def __init__(self, store: LogRecorder) -> None:
        self._store = store
        self._lock, self._wanted = Lock(), Event()
        self._bells: set[Bell] = set()
        self._thread: Thread | None = None
        self._waker: Waker | None = None
        self._is_closed = False
        self.is_ending = False
        """Whoever waits is to go: the server stops."""

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[Bell]:
        """A bell that rings from here on until the end of the block.

        Raises:
            Unavailable: the database cannot be listened to.
        """
        await run_in_threadpool(self._begin)
        bell = Bell(asyncio.get_running_loop())
        with self._lock:
            self._bells.add(bell)
            self._wanted.set()
        try:
            yield bell
        finally:
            with self._lock:
                self._bells.discard(bell)

    def end(self) -> None:
        """Everybody who waits is to go."""
        self.is_ending = True
        self._ring()

    def close(self) -> None:
        """No more is heard."""
        self.end()
        with self._lock:
            self._is_closed = True
            self._wanted.set()
            thread, waker = self._thread, self._waker
        if thread is not None and waker is not None:
            waker.wake()
            thread.join()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._waker = self._store.waker(PAUSE_SECONDS)
                self._thread = Thread(target=self._listen, args=(self._waker,), name="tail", daemon=True)
                self._thread.start()

    def _listen(self, waker: Waker) -> None:
        while self._is_wanted():
            # What was recorded while nobody waited rings for the first who does.
            if self._woken(waker):
                self._ring()
        waker.close()

    def _is_wanted(self) -> bool:
        """Wait until somebody waits; False: it is over."""
        with self._lock:
            if not self._bells and not self._is_closed:
                self._wanted.clear()
        self._wanted.wait()
        return not self._is_closed

    def _woken(self, waker: Waker) -> bool:
        """Whether to look; where it cannot be told, everybody looks, and hears what is wrong for himself."""
        try:
            return waker.wait(LOOK_SECONDS)
        except Exception:
            Event().wait(LOOK_SECONDS)
            return True

    def _ring(self) -> None:
        with self._lock:
            for bell in self._bells:
                bell.ring()
