"""Who may, asked of a log that may be damaged: then the place of the damage is what there is to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import MsgspecError

from cycle.aggregates.base import Refused
from cycle.failures import Failure


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
