"""The sealer at work: as a program of its own, and as a thread beside what else a process does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from traceback import print_exc
from typing import Protocol

import click

from cycle.catalogue import Language, text
from cycle.engine import utc_now
from cycle.failures import Failure
from cycle.proofs.note import SigningKey
from cycle.sealing import EVERY_SECONDS, SealsUnavailable
from cycle.settings import KEY_FILE
from cycle.store import LogRecorder, Unavailable
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Seal, Sealer
from cycle_adapters.sealing.settings import first_use, seals_of, signing_key

PAUSE_SECONDS = 0.1
"""Between two looks whether something is recorded that must not wait, at least."""
Tells = Callable[[Seal | Failure | Unavailable], None]


class Runs(Protocol):
    """What a thread runs until it is stopped from another."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


class Work:
    """A sealer that runs until it is stopped, from a signal or another thread."""

    def __init__(self, store: LogRecorder, sealer: Sealer, tell: Tells) -> None:
        self._sealer, self._tell = sealer, tell
        self._stopped = Event()
        self._waker = store.waker(PAUSE_SECONDS)

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


class StandBy:
    """Waits while another process seals into the folder, and goes on in its place when that has ended."""

    def __init__(
        self, enter: Callable[[], AbstractContextManager[Work]], tell: Tells, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._enter, self._tell, self._every_seconds = enter, tell, every_seconds
        self._stopped = Event()
        self._work: Work | None = None

    def run(self) -> None:
        """Raises:
        SealRefused: as ``Work.run``, once it is its turn.
        """
        while not self._stopped.wait(self._every_seconds):
            try:
                with self._enter() as self._work:
                    if not self._stopped.is_set():
                        self._work.run()
                return
            except SealsUnavailable as error:
                if error.cause != "locked":
                    self._tell(error)

    def stop(self) -> None:
        self._stopped.set()
        if self._work is not None:
            self._work.stop()


def told(language: Language) -> Tells:
    """Tells on standard error what is worth a line: seals of logs that grew, and what went wrong."""

    def tell(said: Seal | Failure | Unavailable) -> None:
        if isinstance(said, (Failure, Unavailable)):
            click.echo(said.told(language), err=True)
        elif said.grown:
            click.echo(text("message.sealed", language, count=len(said.grown), position=said.position), err=True)

    return tell


@contextmanager
def working(store: LogRecorder, path: Path, key_file: Path, signing: SigningKey, tell: Tells) -> Iterator[Work]:
    """The one sealer of a folder.

    Raises:
        CannotSeal, SealsUnavailable: wrong key or folder, or another sealer has it.
    """
    with Folder(path).locked():
        folder = Folder(path)
        with first_use(key_file, folder):
            sealer = Sealer(store, folder, signing, utc_now)
        yield Work(store, sealer, tell)


@contextmanager
def sealing(
    store: LogRecorder, database: str, language: Language, tell: Tells | None = None, *, stands_by: bool = False
) -> Iterator[None]:
    """Seal in a thread where a key is configured (``CYCLE_SEAL_KEY``); what else happens goes on without it.

    ``stands_by``: where another sealer has the folder, wait for it to end instead of saying so.

    Raises:
        CannotSeal, SealsUnavailable: wrong key or folder, or another sealer has it: said before work begins.
    """
    if not KEY_FILE.given():
        yield
        return
    tell = tell or told(language)
    path, key_file = seals_of(database), Path(KEY_FILE.given())
    enter = partial(working, store, path, key_file, signing_key(key_file), tell)
    with ExitStack() as held:
        work: Runs
        try:
            work = held.enter_context(enter())
        except SealsUnavailable as error:
            if error.cause != "locked" or not stands_by:
                raise
            tell(error)
            work = StandBy(enter, tell)
        thread = Thread(target=_loudly, args=(work, tell), name="sealer")
        thread.start()
        try:
            yield
        finally:
            work.stop()
            thread.join()


def _loudly(work: Runs, tell: Tells) -> None:
    try:
        work.run()
    except Failure as refused:
        tell(refused)
    except Exception:
        print_exc(file=sys.stderr)
