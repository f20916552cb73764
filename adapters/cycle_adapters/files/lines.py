"""Lines that may be part of a log: each is checked before anything is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import BinaryIO, NamedTuple

import msgspec
from msgspec import Struct

import cycle.engine  # noqa: F401  # An event is known once its aggregate is loaded; this loads all of them.
from cycle.aggregates.base import EVENTS, Recorded
from cycle.aggregates.framework.setup import FrameworkProposed, PolicyAdopted
from cycle.aggregates.rulebook import PolicyPublished
from cycle.aggregates.terms import PolicyId
from cycle.codec import Leaves, UnknownEvent
from cycle.failures import REFUSED, Failure
from cycle.leaf import MAX_LEAF_BYTES, LeafError, check_leaf
from cycle.store import NewLeaf
from cycle_adapters.files.shapes import wrong_shape


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


class Line(NamedTuple):
    """A line that may be part of a log: its number, the command that it came from, the leaf."""

    number: int
    command: str
    leaf: NewLeaf


class Seen:
    """Names that have come by; on the disk, so that a log of any length fits into the memory."""

    def __init__(self) -> None:
        self._names = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000"):
            self._names.execute(f"PRAGMA {setting}")
        self._names.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._names.execute("BEGIN")

    def add(self, name: str) -> bool:
        """Is it new?"""
        return self._names.execute("INSERT OR IGNORE INTO names VALUES (?)", (name,)).rowcount == 1

    def close(self) -> None:
        self._names.close()


def checked(file: BinaryIO) -> Iterator[Line]:
    """The lines of a log from its beginning.

    Raises:
        BadLine: the first that is not canonical, not known, or out of order.
    """
    with closing(Seen()) as ids:
        yield from _checked(file, ids)


def _checked(file: BinaryIO, ids: Seen) -> Iterator[Line]:
    leaves = Leaves(Recorded)
    versions: dict[str, int] = {}
    logs: dict[str, str] = {}
    policies: set[tuple[PolicyId, int]] = set()
    last_time: datetime | None = None
    for number, line in enumerate(cut(file, MAX_LEAF_BYTES), 1):
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
        if not ids.add(event.id):
            raise BadLine(number, "id-twice", id=event.id)
        match event.data:
            case PolicyPublished(policy=policy, policy_version=version):
                policies.add((policy, version))
            case (
                FrameworkProposed(policy=policy, policy_version=version)
                | PolicyAdopted(policy=policy, policy_version=version)
            ) if (policy, version) not in policies:
                # The log of one commune reads like a whole one, but its rules stand in the platform's.
                raise BadLine(number, "policy-missing", policy=policy, version=str(version))
        versions[event.stream], last_time = expected, event.recorded_at
        leaf = NewLeaf(event.stream, event.version, kind, line, event.id, event.log, schema, 0)
        yield Line(number, event.causation, leaf)


def cut(file: BinaryIO, most: int) -> Iterator[bytes]:
    """The lines of a file without their ends.

    Raises:
        BadLine: the first that has no end, or more bytes than ``most``.
    """
    number = 0
    while line := file.readline(most + 2):
        number += 1
        if not line.endswith(b"\n"):
            if len(line) <= most:
                raise BadLine(number, "cut-off")
            raise BadLine(number, "too-long", most=str(most))
        yield line[:-1]


class _Kind(Struct):
    type: str
    schema: int


_kind = msgspec.json.Decoder(_Kind).decode


def _type(line: bytes) -> tuple[str, int]:
    found = _kind(line)
    return found.type, found.schema
