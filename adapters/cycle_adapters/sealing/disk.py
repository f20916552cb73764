"""Files that are there whole or not at all, whenever the machine stops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cycle.sealing import SealsUnavailable


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raises:
    SealsUnavailable: instead of what the system says.
    """
    try:
        yield
    except OSError as error:
        raise SealsUnavailable("disk", why=error.strerror or str(error)).about(folder) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def publish(path: Path, content: bytes) -> None:
    """Write, fsync, rename, read back: a reader finds the old content or the new.

    Raises:
        SealsUnavailable: what is read back is something else.
    """
    beside = path.with_name(f".{path.name}.unfinished")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)
    if path.read_bytes() != content:
        raise SealsUnavailable("read-back").about(path)


def append(path: Path, at: int, content: bytes) -> None:
    """Write behind the first ``at`` bytes of a file, whatever stood there, and make it durable."""
    is_new = not path.exists()
    with path.open("ab" if is_new else "r+b") as file:
        file.truncate(at)
        file.seek(at)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def new_folder(path: Path) -> Path:
    """The folder, made durable when it is new."""
    if not path.is_dir():
        path.mkdir(parents=True)
        sync_folder(path.parent)
    return path
