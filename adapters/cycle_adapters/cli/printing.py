"""Printing for people and for programs."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click
import msgspec

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode
MOST = 60
"""A column is not wider than this; what is longer goes on below."""


class Day(click.ParamType[date]):
    """A day as ISO 8601 writes it."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day: write it like 2026-03-31", param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment in UTC as RFC 3339 writes it; a day alone means its end."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            if len(value) == 10:
                value += "T23:59:59.999999Z"
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment: write it like 2026-03-31T12:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} names no time zone: end it with Z for UTC", param, ctx)
        return moment


DAY = Day()
MOMENT = Moment()


def emit(value: object) -> None:
    """One JSON document on one line."""
    click.echo(_encode(value))


def width() -> int:
    return shutil.get_terminal_size((100, 24)).columns


def heading(text: str) -> None:
    click.echo(click.style(_printable(text), bold=True))


def paragraph(text: str, indent: str = "") -> None:
    """A text wrapped to the terminal; what follows the first line is indented under it."""
    under = " " * len(indent)
    click.echo(textwrap.fill(_printable(text), max(40, width()), initial_indent=indent, subsequent_indent=under))


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be, the widest ones wrapped when the terminal is narrow."""
    clean = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(len(title), *(min(MOST, len(row[n])) for row in clean)) for n, title in enumerate(titles)]
    while sum(widths) + 2 * (len(widths) - 1) > width() and max(widths) > 12:
        widths[widths.index(max(widths))] -= 1
    _line(titles, widths, bold=True)
    for row in clean:
        _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> None:
    wrapped = [textwrap.wrap(cell, wide) or [""] for cell, wide in zip(cells, widths, strict=True)]
    for n in range(max(map(len, wrapped))):
        parts = [(lines[n] if n < len(lines) else "").ljust(wide) for lines, wide in zip(wrapped, widths, strict=True)]
        line = "  ".join(parts).rstrip()
        click.echo(click.style(line, bold=True) if bold else line)


def _printable(cell: str) -> str:
    return "".join(c if c.isprintable() or c == "\u202f" else " " for c in cell)
