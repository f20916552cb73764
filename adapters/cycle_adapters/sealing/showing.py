"""How far a log is sealed, for who looks at it on a page."""

from __future__ import annotations

from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.failures import Failure
from cycle.sealing import when_seen
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.settings import seals_of


class SealedTo(Struct, frozen=True):
    """The last published checkpoint of a log: its size, its root (hex), when it was last seen to hold."""

    size: int
    root: str
    at: str | None


def sealed(database: str, log: LogName) -> SealedTo | None:
    """How far a log is sealed beside this database; None where nothing is published, or it cannot be read now."""
    try:
        folder = Folder(seals_of(database))
        found, registry = folder.checkpoint(log), folder.checkpoint(None)
    except Failure:
        return None
    if found is None:
        return None
    return SealedTo(found.size, found.root.hex(), when_seen(registry) if registry else None)
