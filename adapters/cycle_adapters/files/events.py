"""A log as a file: exactly the stored bytes, one line per event, in global position order."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from cycle.aggregates.base import EVENTS, LogName, Recorded
from cycle.aggregates.framework.setup import FrameworkProposed, PolicyAdopted
from cycle.aggregates.rulebook import PolicyPublished
from cycle.aggregates.terms import PolicyId
from cycle.codec import Leaves, UnknownEvent
from cycle.engine import Engine
from cycle.failures import REFUSED, UNAVAILABLE, Failure
from cycle.leaf import MAX_LEAF_BYTES, LeafError, check_leaf
from cycle.store import NewLeaf
from cycle_adapters.files.shapes import wrong_shape

PAGE = 5_000


class BadLine(Failure):
    """The first line of a file that cannot be part of a log; nothing was written."""

    kind = "bad-line"
    code = "bad-line"
    exit_code = REFUSED

    def __init__(self, line: int, cause: str, /, **values: object) -> None:
        super().__init__("whole", line=str(line), why=Reason(cause, **values))
        self.line = line


class Reason(Failure):
    """Why a line cannot be part of a log."""

    kind = "bad-line"


class ExportFailed(Failure):
    """A file that cannot be written; what was there before is there still."""

    kind = "export-failed"
    code = "unavailable"
    exit_code = UNAVAILABLE


_CAUSES = {
    errno.ENOSPC: "no-space",
    errno.EDQUOT: "no-space",
    errno.ENOENT: "no-folder",
    errno.ENOTDIR: "no-folder",
    errno.EISDIR: "is-folder",
    errno.EACCES: "not-allowed",
    errno.EPERM: "not-allowed",
    errno.EROFS: "not-allowed",
}


def lines(engine: Engine, log: LogName | None = None) -> Iterator[bytes]:
    """The stored bytes of a log, or of everything, in order of position."""
    return (bytes(leaf) for *_, leaf in engine.store.read(0, log=log))


def export(engine: Engine, to: Path | BinaryIO, log: LogName | None = None) -> int:
    """Write every line; a file appears whole or not at all, a device or pipe is written to as it is.

    Returns:
        How many events were written.

    Raises:
        ExportFailed: says why, and where else to write.
        BrokenPipeError: whoever read has seen enough.
    """
    try:
        if not isinstance(to, Path):
            return _write(engine, to, log)
        if to.exists() and not to.is_file():
            with to.open("wb") as stream:
                return _write(engine, stream, log)
        return _write_whole(engine, to.resolve(), log)
    except BrokenPipeError:
        raise
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, "other")
        failed = ExportFailed(cause, why=error.strerror or str(error))
        raise failed.about(to if isinstance(to, Path) else "") from error


def _write_whole(engine: Engine, to: Path, log: LogName | None) -> int:
    beside = to.with_name(f".{to.name}.unfinished")
    try:
        with beside.open("wb") as file:
            count = _write(engine, file, log)
            os.fsync(file.fileno())
        beside.rename(to)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _write(engine: Engine, file: BinaryIO, log: LogName | None) -> int:
    count = 0
    for line in lines(engine, log):
        file.write(line + b"\n")
        count += 1
    file.flush()
    return count


def import_(engine: Engine, file: BinaryIO, progress: Callable[[int], None]) -> int:
    """Write a log into an empty database, byte for byte: line n becomes position n.

    Raises:
        BadLine: the first line that is not canonical, not known, or out of order; nothing is written.
        Conflict: the database is not empty.
    """
    return engine.store.import_leaves(_checked(file), progress)


def _checked(file: BinaryIO) -> Iterator[tuple[str, NewLeaf]]:
    leaves = Leaves(Recorded)
    versions: dict[str, int] = {}
    logs: dict[str, str] = {}
    ids: set[str] = set()
    policies: set[tuple[PolicyId, int]] = set()
    last_time: datetime | None = None
    last_key, done = "", set[str]()
    for number, line in enumerate(_lines(file), 1):
        try:
            check_leaf(line)
            kind, schema = _type(line)
            event = leaves[kind, schema](line)
        except LeafError as error:
            raise BadLine(number, "leaf", why=error) from error
        except UnknownEvent as error:
            raise BadLine(
                number, "newer-schema" if kind in EVENTS else "unknown-type", type=kind, schema=str(schema)
            ) from error
        except msgspec.ValidationError as error:
            raise BadLine(number, "shape", why=wrong_shape(error)) from error
        except Exception as error:
            raise BadLine(number, "not-an-event") from error
        expected = versions.get(event.stream, 0) + 1
        if event.version != expected:
            found, due = str(event.version), str(expected)
            raise BadLine(number, "version", stream=event.stream, version=found, expected=due)
        if logs.setdefault(event.stream, event.log) != event.log:
            raise BadLine(number, "two-logs", stream=event.stream, first=logs[event.stream], second=event.log)
        if last_time is not None and event.recorded_at < last_time:
            raise BadLine(number, "older")
        if event.id in ids:
            raise BadLine(number, "id-twice", id=event.id)
        if event.causation != last_key and event.causation in done:
            raise BadLine(number, "command-torn", command=event.causation)
        match event.data:
            case PolicyPublished(policy=policy, policy_version=version):
                policies.add((policy, version))
            case (
                FrameworkProposed(policy=policy, policy_version=version)
                | PolicyAdopted(policy=policy, policy_version=version)
            ) if (policy, version) not in policies:
                # The log of one commune reads like a whole one, but its rules stand in the platform's.
                raise BadLine(number, "policy-missing", policy=policy, version=str(version))
        versions[event.stream], last_time, last_key = expected, event.recorded_at, event.causation
        ids.add(event.id)
        done.add(event.causation)
        yield event.causation, NewLeaf(event.stream, event.version, kind, line, event.id, event.log, schema, 0)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LEAF_BYTES + 2):
        number += 1
        if not line.endswith(b"\n"):
            if len(line) <= MAX_LEAF_BYTES:
                raise BadLine(number, "cut-off")
            raise BadLine(number, "too-long", most=str(MAX_LEAF_BYTES))
        yield line[:-1]


class _Kind(Struct):
    type: str
    schema: int


_kind = msgspec.json.Decoder(_Kind).decode


def _type(line: bytes) -> tuple[str, int]:
    found = _kind(line)
    return found.type, found.schema
