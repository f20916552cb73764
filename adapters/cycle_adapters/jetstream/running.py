"""The part of the worker that hands events on: one process at a time, for as long as NATS takes them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from time import monotonic

from cycle.engine import Engine
from cycle.failures import Failure
from cycle.fanout.handing import Astray, HandingOn, MayNotHandOn
from cycle.store import Waker
from cycle_adapters.jetstream.connecting import Servers, servers
from cycle_adapters.jetstream.errors import Moved, NatsTrouble
from cycle_adapters.jetstream.filling import caught_up
from cycle_adapters.jetstream.stream import Stream
from cycle_adapters.logs import Line, tell, trouble
from cycle_adapters.work import Shift

LOOK_SECONDS = 1.0
"""Between two looks at the log when nobody has called, and at the stream."""
PAUSE_SECONDS = 0.02
"""Between two stretches that are handed on, at least: what comes close together is sent together."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 10.0


def publishing(engine: Engine, account: str) -> Callable[[Shift], None] | None:
    """What hands on until the shift is over; None where no NATS is named.

    Raises:
        BadNats: a setting cannot be used.
    """
    where = servers()
    return None if where is None else Running(engine, HandingOn(engine, account), where).run


class Running:
    """One publisher for as long as this process is the one that publishes."""

    def __init__(self, engine: Engine, handing: HandingOn, where: Servers) -> None:
        self._engine, self._handing, self._where = engine, handing, where
        self._told = ""
        self._pause = SHORTEST_PAUSE_SECONDS

    def run(self, shift: Shift) -> None:
        """Hand on until the shift is over."""
        with closing(self._engine.store.waker(PAUSE_SECONDS)) as waker:
            while not shift.is_set():
                try:
                    with Stream(self._where) as stream:
                        self._connected(stream, waker, shift)
                except (NatsTrouble, Astray) as error:
                    self._met(error)
                    shift.wait(self._pause)
                    self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _connected(self, stream: Stream, waker: Waker, shift: Shift) -> None:
        """Hand on over one connection, from where the stream ends; begin again where it has moved."""
        while not shift.is_set():
            if not self._handing.may:
                self._met(MayNotHandOn("may-not", account=self._handing.account))
                shift.wait(LOOK_SECONDS)
                continue
            after = self._handing.begin(stream.made().standing().tail)
            try:
                self._from(stream, after, waker, shift)
            except Moved as moved:
                self._met(moved)
                shift.wait(SHORTEST_PAUSE_SECONDS)

    def _from(self, stream: Stream, after: int, waker: Waker, shift: Shift) -> None:
        def goes_on() -> bool:
            return not shift.is_set() and self._handing.may

        looked = monotonic()
        while goes_on():
            after = caught_up(stream, self._handing, after, goes_on)
            self._well(after)
            waker.wait(LOOK_SECONDS)
            if monotonic() - looked >= LOOK_SECONDS:
                looked = monotonic()
                if stream.end() != after:
                    raise Moved("moved", why=f"{after}")

    def _met(self, error: Failure) -> None:
        """Say what is wrong, once for as long as nothing else is."""
        said = f"{type(error).__name__} {error.cause}"
        if said != self._told:
            self._told = said
            trouble("nats", error)

    def _well(self, position: int) -> None:
        """All is published; said where something was wrong before, and once at the beginning."""
        self._pause = SHORTEST_PAUSE_SECONDS
        if self._told != "well":
            self._told = "well"
            tell(logging.INFO, "nats", Line(position=position))
