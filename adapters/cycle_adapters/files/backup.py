"""Everything that is not derived, out of a database and into another, as it was at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from cycle.failures import USAGE
from cycle.leaf import canonical, rfc3339
from cycle.store import Cells, Claimed, Conflict, Head, Loading, LogRecorder, Moment
from cycle_adapters.files.archive import EVENTS, Archive, Damaged, Manifest, Newer, Writer
from cycle_adapters.files.lines import BadLine, Line, checked, cut
from cycle_adapters.whole import NotWritten, settled, told, written

LONGEST_ROW = 1 << 20
Moves = Callable[[int, int], None]
STEP = 1_000


class Taken(NotWritten):
    """The name is that of a file; an older backup may be the better one."""

    code = "bad-input"
    exit_code = USAGE


def backup(store: LogRecorder, to: Path | BinaryIO, progress: Moves) -> Manifest:
    """Write a backup, as for ``made``, of which nothing is recorded."""
    with made(store, to, progress) as manifest:
        return manifest


@contextmanager
def made(store: LogRecorder, to: Path | BinaryIO, progress: Moves) -> Iterator[Manifest]:
    """Write a backup while others go on writing to the database; a file is read back before it gets its name.

    It has its name when the block ends: what must be recorded of it is recorded there, or it is not made.

    Raises:
        Taken: there is a file of this name.
        NotWritten: says why, and where else to write.
        Damaged: what was written is not what is read back: nothing was left behind.
    """
    if not isinstance(to, Path):
        with told():
            manifest = _write(store, to, progress)
            to.flush()
        yield manifest
        return
    with told(to):
        if to.is_file():
            raise Taken("exists").about(to)
    with written(to, mode=0o600) as file:
        manifest = _write(store, file, progress)
        if settled(file):
            _read_back(Path(file.name))
        yield manifest


def _write(store: LogRecorder, to: BinaryIO, progress: Moves) -> Manifest:
    writer = Writer(to)
    try:
        with store.moment() as moment:
            position, recorded_at = moment.head
            writer.part(EVENTS, _counted(moment, progress))
            for table in moment.tables:
                writer.part(f"{table}.jsonl", map(canonical, moment.rows(table)))
        return writer.close(position, rfc3339(recorded_at) if recorded_at else None)
    except BaseException:
        writer.give_up()
        raise


def _counted(moment: Moment, progress: Moves) -> Iterator[bytes]:
    head = moment.head.position
    for done, leaf in enumerate(moment.leaves(), 1):
        if done % STEP == 0:
            progress(done, head)
        yield leaf
    progress(head, head)


def _read_back(path: Path) -> None:
    with Archive(path) as archive:
        archive.check()


def restore(store: LogRecorder, path: Path, progress: Moves) -> Head:
    """Fill an empty database from a backup: all or nothing.

    Returns:
        How far the log goes now.

    Raises:
        Damaged, Newer, BadLine: the file is not whole, or not of this release, or names the first bad line.
        Conflict: the database is not empty.
    """
    with Archive(path) as archive, store.loading() as loading:
        if loading.head.position:
            raise Conflict("the log is not empty: restore into a new database")
        manifest = archive.manifest
        receipts, *others = loading.tables
        if manifest.parts.keys() - {EVENTS, *(f"{table}.jsonl" for table in loading.tables)}:
            raise Newer("newer")
        lines = checked(archive.part(EVENTS))
        claimed = _claimed(lines, _receipts(archive, f"{receipts}.jsonl"))
        try:
            last = loading.write(claimed, lambda done: progress(done, manifest.head))
        except BadLine as error:
            raise error.about(error.subject or EVENTS) from error
        for table in others:
            _fill(loading, table, archive)
        if last != manifest.head:
            raise Damaged("part", part=EVENTS)
    return store.head()


class _Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    digest: str
    first_position: int
    key: str
    last_position: int


def _receipts(archive: Archive, name: str) -> Iterator[_Receipt]:
    if name not in archive.manifest.parts:
        raise Damaged("part", part=name)
    expected = 1
    for number, line in enumerate(_rows(archive, name), 1):
        try:
            receipt = msgspec.json.decode(line, type=_Receipt)
            bytes.fromhex(receipt.digest)
        except ValueError as error:
            raise BadLine(number, "not-a-row").about(name) from error
        first, last = receipt.first_position, receipt.last_position
        if first != expected or last < first:
            raise BadLine(number, "receipt-gap", first=str(first), expected=str(expected)).about(name)
        if last > archive.manifest.head:
            head = str(archive.manifest.head)
            raise BadLine(number, "receipt-beyond", last=str(last), head=head).about(name)
        expected = last + 1
        yield receipt
    if expected != archive.manifest.head + 1:
        raise Damaged("part", part=name)


def _claimed(lines: Iterator[Line], receipts: Iterator[_Receipt]) -> Iterator[Claimed]:
    """Each leaf with the key of its receipt; both parts are read to their ends."""
    for receipt in receipts:
        digest = bytes.fromhex(receipt.digest)
        for line in islice(lines, receipt.last_position - receipt.first_position + 1):
            yield Claimed(receipt.key, digest, line.leaf)
    if next(lines, None) is not None:
        raise Damaged("part", part=EVENTS)


def _rows(archive: Archive, name: str) -> Iterator[bytes]:
    try:
        yield from cut(archive.part(name), LONGEST_ROW)
    except BadLine as error:
        raise error.about(name) from error


def _fill(loading: Loading, table: str, archive: Archive) -> None:
    name = f"{table}.jsonl"
    if name not in archive.manifest.parts:
        return  # An older release had no such table.
    number = 0

    def rows() -> Iterator[Cells]:
        nonlocal number
        for line in _rows(archive, name):
            number += 1
            yield msgspec.json.decode(line, type=dict[str, int | str])

    try:
        loading.fill(table, rows())
    except ValueError as error:
        raise BadLine(number, "not-a-row").about(name) from error
