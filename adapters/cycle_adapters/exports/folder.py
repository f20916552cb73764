"""A folder, or a .zip, that appears whole: data files, a dictionary of their columns, and last a manifest."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from cycle.catalogue import LANGUAGES, text
from cycle.exports.columns import Column, Kind
from cycle.leaf import canonical
from cycle.shapes import understood
from cycle_adapters.tabular import CannotExport, Taken, write_csv
from cycle_adapters.whole import told

MANIFEST = "manifest.json"
DICTIONARY = "dictionary.csv"
FORMAT = 1
"""Raised when a manifest changes its meaning."""
KIND = "cycle-export"
OF_FILES = (".csv", ".json", ".ocel", ".jsonocel", ".parquet", ".sqlite", ".xes", ".xlsx")
"""Endings of a name that is meant for one file."""
CHUNK = 1 << 20
_YEAR_ONE = (1980, 1, 1, 0, 0, 0)
_FILE = stat.S_IFREG | 0o644


class Described(Struct, frozen=True):
    """One file: its bytes, its rows, and the SHA-256 of its bytes in hexadecimal."""

    bytes: int
    rows: int
    sha256: str


class Manifest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an export is: of what, as of when, by whom, by which release; and what each of its files must be."""

    kind: str
    form: str
    v: int
    position: int
    """The last position of the log that is in it."""
    on: str
    """The day on which what is running was looked at."""
    by: str
    cycle: str
    definition: int
    """Of the metrics: raised when one changes its meaning."""
    as_of: str | None = None
    known_at: str | None = None
    at: int | None = None
    commune: str | None = None
    circle: str | None = None
    region: str | None = None
    checkpoint: str | None = None
    """The signed note of the commune's log, or of the registry of all logs, as it was last sealed."""
    files: Mapping[str, Described] = {}


class Folder:
    """The files of an export while they are written."""

    def __init__(self, within: Path) -> None:
        self._within = within
        self._files: dict[str, Described] = {}
        self._columns: list[tuple[str, Sequence[Column]]] = []

    def write(self, name: str, columns: Sequence[Column], fill: Callable[[IO[bytes]], int]) -> int:
        """One data file with the columns that are in it; ``fill`` writes it and says how many rows it wrote."""
        with (self._within / name).open("xb") as file:
            rows = fill(file)
        self.made(name, columns, rows)
        return rows

    def path(self, name: str) -> Path:
        """Where a file is made by something that wants a name; to be told of by ``made``."""
        return self._within / name

    def made(self, name: str, columns: Sequence[Column], rows: int) -> None:
        """That a data file is complete."""
        self._columns.append((name, columns))
        self._describe(name, rows)

    def finish(self, manifest: Manifest) -> Manifest:
        """Write the dictionary and the manifest."""
        lines = [*dictionary(self._columns), *dictionary([(DICTIONARY, DICTIONARY_COLUMNS)])]
        with (self._within / DICTIONARY).open("xb") as file:
            write_csv(file, DICTIONARY_COLUMNS, lines)
        self._describe(DICTIONARY, len(lines))
        whole = msgspec.structs.replace(manifest, files=dict(sorted(self._files.items())))
        (self._within / MANIFEST).write_bytes(canonical(whole) + b"\n")
        return whole

    def _describe(self, name: str, rows: int) -> None:
        digest, path = sha256(), self._within / name
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
            os.fsync(file.fileno())
        self._files[name] = Described(path.stat().st_size, rows, digest.hexdigest())


DICTIONARY_COLUMNS = tuple(
    Column(name, Kind.TEXT, "dictionary", "", "dictionary")
    for name in ("file", "column", "type", "unit", "source", *LANGUAGES)
)


def dictionary(files: Sequence[tuple[str, Sequence[Column]]]) -> list[tuple[str, ...]]:
    """One line for each column of each file: what it is, what it counts, where it comes from, in both languages."""
    return [
        (
            name,
            column.name,
            column.kind.value,
            text(f"unit.{column.unit}", "en") if column.unit else "",
            column.source,
            *(column.words(language) for language in LANGUAGES),
        )
        for name, columns in files
        for column in columns
    ]


@contextmanager
def appearing(to: Path, *, overwrite: bool) -> Iterator[Folder]:
    """A folder that takes its name when the block ends, or leaves nothing behind; a .zip where the name ends so.

    Raises:
        Taken: there is something already, and it is not to be written over, or is no export.
        CannotExport: the name is one of a file.
        NotWritten: says why, and where else to write.
    """
    to = to.absolute()
    demand_free(to, overwrite=overwrite)
    # Two that write to one name at the same time have a folder of their own each.
    beside = to.with_name(f".{to.name}.{os.getpid()}.unfinished")
    packed = to.with_name(f".{to.name}.{os.getpid()}.packed")
    with told(to):
        try:
            beside.mkdir()
            yield Folder(beside)
            if to.suffix == ".zip":
                _pack(beside, packed)
                packed.rename(to)
            else:
                _replace(beside, to)
            _settle(to.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            packed.unlink(missing_ok=True)


def demand_free(to: Path, *, overwrite: bool) -> None:
    """Raises:
    Taken, CannotExport: it cannot be written there, and what to do.
    """
    if to.suffix in OF_FILES and not to.is_dir():
        raise CannotExport("names-a-file").about(to)
    if not os.path.lexists(to):
        return
    if not overwrite:
        raise Taken("exists").about(to)
    if not is_export(to):
        raise Taken("no-export").about(to)


def is_export(path: Path) -> bool:
    """Whether an export stands there, and so nothing else is lost when it is written over."""
    if path.is_symlink():
        return False
    try:
        if path.is_dir():
            found = (path / MANIFEST).read_bytes()
        else:
            with zipfile.ZipFile(path) as archive:
                found = archive.read(MANIFEST)
        return msgspec.json.decode(found, type=understood(_Named)).kind == KIND
    except (OSError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError):
        return False


class _Named(Struct):
    kind: str


def _replace(beside: Path, to: Path) -> None:
    """A folder cannot be renamed over a full one: the old one goes aside, and away when the new one is there."""
    if not os.path.lexists(to):
        beside.rename(to)
        return
    old = to.with_name(f".{to.name}.{os.getpid()}.old")
    to.rename(old)
    try:
        beside.rename(to)
    except BaseException:
        old.rename(to)
        raise
    shutil.rmtree(old)


def _pack(folder: Path, into: Path) -> None:
    """All files of a folder, the manifest last; the same files make the same bytes."""
    names = sorted((path.name for path in folder.iterdir()), key=lambda name: (name == MANIFEST, name))
    with into.open("xb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                entry = zipfile.ZipInfo(name, _YEAR_ONE)
                entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, _FILE << 16
                with (folder / name).open("rb") as part, archive.open(entry, "w", force_zip64=True) as packed:
                    shutil.copyfileobj(part, packed, CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """A name is safe when its folder is on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
