"""Who watches over an engine hears of every command: how it ended and how long it took, never what it said."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from time import perf_counter
from typing import Protocol, TypeVar

from msgspec import Struct

from cycle.access import Forbidden
from cycle.aggregates.base import Refused
from cycle.commands import BadInput, Said
from cycle.failures import Failure
from cycle.leaf import LeafError
from cycle.store import Conflict, KeyReused, Receipt, Unavailable


class Ending(StrEnum):
    """How a command ended."""

    DONE = "done"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    UNUSABLE = "unusable"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"


class Done(Struct, frozen=True):
    """What a command did. ``new``: it is recorded now; else its facts were there already."""

    receipt: Receipt
    new: bool


class Outcome(Struct, frozen=True):
    """One command that was said. ``position`` is that of its receipt."""

    command: str
    account: str
    key: str
    ending: Ending
    seconds: float
    position: int | None = None


Watcher = Callable[[Outcome], None]


class Busy(Exception):  # noqa: N818
    """Others kept writing to the same stream: nothing was written; try again."""


_ENDINGS: tuple[tuple[tuple[type[BaseException], ...], Ending], ...] = (
    ((Forbidden,), Ending.FORBIDDEN),
    ((Refused,), Ending.REFUSED),
    ((Conflict, KeyReused, Busy), Ending.CONFLICT),
    ((Unavailable,), Ending.UNAVAILABLE),
    ((BadInput, LeafError, Failure), Ending.UNUSABLE),
)
"""The first that an error is one of; whatever is none of them is a fault of ours."""


class Watched(Protocol):
    watchers: list[Watcher]


W = TypeVar("W", bound=Watched)


def watched(execute: Callable[[W, Said], Done]) -> Callable[[W, Said], Done]:
    """Tells the watchers of an engine how each command ended."""

    @wraps(execute)
    def telling(engine: W, said: Said) -> Done:
        if not engine.watchers:
            return execute(engine, said)
        began, done, ending = perf_counter(), None, Ending.FAULT
        try:
            done = execute(engine, said)
            ending = Ending.DONE
        except BaseException as error:
            ending = next((found for kinds, found in _ENDINGS if isinstance(error, kinds)), Ending.FAULT)
            raise
        finally:
            key = said.key or "" if done is None else done.receipt.key
            position = None if done is None else done.receipt.position
            outcome = Outcome(said.command.type, said.by.actor, key, ending, perf_counter() - began, position)
            for tell in engine.watchers:
                tell(outcome)
        return done

    return telling
