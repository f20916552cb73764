"""What goes on beside requests, in one process or in one of its own: projections, deadlines, deliveries, sealing.

Any number of processes may do it: a checkpoint is compared before it is moved, a deadline is its own
key, and what delivers, what publishes and what seals has one lock each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from threading import Event, Thread
from typing import Any

from sqlalchemy.exc import DBAPIError

from cycle.deadlines import Deadlines
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.projections.runner import Runner
from cycle.settings import NATS, Settings
from cycle.store import Unavailable
from cycle_adapters.logs import Line, tell, trouble

LOOK_SECONDS = 60.0
"""Between two looks at days that may have gone by."""
LONGEST_PAUSE_SECONDS = 60.0


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
    parts: dict[str, Callable[[], None]] = {
        "projections": lambda: runner.run(stop),
        "deadlines": lambda: watch_days(deadlines, runner, stop),
        "webhooks": lambda: webhooks(stop),
    }
    publishing = _publishing(engine, account)
    if publishing is not None:
        parts["nats"] = lambda: publishing(stop)
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


def watch_days(deadlines: Deadlines, runner: Runner, stop: Event) -> None:
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
    """A part that meets trouble says so and begins again, after a pause that grows."""
    pause = 1.0
    while not stop.is_set():
        try:
            work()
        except (Unavailable, DBAPIError) as error:
            trouble(name, error)
        except Exception as error:
            trouble(name, error)
            pause = LONGEST_PAUSE_SECONDS
        stop.wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _sealing(engine: Engine, settings: Settings) -> AbstractContextManager[None]:
    # Named, not imported: adapters stay out of each other's rooms.
    beside = import_module("cycle_adapters.sealing.beside")
    found: AbstractContextManager[None] = beside.sealing(
        engine.store, settings.database, settings.language, _told, stands_by=True
    )
    return found


def _webhooks(engine: Engine, account: str) -> Callable[[Event], None]:
    # Named, not imported, as sealing is.
    found: Callable[[Event], None] = import_module("cycle_adapters.webhooks.running").delivering(engine, account)
    return found


def _publishing(engine: Engine, account: str) -> Callable[[Event], None] | None:
    # Named, not imported, as sealing is; loaded only where NATS is named.
    if not NATS.given():
        return None
    found: Callable[[Event], None] | None = import_module("cycle_adapters.jetstream.running").publishing(
        engine, account
    )
    return found


def _told(said: Any) -> None:
    """What the sealer says: a seal of logs that grew, or what went wrong."""
    if isinstance(said, (Failure, Unavailable)):
        trouble("seal", said)
    elif said.grown:
        tell(logging.INFO, "seal", Line(position=said.position, count=len(said.grown)))
