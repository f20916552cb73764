"""What a route is told about a request: who calls, in which language, and through which reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Semaphore
from time import monotonic
from typing import Annotated

from fastapi import Depends, Query, Request
from msgspec import Struct

from cycle.access import ACTIONS, READING
from cycle.aggregates.base import LogName
from cycle.catalogue import Language
from cycle.engine import Engine
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.runner import NotThereYet
from cycle.reading import Filters, Reader
from cycle_adapters.http.callers import Caller, Callers, SignInNeeded
from cycle_adapters.http.limits import Buckets
from cycle_adapters.http.observing import ACCOUNT
from cycle_adapters.http.parameters import Position
from cycle_adapters.http.problems import RETRY_SECONDS, Stopped, not_in_time, spoken
from cycle_adapters.http.rooms import Rooms


class Doors(Struct, frozen=True):
    """What all requests share."""

    engine: Engine
    reader: Reader
    callers: Callers
    accounts: Buckets
    waiting: Semaphore
    wait_seconds: float
    rooms: Rooms
    printing: Semaphore
    bundling: Semaphore
    past: Semaphore


@contextmanager
def one_of(few: Semaphore) -> Iterator[None]:
    """As one of the few that may be at heavy work at the same time.

    Raises:
        Stopped: they are; nobody waits, for whoever waits keeps a thread from those who ask for little.
    """
    if not few.acquire(blocking=False):
        raise Stopped("busy", headers={"Retry-After": str(RETRY_SECONDS)})
    try:
        yield
    finally:
        few.release()


def looking_back(doors: Doors, filters: Filters, cutoffs: Cutoffs) -> AbstractContextManager[None]:
    """What a question about a past moment is answered in: where it is about everything, as one of a few.

    Raises:
        Stopped: as ``one_of``.
    """
    narrow = cutoffs == EVERYTHING or filters.commune is not None or filters.framework is not None
    return nullcontext() if narrow else one_of(doors.past)


class Call(Struct, frozen=True):
    """One request."""

    caller: Caller | None
    language: Language
    doors: Doors
    request: Request
    began: float
    """When it was asked who calls: what was known at that time is new enough to answer with (``time.monotonic``)."""

    @property
    def engine(self) -> Engine:
        return self.doors.engine

    def may(self, action: str) -> Caller:
        """Who calls, where the credential is good for this action of ``cycle.access``.

        Raises:
            SignInNeeded: nobody has signed in.
            Stopped: the token is not good for it.
        """
        if self.caller is None:
            raise SignInNeeded
        self._within_scope(action)
        return self.caller

    def anew(self, action: str) -> Caller:
        """The same, asked again after a while: whether the credential holds still.

        Raises:
            SignInNeeded, Stopped: it does not.
        """
        began, caller = monotonic(), self.doors.callers.caller(self.request)
        if caller is None or self.caller is None or caller.account != self.caller.account:
            raise SignInNeeded
        return Call(caller, self.language, self.doors, self.request, began).may(action)

    def reads(self, question: str, at_least: int | None = None) -> Reader:
        """What the caller may read of this, brought up to date.

        Raises:
            SignInNeeded: nobody has signed in, and not everybody may read it.
            Stopped: the token is not good for it.
            NotThereYet: the position that was asked for is not reached in time.
        """
        if not READING[question].anybody:
            self.may(question)
        elif self.caller is not None:
            self._within_scope(question)
        self._reach(at_least)
        return self.doors.reader.acting_as(self.caller.account if self.caller else "")

    def reads_log(self, question: str) -> Reader:
        """What the caller reads of the log itself, where nothing that is folded from it matters.

        Raises:
            SignInNeeded, Stopped: as for ``may``.
        """
        return self.doors.reader.acting_as(self.may(question).account)

    def acts(self, action: str, at_least: int | None = None) -> Reader:
        """What whoever carries something out of the house reads it with: who may that may have what is in it.

        Raises:
            SignInNeeded, Stopped, NotThereYet: as for ``may`` and ``reads``.
        """
        caller = self.may(action)
        self._reach(at_least)
        return self.doors.reader.acting_as(caller.account)

    def about(self, commune: str) -> LogName:
        """The log of the commune that this is about: a refusal says who can help there."""
        self.request.state.commune = commune
        return LogName(commune)

    def _within_scope(self, action: str) -> None:
        assert action in ACTIONS, action
        scope = self.caller.actions if self.caller else None
        if scope is not None and action not in scope and not ACTIONS[action].anybody:
            raise Stopped("out-of-scope", action=action)

    def _reach(self, position: int | None) -> None:
        if self.doors.reader.catch_up() >= (position or 0):
            return
        # Few may wait: whoever waits keeps a thread from those who do not.
        if not self.doors.waiting.acquire(blocking=False):
            raise NotThereYet
        try:
            self.doors.reader.runner.follow_to(position or 0, self.doors.wait_seconds)
        finally:
            self.doors.waiting.release()


def calling(request: Request) -> Call:
    """The one place where it is asked who calls.

    Raises:
        SignInNeeded: the credential does not hold.
        Stopped: the account has asked for too much.
    """
    doors: Doors = request.app.state.doors
    began = monotonic()
    caller = doors.callers.caller(request)
    request.scope[ACCOUNT] = caller.account if caller else ""
    request.state.signed_in = caller is not None
    if caller is not None and (seconds := doors.accounts.take(caller.account)):
        raise not_in_time(seconds)
    return Call(caller, spoken(request), doors, request, began)


Calling = Annotated[Call, Depends(calling)]
AtLeast = Annotated[Position | None, Query(alias="min_position", description="Wait until this position is reached.")]


def reading_pages(call: Calling) -> Reader:
    """What pages read with: they show many things at once, and a token is good for some."""
    caller = call.may("frameworks")
    if caller.actions is not None and not caller.actions >= READING.keys():
        raise Stopped("out-of-scope", action="pages")
    return call.reads("frameworks")


PageReader = Annotated[Reader, Depends(reading_pages)]
