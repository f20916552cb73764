"""A backup as a file: a .zip of parts made of lines, and last a manifest that says what each must be.

``events.jsonl`` holds what ``cycle export events`` writes; ``<table>.jsonl`` holds a table's rows,
each a canonical JSON object (bytes in hexadecimal). ``manifest.json`` names the format, the head,
and of each part its bytes, lines and SHA-256. Nothing in it tells when or from which database it
was made: the same log gives the same bytes. It is written from front to back, so that it can go
through a pipe, and a file that is cut off has no directory and cannot be opened.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from msgspec import Struct

from cycle import __version__
from cycle.failures import REFUSED, UNAVAILABLE, Failure
from cycle.leaf import canonical

FORMAT = 1
EVENTS = "events.jsonl"
MANIFEST = "manifest.json"
LEVEL = 6
"""Seconds more than level 1 for a million events, and 13 % less to be sent over a slow line."""
CHUNK = 1 << 18
LARGEST_MANIFEST = 1 << 20


class Damaged(Failure):
    """A file that is not a whole backup; nothing was written."""

    kind = "backup"
    code = "backup-damaged"
    exit_code = REFUSED


class Newer(Failure):
    """A backup that a newer release wrote; nothing was written."""

    kind = "backup"
    code = "unavailable"
    exit_code = UNAVAILABLE


class Part(Struct, frozen=True):
    """What a part must be when it is read to its end."""

    bytes: int
    lines: int
    sha256: str


class Manifest(Struct, frozen=True, omit_defaults=True):
    """The last part of a backup. ``recorded_at`` is the time of record of its last event."""

    format: int
    head: int
    parts: dict[str, Part]
    release: str
    recorded_at: str | None = None
    kind: Literal["cycle-backup"] | None = None

    def moment(self) -> datetime | None:
        """When its last event was recorded."""
        return datetime.fromisoformat(self.recorded_at) if self.recorded_at else None


class _Named(Struct):
    kind: Literal["cycle-backup"]
    format: int


class _OneWay:
    """A file that is only ever added to, as a pipe is: the archive is then the same in both."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.flush = file.write, file.flush


class Writer:
    """Writes part after part."""

    def __init__(self, to: BinaryIO) -> None:
        self._zip = ZipFile(cast("BinaryIO", _OneWay(to)), "w", ZIP_DEFLATED, compresslevel=LEVEL)
        self._parts: dict[str, Part] = {}

    def part(self, name: str, lines: Iterable[bytes]) -> int:
        """Returns:
        How many lines it has.
        """
        digest, size, count = sha256(), 0, 0
        with self._zip.open(name, "w", force_zip64=True) as part:
            for chunk, of in _chunks(lines):
                digest.update(chunk)
                size, count = size + len(chunk), count + of
                part.write(chunk)
        self._parts[name] = Part(size, count, digest.hexdigest())
        return count

    def close(self, head: int, recorded_at: str | None) -> Manifest:
        """Write the manifest and the end."""
        manifest = Manifest(FORMAT, head, self._parts, __version__, recorded_at, "cycle-backup")
        # By name: an entry made so has the first of January 1980 for its time.
        with self._zip.open(MANIFEST, "w") as part:
            part.write(canonical(manifest) + b"\n")
        self._zip.close()
        return manifest

    def give_up(self) -> None:
        """Write no end: the file is gone, and what there is of it is not to look whole."""
        self._zip.fp = None


def _chunks(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines with their ends, many at once, and how many."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line) + 1
        if size >= CHUNK:
            yield b"\n".join(some) + b"\n", len(some)
            some.clear()
            size = 0
    if some:
        yield b"\n".join(some) + b"\n", len(some)


class Archive:
    """A backup that is read.

    Raises:
        Damaged: it is cut off, or not a backup, or its parts are not those of its manifest.
        Newer: its format is newer than this release.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            begins_as_a_zip = file.read(4) == b"PK\x03\x04"
        self._parts: list[BinaryIO] = []
        try:
            self._zip = ZipFile(path)
        except Exception as error:
            raise Damaged("cut-off" if begins_as_a_zip else "not-a-backup") from error
        try:
            self.manifest = self._manifest()
            self._compare(self._zip.namelist())
        except BaseException:
            self._zip.close()
            raise

    def _manifest(self) -> Manifest:
        try:
            with self._zip.open(MANIFEST) as part:
                found = part.read(LARGEST_MANIFEST)
        except KeyError as error:
            raise Damaged("not-a-backup") from error
        except Exception as error:
            raise Damaged("part", part=MANIFEST) from error
        try:
            if msgspec.json.decode(found, type=_Named).format > FORMAT:
                raise Newer("newer")
            manifest = msgspec.json.decode(found, type=Manifest)
        except msgspec.MsgspecError as error:
            raise Damaged("not-a-backup") from error
        if canonical(manifest) + b"\n" != found or EVENTS not in manifest.parts:
            raise Damaged("part", part=MANIFEST)
        return manifest

    def _compare(self, names: list[str]) -> None:
        wanted = [*self.manifest.parts, MANIFEST]
        if sorted(names) != sorted(wanted):
            odd = sorted(set(names) ^ set(wanted)) or names
            raise Damaged("part", part=odd[0])

    def part(self, name: str) -> BinaryIO:
        """A part to be read to its end, where it says whether it was whole.

        Raises:
            Damaged: here, or when it is read.
        """
        try:
            opened = self._zip.open(name)
        except Exception as error:
            raise Damaged("part", part=name) from error
        reading = _Reading(name, cast("BinaryIO", opened), self.manifest.parts[name])
        self._parts.append(io.BufferedReader(cast("io.RawIOBase", reading), CHUNK))
        return self._parts[-1]

    def check(self) -> None:
        """Read everything.

        Raises:
            Damaged: names the first part that is not what the manifest says.
        """
        for name in self.manifest.parts:
            with self.part(name) as part:
                while part.read(CHUNK):
                    pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for part in self._parts:
            part.close()
        self._zip.close()


class _Reading(io.RawIOBase):
    """A part on its way in, counted and hashed."""

    def __init__(self, name: str, part: BinaryIO, wanted: Part) -> None:
        self._name, self._part, self._wanted = name, part, wanted
        self._digest, self._bytes, self._lines = sha256(), 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray) -> int:  # type: ignore[override]
        try:
            chunk = self._part.read(len(into))
        except Exception as error:
            raise Damaged("part", part=self._name) from error
        into[: len(chunk)] = chunk
        self._digest.update(chunk)
        self._bytes += len(chunk)
        self._lines += chunk.count(b"\n")
        if not chunk and Part(self._bytes, self._lines, self._digest.hexdigest()) != self._wanted:
            raise Damaged("part", part=self._name)
        return len(chunk)

    def close(self) -> None:
        self._part.close()
        super().close()
