"""A council's file as rows of named cells; nothing in it is repaired in silence."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping as Table
from typing import NamedTuple

from msgspec import Struct

from cycle.failures import REFUSED, Failure
from cycle_adapters.files.mapping import Mapping
from cycle_adapters.tabular import as_written

MOST_BYTES = 50_000_000


class FileBroken(Failure):
    """A file that cannot be read with this mapping; the message says where and why."""

    kind = "file-broken"
    code = "file-broken"
    exit_code = REFUSED


class Oddity(Struct, frozen=True):
    """What is odd about a row: ``code`` is its key in the catalogue (kind ``oddity``).

    ``bad``: the row cannot be recorded. ``line`` is where the row begins in the file. ``values``
    are shown as they are when they are texts: cells of the file, numbers of lines.
    """

    line: int
    code: str
    bad: bool = False
    values: Table[str, object] = {}


class Line(NamedTuple):
    """One row: where it begins, and its cells by what they mean (stripped, NFC; absent: empty)."""

    number: int
    cells: dict[str, str]


def read_table(data: bytes, mapping: Mapping) -> tuple[list[Line], list[Oddity]]:
    """The rows of a file, and what had to be changed to read them.

    Raises:
        FileBroken: too large, not text in this encoding, not CSV, no such columns, no rows.
    """
    if len(data) > MOST_BYTES:
        raise FileBroken("too-large", bytes=len(data), most=MOST_BYTES)
    try:
        text = data.decode(mapping.encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileBroken("not-text", line=str(line), encoding=mapping.encoding) from error
    except UnicodeError as error:
        raise FileBroken("not-text", line="1", encoding=mapping.encoding) from error
    if "\x00" in text:
        raise FileBroken("nul")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.separator, strict=True)
    lines: list[Line] = []
    oddities: list[Oddity] = []
    places: dict[str, int] = {}
    try:
        header = next(reader, [])
        places = _places([cell.strip() for cell in header], mapping)
        before = reader.line_num
        for cells in reader:
            number, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise FileBroken("cells", line=str(number), found=len(cells), wanted=len(header))
            found = {}
            for name, place in places.items():
                composed = unicodedata.normalize("NFC", cells[place])
                if composed != cells[place]:
                    oddities.append(Oddity(number, "text-recomposed", values={"column": header[place]}))
                found[name] = as_written(composed.strip())
            lines.append(Line(number, found))
    except csv.Error as error:
        raise FileBroken("quotes", line=str(reader.line_num)) from error
    if not lines:
        raise FileBroken("no-rows")
    return lines, oddities


def _places(header: list[str], mapping: Mapping) -> dict[str, int]:
    """Where each column is; by name, so that a council may order and add columns as it likes."""
    folded = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
    places, missing = {}, []
    for meaning in mapping.columns.__struct_fields__:
        names: tuple[str, ...] = getattr(mapping.columns, meaning)
        place = next((folded[_plain(n)] for n in names if _plain(n) in folded), None)
        if place is not None:
            places[meaning] = place
        elif meaning in ("number", "decided_on", "subject"):
            missing.append(" / ".join(names))
    if missing:
        raise FileBroken("columns", missing=", ".join(missing), header=", ".join(header) or "—")
    return places


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
