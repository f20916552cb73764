"""How a process that runs begins, is told to stop, and tells systemd how it is."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 10
"""What may still be running after the requests: a batch of a projection, a seal."""


class Systemd:
    """Notes for systemd, where it started the process (``sd_notify(3)``); else nothing is sent."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        every = environment.get("WATCHDOG_USEC", "")
        self._every_seconds = int(every) / 2_000_000 if every.isdigit() else 0.0
        self._due = 0.0

    def tell(self, note: str) -> None:
        """``STOPPING=1`` and the like."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.connect(self._address)
                to.send(note.encode())

    def alive(self) -> None:
        """To be said by the loop itself, so that a loop that hangs says nothing; sent as often as it is asked for."""
        if self._every_seconds and monotonic() >= self._due:
            self._due = monotonic() + self._every_seconds
            self.tell("WATCHDOG=1")


def ready(systemd: Systemd) -> None:
    """All is loaded, and the work begins."""
    # What is loaded stays: to look through it for garbage again and again would hold up everybody for a tenth of a
    # second each time.
    gc.collect()
    gc.freeze()
    systemd.tell("READY=1")


class Stopping:
    """Whether the process was told to stop, and what the server ends then that would last."""

    def __init__(self) -> None:
        self.asked = False
        self.ends: list[Callable[[], None]] = []


@contextmanager
def stopping(systemd: Systemd) -> Iterator[Stopping]:
    """The first signal asks to stop; a second one ends the process at once."""
    told = Stopping()

    def hear(number: int, frame: FrameType | None) -> None:
        # Nothing that could wait for a lock: the thread that was interrupted may hold it.
        told.asked = True
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        systemd.tell("STOPPING=1")

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield told
    finally:
        for number, handler in before.items():
            # A second signal ends the process for as long as it takes to stop.
            if not told.asked:
                signal.signal(number, handler)


def end_within(seconds: float) -> None:
    """Whatever hangs while the process stops: it is over by then, as if it were killed."""
    over = Timer(seconds, os._exit, (1,))
    over.daemon = True
    over.start()
