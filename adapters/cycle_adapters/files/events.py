"""A log as a file: exactly the stored bytes, one line per event, in global position order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from cycle.aggregates.base import LogName, Recorded
from cycle.codec import Leaves, UnknownEvent
from cycle.engine import Engine
from cycle.leaf import MAX_LEAF_BYTES, LeafError, check_leaf
from cycle.store import NewLeaf

PAGE = 5_000


class BadLine(ValueError):  # noqa: N818
    """The first line of a file that cannot be part of a log; nothing was written."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}; nothing was imported")
        self.line = line


def lines(engine: Engine, log: LogName | None = None) -> Iterator[bytes]:
    """The stored bytes of a log, or of everything, in order of position."""
    return (bytes(leaf) for *_, leaf in engine.store.read(0, log=log))


def export(engine: Engine, to: Path | BinaryIO, log: LogName | None = None) -> int:
    """Write every line; a file appears whole or not at all.

    Returns:
        How many events were written.
    """
    if not isinstance(to, Path):
        return _write(engine, to, log)
    beside = to.with_name(f".{to.name}.unfinished")
    try:
        with beside.open("wb") as file:
            count = _write(engine, file, log)
            file.flush()
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
    last_time: datetime | None = None
    last_key, done = "", set[str]()
    for number, line in enumerate(_lines(file), 1):
        try:
            check_leaf(line)
            kind, schema = _type(line)
            event = leaves[kind, schema](line)
        except (LeafError, UnknownEvent) as error:
            raise BadLine(number, str(error)) from error
        except Exception as error:
            raise BadLine(number, f"not an event: {error}") from error
        expected = versions.get(event.stream, 0) + 1
        if event.version != expected:
            raise BadLine(number, f"{event.stream} has version {event.version} where {expected} follows")
        if logs.setdefault(event.stream, event.log) != event.log:
            raise BadLine(number, f"{event.stream} stands in two logs, {logs[event.stream]} and {event.log}")
        if last_time is not None and event.recorded_at < last_time:
            raise BadLine(number, "recorded before the line above it")
        if event.id in ids:
            raise BadLine(number, f"the id {event.id} comes twice")
        if event.causation != last_key and event.causation in done:
            raise BadLine(number, f"the command {event.causation} is torn apart")
        versions[event.stream], last_time, last_key = expected, event.recorded_at, event.causation
        ids.add(event.id)
        done.add(event.causation)
        yield event.causation, NewLeaf(event.stream, event.version, kind, line, event.id, event.log, schema, 0)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LEAF_BYTES + 2):
        number += 1
        if not line.endswith(b"\n"):
            reason = "is cut off" if len(line) <= MAX_LEAF_BYTES else f"is longer than {MAX_LEAF_BYTES} bytes"
            raise BadLine(number, reason)
        yield line[:-1]


class _Kind(Struct):
    type: str
    schema: int


_kind = msgspec.json.Decoder(_Kind).decode


def _type(line: bytes) -> tuple[str, int]:
    found = _kind(line)
    return found.type, found.schema
