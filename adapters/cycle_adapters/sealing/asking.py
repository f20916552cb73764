"""Who may, asked of a log that may be damaged: then the place of the damage is what there is to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import MsgspecError
from sqlalchemy.exc import DBAPIError

from cycle.aggregates.base import Refused
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.following import first_unfit
from cycle.proofs.audit import Broken
from cycle.reading import opened
from cycle.settings import Settings
from cycle.store import Unavailable
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sealing.settings import folder_of


@contextmanager
def damage_first(check: Callable[[], object]) -> Iterator[None]:
    """Where the log cannot be read to ask who may, the check names the place; nothing is done either way.

    Raises:
        Broken: out of the check.
    """
    try:
        yield
    except (Failure, Refused):
        raise
    except (MsgspecError, LookupError, ValueError, TypeError):
        check()
        raise


def damage(settings: Settings) -> Broken | None:
    """The first place at which a log does not hold, where another verb met something that it cannot read.

    None: it holds, or that cannot be told now.
    """
    try:
        with opened(settings.database) as engine:
            return _found(engine, settings.database)
    except (Failure, Unavailable, DBAPIError):
        return None


def damage_of(engine: Engine, database: str) -> Broken | None:
    """The same of a log that is open already: reads all of it."""
    try:
        return _found(engine, database)
    except (Failure, Unavailable, DBAPIError):
        return None


def _found(engine: Engine, database: str) -> Broken | None:
    try:
        verify_live(engine.store, Sealed(folder_of(database)))
    except Broken as broken:
        return broken
    except Failure:
        # Seals that cannot be looked at; the events can.
        pass
    return first_unfit(engine.store, engine.leaves)
