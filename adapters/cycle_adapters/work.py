"""What goes on beside requests, in one process or in one of its own: projections, deadlines, deliveries, sealing.

Any number of processes may do it. Each part is done by one of them at a time, and by another one as soon as
that ends or is killed. Nothing rests on it: a checkpoint is compared before it is moved, and a deadline is
its own key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from threading import Event, Thread
from time import monotonic
from typing import Any

from sqlalchemy.exc import DBAPIError

from cycle.deadlines import Deadlines
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.projections.runner import Runner
from cycle.settings import NATS, Settings
from cycle.store import Unavailable
from cycle.turns import Turn, Turns, Work
from cycle_adapters.logs import Line, tell, trouble

LOOK_SECONDS = 60.0
"""Between two looks at days that may have gone by."""
ASK_SECONDS = 0.1
TURN_SECONDS = 1.0
"""Between two looks whether it is this process's turn."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
OUTAGE_SECONDS = 5.0
"""The longest pause while the database is away: work goes on as soon as it is back."""


class Shift:
    """This process's shift at some work: over when it is to stop, or when it has lost its turn.

    Whether it has is asked ten times a second at most: between a question and the work it is for it can be lost, too.
    """

    def __init__(self, turn: Turn, stop: Event, now: Callable[[], float] = monotonic) -> None:
        self._turn, self._stop, self._now = turn, stop, now
        self._held, self._asked = True, -ASK_SECONDS

    def is_set(self) -> bool:
        if self._held and self._now() - self._asked >= ASK_SECONDS:
            self._asked = self._now()
            self._held = self._turn.held()
        return self._stop.is_set() or not self._held

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the process is to stop."""
        self._stop.wait(seconds)


def in_turn(turns: Turns, work: Work, part: Callable[[Shift], None], stop: Event) -> None:
    """Do some work while it is this process's turn; wait for it while it is another's."""
    while not stop.is_set():
        with turns.turn(work) as turn:
            if turn is not None:
                part(Shift(turn, stop))
        stop.wait(TURN_SECONDS)


@contextmanager
def at_work(engine: Engine, runner: Runner, settings: Settings, account: str) -> Iterator[None]:
    """Keep projections, deadlines, deliveries and seals up until the end of the block; each stops between two pieces.

    Raises:
        CannotSeal, SealsUnavailable: sealing is configured and cannot begin.
        BadHouse: what webhooks may connect to is configured and cannot be read.
        BadNats: a setting about NATS cannot be used.
    """
    stop = Event()
    deadlines = Deadlines(engine, account)
    webhooks = _webhooks(engine, account)
    turns = engine.store.turns
    parts: dict[str, Callable[[], None]] = {
        "projections": lambda: in_turn(turns, Work.FOLDING, runner.run, stop),
        "deadlines": lambda: in_turn(turns, Work.WATCHING, lambda shift: watch_days(deadlines, runner, shift), stop),
        "webhooks": lambda: in_turn(turns, Work.DELIVERING, webhooks, stop),
    }
    publishing = _publishing(engine, account)
    if publishing is not None:
        parts["nats"] = lambda: in_turn(turns, Work.PUBLISHING, publishing, stop)
    threads = [Thread(target=kept_going, args=(name, part, stop), name=name) for name, part in parts.items()]
    with _sealing(engine, settings):
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


class MayNot(Failure):
    """The account of the worker holds no such role."""

    kind = "worker"
    code = "worker-may-not"


def watch_days(deadlines: Deadlines, runner: Runner, stop: Shift | Event) -> None:
    """Record deadlines as they pass; says once when the account may not."""
    allowed = True
    while not stop.is_set():
        runner.catch_up(stop=stop)
        if deadlines.may:
            allowed = True
            deadlines.record()
        elif allowed:
            allowed = False
            trouble("deadlines", MayNot("may-not", account=deadlines.account))
        stop.wait(LOOK_SECONDS)


def kept_going(name: str, work: Callable[[], None], stop: Event) -> None:
    """A part that meets trouble says so and begins again, after a pause that grows while nothing else comes of it."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        began = monotonic()
        try:
            work()
        except (Unavailable, DBAPIError) as error:
            trouble(name, error)
            worked = monotonic() - began > OUTAGE_SECONDS
            pause = FIRST_PAUSE_SECONDS if worked else min(2 * pause, OUTAGE_SECONDS)
        except Exception as error:
            trouble(name, error)
            pause = LONGEST_PAUSE_SECONDS
        stop.wait(pause)


def _sealing(engine: Engine, settings: Settings) -> AbstractContextManager[None]:
    # Named, not imported: adapters stay out of each other's rooms.
    beside = import_module("cycle_adapters.sealing.beside")
    found: AbstractContextManager[None] = beside.sealing(
        engine.store, settings.database, settings.language, _told, stands_by=True
    )
    return found


def _webhooks(engine: Engine, account: str) -> Callable[[Shift], None]:
    # Named, not imported, as sealing is.
    found: Callable[[Shift], None] = import_module("cycle_adapters.webhooks.running").delivering(engine, account)
    return found


def _publishing(engine: Engine, account: str) -> Callable[[Shift], None] | None:
    # Named, not imported, as sealing is; loaded only where NATS is named.
    if not NATS.given():
        return None
    found: Callable[[Shift], None] | None = import_module("cycle_adapters.jetstream.running").publishing(
        engine, account
    )
    return found


def _told(said: Any) -> None:
    """What the sealer says: a seal of logs that grew, or what went wrong."""
    if isinstance(said, (Failure, Unavailable)):
        trouble("seal", said)
    elif said.grown:
        tell(logging.INFO, "seal", Line(position=said.position, count=len(said.grown)))
