"""A log as a file: exactly the stored bytes, one line per event, in global position order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from cycle.aggregates.base import LogName
from cycle.engine import Engine
from cycle.store import CONTENT_UNKNOWN, Claimed, Conflict, Loading
from cycle_adapters.files.lines import BadLine, Line, Seen, checked
from cycle_adapters.whole import told, written


def lines(engine: Engine, log: LogName | None = None, up_to: int | None = None) -> Iterator[bytes]:
    """The stored bytes of a log, or of everything, in order of position."""
    return (bytes(leaf) for *_, leaf in engine.store.read(0, log=log, up_to=up_to))


def export(engine: Engine, to: Path | BinaryIO, log: LogName | None = None, up_to: int | None = None) -> int:
    """Write every line; a file appears whole or not at all, a device or pipe is written to as it is.

    Returns:
        How many events were written.

    Raises:
        NotWritten: says why, and where else to write.
        BrokenPipeError: whoever read has seen enough.
    """
    if isinstance(to, Path):
        with written(to) as file:
            return _write(engine, file, log, up_to)
    with told():
        return _write(engine, to, log, up_to)


def _write(engine: Engine, file: BinaryIO, log: LogName | None, up_to: int | None) -> int:
    count = 0
    for line in lines(engine, log, up_to):
        file.write(line + b"\n")
        count += 1
    file.flush()
    return count


def import_(engine: Engine, file: BinaryIO, progress: Callable[[int], None], *, follow_on: bool = False) -> int:
    """Write a log into a database, byte for byte: line n becomes position n.

    With ``follow_on`` the database may hold the beginning of this very log; what it lacks is appended.

    Returns:
        How many events were written.

    Raises:
        BadLine: the first line that is not canonical, not known, out of order, or not what the
            database holds at its position; nothing is written.
        Conflict: the database is not empty.
    """
    with engine.store.loading() as loading:
        held = loading.head.position
        if held and not follow_on:
            raise Conflict("the log is not empty: import into a new database")
        return loading.write(_beyond(loading, _whole_commands(checked(file))), progress) - held


def _whole_commands(found: Iterator[Line]) -> Iterator[Line]:
    """Raises:
    BadLine: the events of a command do not stand together.
    """
    last = ""
    with closing(Seen()) as commands:
        for line in found:
            if line.command != last and not commands.add(line.command):
                raise BadLine(line.number, "command-torn", command=line.command)
            last = line.command
            yield line


def _beyond(loading: Loading, found: Iterator[Line]) -> Iterator[Claimed]:
    """The lines that follow on what the log holds.

    Raises:
        BadLine: the file is of another log, or shorter, or adds to a command that is complete.
    """
    last = ""
    for position, leaf in enumerate(loading.leaves(), 1):
        line = next(found, None)
        if line is None:
            raise BadLine(position, "shorter", head=str(loading.head.position))
        if line.leaf.state != leaf:
            raise BadLine(position, "differs")
        last = line.command
    for line in found:
        if line.command == last:
            raise BadLine(line.number, "command-complete", command=last)
        yield Claimed(line.command, CONTENT_UNKNOWN, line.leaf)
