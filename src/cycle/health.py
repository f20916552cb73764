"""How well everything is that a log needs: one check for each thing, told as ``health.<name>-<cause>``.

Readiness, metrics and ``cycle doctor`` ask the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from shutil import disk_usage

from msgspec import Struct
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from cycle.catalogue import Language, has_part, verbatim
from cycle.failures import Failure
from cycle.projections.all import PROJECTIONS
from cycle.projections.tables import Checkpoint, read_checkpoints
from cycle.sealing import LastSeal
from cycle.store import LogRecorder, Unavailable

LEAST_BYTES, SCARCE_BYTES = 100_000_000, 1_000_000_000
"""Below the first nothing should be written any more; below the second somebody should make room."""
FAR_BEHIND = 10_000
"""Positions by which a projection is noticeably late."""
OLD_SEAL = timedelta(minutes=5)
"""A sealer signs each minute, idle or not."""


class State(StrEnum):
    """Fine; somebody should look; not as it must be."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Check(Struct, frozen=True):
    """What was looked at, how it stands, and why; the cause and its values are for whoever runs the machine."""

    name: str
    state: State
    cause: str
    values: Mapping[str, object] = {}

    def told(self, language: Language) -> str:
        """How it stands, in words."""
        return verbatim(self._key, language, **self._worded(language))

    def to_do(self, language: Language) -> str:
        """What to do about it; nothing where it is fine."""
        help_there = has_part(self._key, language, "help")
        return verbatim(self._key, language, "help", **self._worded(language)) if help_there else ""

    @property
    def _key(self) -> str:
        return f"health.{self.name}-{self.cause}"

    def _worded(self, language: Language) -> Mapping[str, object]:
        """The values, with errors in words."""
        found = self.values.items()
        return {k: v.told(language) if isinstance(v, (Failure, Unavailable)) else v for k, v in found}


def fine(name: str, cause: str, /, **values: object) -> Check:
    return Check(name, State.OK, cause, values)


def warning(name: str, cause: str, /, **values: object) -> Check:
    return Check(name, State.WARN, cause, values)


def bad(name: str, cause: str, /, **values: object) -> Check:
    return Check(name, State.BAD, cause, values)


def database(store: LogRecorder) -> Check:
    """Whether the database answers, and takes what is written."""
    try:
        store.demand_writable()
        position = store.head().position
    except Unavailable as error:
        return bad("database", "unavailable", why=error)
    return fine("database", "answers", position=position)


def projections(store: LogRecorder) -> Check:
    """Whether what people read follows the log."""
    try:
        head, found = store.head().position, _checkpoints(store)
    except Unavailable as error:
        return bad("projections", "unavailable", why=error)
    stopped = tuple(sorted(name for name, each in found.items() if each.problem))
    if stopped:
        return bad("projections", "stopped", names=stopped)
    behind = head - min((found[name].position if name in found else 0 for name in PROJECTIONS), default=head)
    return (warning if behind > FAR_BEHIND else fine)("projections", "behind" if behind else "current", behind=behind)


def _checkpoints(store: LogRecorder) -> Mapping[str, Checkpoint]:
    """How far each projection has got; nothing where none was ever built."""
    with store.database.connect().execution_options(cycle_read_only=True) as connection:
        try:
            return read_checkpoints(connection)
        except DBAPIError:
            return {}


def seal(last: LastSeal, now: datetime) -> Check:
    """Whether the sealer signs."""
    if last.refused:
        return bad("seal", "refused", path=last.folder)
    if last.when is None:
        return warning("seal", "none") if not last.has_key else warning("seal", "not-yet")
    age = now - last.when
    values = {"when": last.when, "minutes": int(age.total_seconds()) // 60}
    return (warning if age > OLD_SEAL else fine)("seal", "old" if age > OLD_SEAL else "fresh", **values)


def disk(free: int, folder: str) -> Check:
    """Whether there is room to write."""
    values = {"megabytes": free // 1_000_000, "folder": folder}
    if free < LEAST_BYTES:
        return bad("disk", "full", **values)
    return (warning if free < SCARCE_BYTES else fine)("disk", "scarce" if free < SCARCE_BYTES else "room", **values)


def disks(database: str) -> list[Check]:
    """The room where the file of a database is; that of a server is its own affair."""
    try:
        url = make_url(database)
    except ArgumentError:
        return []
    folder = Path(url.database or "").absolute().parent
    return [disk(disk_usage(folder).free, str(folder))] if url.drivername == "sqlite" and folder.is_dir() else []
