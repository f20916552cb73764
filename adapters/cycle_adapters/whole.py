"""A file that appears whole, and is on the disk by then, or does not appear at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cycle.failures import UNAVAILABLE, Failure

OUT = Path("-")
"""How standard output is named."""


class NotWritten(Failure):
    """A file that cannot be written; what was there before is there still."""

    kind = "not-written"
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


@contextmanager
def told(to: object = "") -> Iterator[None]:
    """Raises:
    NotWritten: says why, and where else to write.
    BrokenPipeError: whoever read has seen enough.
    """
    try:
        yield
    except NotWritten as error:
        error.about(error.subject or to)
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, "other")
        raise NotWritten(cause, why=error.strerror or str(error)).about(to) from error


@contextmanager
def written(to: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """What is written here gets its name when it is whole; a device or pipe is written to as it is.

    Until then it stands under the file's own ``name``, where it can be read back once it is ``settled``.

    Args:
        to: the name; a link stays one.
        mode: who may read it, before the account's own mask.

    Raises:
        NotWritten: says why, and where else to write.
        BrokenPipeError: whoever read has seen enough.
    """
    with told(to):
        if to.exists() and not to.is_file():
            with to.open("wb") as stream:
                yield stream
            return
        name = to.resolve()
        # Two that write to one name at the same time have a file of their own each.
        beside = name.with_name(f".{name.name}.{os.getpid()}.unfinished")
        try:
            with open(beside, "wb", opener=partial(os.open, mode=mode)) as file:
                yield file
                settled(file)
            beside.rename(name)
            _remember(name.parent)
        finally:
            beside.unlink(missing_ok=True)


def settled(file: BinaryIO) -> bool:
    """Have all that was written on the disk; returns whether there is one behind the file."""
    file.flush()
    is_on_disk = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    if is_on_disk:
        os.fsync(file.fileno())
    return is_on_disk


@contextmanager
def written_or_out(to: Path | None) -> Iterator[BinaryIO]:
    """A file as it is written, or standard output where none is named, or ``-`` is.

    Raises:
        NotWritten: says why, and where else to write.
        BrokenPipeError: whoever read has seen enough.
    """
    if to is not None and to != OUT:
        with written(to) as file:
            yield file
        return
    with told():
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


def _remember(folder: Path) -> None:
    """A name is safe when its folder is on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
