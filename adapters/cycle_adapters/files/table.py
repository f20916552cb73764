"""A council's file as rows of named cells; nothing in it is repaired in silence."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import NamedTuple

from msgspec import Struct

from cycle_adapters.files.mapping import Mapping

MOST_BYTES = 50_000_000


class FileBroken(ValueError):  # noqa: N818
    """A file that no mapping can help; the message says where and why."""


class Oddity(Struct, frozen=True):
    """What is odd about a row: ``code`` is its key in the catalogue (kind ``oddity``).

    ``bad``: the row cannot be recorded. ``line`` is where the row begins in the file.
    """

    line: int
    code: str
    bad: bool = False
    values: dict[str, str] = {}


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
        raise FileBroken(f"{len(data):,} bytes: a file of deliberations holds at most {MOST_BYTES:,}; split it")
    try:
        text = data.decode(mapping.encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileBroken(
            f"line {line}: not {mapping.encoding} text; say the right `encoding` in the mapping (often cp1252)"
        ) from error
    except LookupError as error:
        raise FileBroken(f"there is no encoding {mapping.encoding!r}: write utf-8, cp1252 …") from error
    if "\x00" in text:
        raise FileBroken("holds NUL characters: this is not a CSV file")
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
                raise FileBroken(
                    f"line {number}: {len(cells)} cells where the header has {len(header)}; check separator and quotes"
                )
            found = {}
            for name, place in places.items():
                composed = unicodedata.normalize("NFC", cells[place])
                if composed != cells[place]:
                    oddities.append(Oddity(number, "text-recomposed", values={"column": header[place]}))
                found[name] = composed.strip()
            lines.append(Line(number, found))
    except csv.Error as error:
        raise FileBroken(f"line {reader.line_num}: {error}; check separator and quotes") from error
    if not lines:
        raise FileBroken("there are no rows")
    return lines, oddities


def _places(header: list[str], mapping: Mapping) -> dict[str, int]:
    """Where each column is; by name, so that a council may order and add columns as it likes."""
    folded = {name.casefold(): place for place, name in reversed(list(enumerate(header)))}
    places, missing = {}, []
    for meaning in mapping.columns.__struct_fields__:
        names: tuple[str, ...] = getattr(mapping.columns, meaning)
        place = next((folded[n.casefold()] for n in names if n.casefold() in folded), None)
        if place is not None:
            places[meaning] = place
        elif meaning in ("number", "decided_on", "subject"):
            missing.append(" or ".join(names))
    if missing:
        raise FileBroken(
            f"the header has no column {', '.join(missing)}; it has: {', '.join(header) or 'nothing'}."
            " Say in a mapping what they are called here, and which separator"
        )
    return places
