"""Printing for people and for programs."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Sequence

import click
import msgspec

from cycle.catalogue import Language, pair, printable

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode
_STEERING = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BETWEEN = re.compile(r"(?<!«)[ \t\n]+(?![:;?!»])")
"""Where a line may end: French keeps its high punctuation on the line of the word before."""
WIDEST = 60
"""A column is not wider than this; what is longer goes on below."""
TALLEST = 6
"""A row of a table is not taller than this many lines."""
LEAST = 24
"""A word may claim this much of a column before it is broken."""


def emit(value: object) -> None:
    """One JSON document on one line; what steers a terminal is written as an escape."""
    document = _encode(value).decode()
    click.echo(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", document))


def width() -> int:
    return max(40, shutil.get_terminal_size((100, 24)).columns)


def columns(words: str) -> int:
    """How many columns of a terminal a text takes."""
    if words.isascii():
        return len(words)
    return sum(_columns(c) for c in words)


def _columns(c: str) -> int:
    if unicodedata.combining(c) or c == "\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def wrapped(words: str, wide: int) -> list[str]:
    """Lines of at most ``wide`` columns, broken between words, inside one only when it is longer than a line."""
    lines, line = [], ""
    for word in _BETWEEN.split(words.strip()):
        while line == "" and columns(word) > wide:
            cut = next(n for n in range(len(word), 0, -1) if columns(word[:n]) <= wide or n == 1)
            lines.append(word[:cut])
            word = word[cut:]  # noqa: PLW2901 - the rest of a word that no line can hold
        joined = f"{line} {word}" if line else word
        if columns(joined) <= wide:
            line = joined
            continue
        lines.append(line)
        line = ""
        lines += wrapped(word, wide)
        line = lines.pop()
    return [*lines, line] if line or not lines else lines


def heading(words: str) -> None:
    for line in wrapped(printable(words), width()):
        click.secho(line, bold=True)


def paragraph(words: str, indent: str = "", *, dim: bool = False) -> None:
    """A text wrapped to the terminal; what follows the first line is indented under it."""
    first, under = indent, " " * columns(indent)
    for line in wrapped(printable(words), max(20, width() - columns(indent))):
        click.secho(first + line, dim=dim)
        first = under


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], language: Language, *, right: Sequence[int] = ()
) -> None:
    """Columns as wide as they need to be, the widest ones wrapped when the terminal is narrow.

    Columns whose numbers stand in ``right`` hold figures. A column that is empty everywhere is left
    out. Where columns would break words, or make a row taller than a few lines, each row is a card.
    """
    clean = [[printable(cell) for cell in row] for row in rows]
    kept = [n for n in range(len(titles)) if any(row[n] not in ("", "—") for row in clean)]
    clean = [[row[n] for n in kept] for row in clean]
    heads = [titles[n] for n in kept]
    figures = {kept.index(n) for n in right if n in kept}
    cells = [[head, *(row[n] for row in clean)] for n, head in enumerate(heads)]
    widths = [min(WIDEST, max(map(columns, column))) for column in cells]
    least = [min(LEAST, wide, _longest_word(column)) for wide, column in zip(widths, cells, strict=True)]
    room = width() - 2 * (len(widths) - 1)
    if sum(least) > room:
        _cards(heads, clean, language)
        return
    while sum(widths) > room:
        give = (n for n, wide in enumerate(widths) if wide > least[n])
        widths[max(give, key=lambda n: widths[n])] -= 1
    if any(len(wrapped(cell, wide)) > TALLEST for row in clean for cell, wide in zip(row, widths, strict=True)):
        _cards(heads, clean, language)
        return
    _line(heads, widths, figures, bold=True)
    for row in clean:
        _line(row, widths, figures)


def _cards(titles: Sequence[str], rows: Sequence[Sequence[str]], language: Language) -> None:
    """Each row under its first two columns, the others as ``title: value``."""
    for n, row in enumerate(rows):
        if n:
            click.echo()
        heading(" · ".join(cell for cell in row[:2] if cell not in ("", "—")))
        told = [pair(*both, language) for both in zip(titles[2:], row[2:], strict=True) if both[1] not in ("", "—")]
        paragraph(" · ".join(told), "  ")


def _longest_word(cells: Sequence[str]) -> int:
    return max((columns(word) for cell in cells for word in _BETWEEN.split(cell)), default=1)


def _line(cells: Sequence[str], widths: Sequence[int], figures: set[int], *, bold: bool = False) -> None:
    lines = [wrapped(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    for n in range(max(map(len, lines), default=0)):
        parts = []
        for m, (own, wide) in enumerate(zip(lines, widths, strict=True)):
            part = own[n] if n < len(own) else ""
            space = " " * (wide - columns(part))
            parts.append(space + part if m in figures else part + space)
        click.secho("  ".join(parts).rstrip(), bold=bold)
