"""The sealer at work: as a program of its own, and as a thread beside what else a process does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from traceback import print_exc

import click

from cycle.catalogue import Language, text
from cycle.engine import utc_now
from cycle.failures import Failure
from cycle.store import LogRecorder, Unavailable
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Seal, Sealer
from cycle_adapters.sealing.settings import first_use, seals_of, signing_key


class Work:
    """A sealer that runs until it is stopped, from a signal or another thread."""

    def __init__(
        self, store: LogRecorder, sealer: Sealer, tell: Callable[[Seal | Failure | Unavailable], None]
    ) -> None:
        self._sealer, self._tell = sealer, tell
        self._stopped = Event()
        self._waker = store.waker()

    def run(self) -> None:
        """Raises:
        SealRefused: the log is not what was sealed.
        """
        try:
            self._sealer.run(self._waker, monotonic, self._stopped.is_set, self._tell)
        finally:
            self._waker.close()

    def stop(self) -> None:
        """End after the seal that is being made."""
        self._stopped.set()
        self._waker.wake()


def told(language: Language) -> Callable[[Seal | Failure | Unavailable], None]:
    """Tells on standard error what is worth a line: seals of logs that grew, and what went wrong."""

    def tell(said: Seal | Failure | Unavailable) -> None:
        if isinstance(said, (Failure, Unavailable)):
            click.echo(said.told(language), err=True)
        elif said.grown:
            click.echo(text("message.sealed", language, count=len(said.grown), position=said.position), err=True)

    return tell


@contextmanager
def sealing(store: LogRecorder, database: str, language: Language) -> Iterator[None]:
    """Seal in a thread where a key is configured (``CYCLE_SEAL_KEY``); what else happens goes on without it.

    Raises:
        CannotSeal, SealsUnavailable: wrong key or folder, or another sealer has it: said before work begins.
    """
    if not os.environ.get("CYCLE_SEAL_KEY"):
        yield
        return
    named = os.environ.get("CYCLE_SEALS")
    folder = Folder(seals_of(database, Path(named) if named else None))
    tell = told(language)
    key_file = Path(os.environ["CYCLE_SEAL_KEY"])
    with folder.locked():
        with first_use(key_file, folder):
            sealer = Sealer(store, folder, signing_key(key_file), utc_now)
        work = Work(store, sealer, tell)
        thread = Thread(target=_loudly, args=(work, tell), name="sealer")
        thread.start()
        try:
            yield
        finally:
            work.stop()
            thread.join()


def _loudly(work: Work, tell: Callable[[Seal | Failure | Unavailable], None]) -> None:
    try:
        work.run()
    except Failure as refused:
        tell(refused)
    except Exception:
        print_exc(file=sys.stderr)
