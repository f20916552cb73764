"""What an import of deliberations found and did, for people and for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

import click
import msgspec

from cycle.catalogue import Language, listed, shown, template, text, verbatim
from cycle_adapters.files.deliberations import Report
from cycle_adapters.files.register import Cell, Difference
from cycle_adapters.files.table import Oddity

COLUMNS = 80
_HARMLESS = "\u00a0\u202f"
"""The spaces of French: not printable for Python."""


def as_json(report: Report, language: Language, *, dry_run: bool) -> str:
    """Everything, with stable codes; the same in every language."""
    rows = [{"line": row.line, "id": row.identity, "number": row.command.number} for row in report.good]
    values = {
        "rows": report.rows,
        "repeated": report.repeated,
        "new": len(report.new),
        "completing": len(report.completing),
        "known": report.known,
        "recorded": report.recorded,
        "completed": report.completed,
        "dry_run": dry_run,
        "oddities": report.counts(),
        "bad_lines": report.bad_lines,
        "good": rows,
        "findings": report.oddities,
    }
    return msgspec.json.encode(values).decode()


def told(report: Report, language: Language, *, dry_run: bool) -> str:
    """How many rows, what is odd about them and what to do about it, row by row, and what was done."""
    return "\n".join(_lines(report, language, dry_run=dry_run))


def _lines(report: Report, language: Language, *, dry_run: bool) -> Iterator[str]:
    good, bad = len(report.good), len(report.bad_lines)
    yield _wrapped(
        text("message.import-report", language, rows=report.rows, good=good, repeated=report.repeated, bad=bad)
    )
    for code, count in Counter(oddity.code for oddity in report.oddities).most_common():
        title, helps = (text(f"oddity.{code}", language, part) for part in ("title", "help"))
        yield _wrapped(f"{title}. {helps}", f"{shown(count, language):>6}  ")
    for oddity in report.oddities:
        yield _wrapped(_line(oddity, language))
    if report.done or dry_run:
        key = "import-done" if report.done else "import-dry"
        counts = {"recorded": len(report.new), "completed": len(report.completing), "known": report.known}
        yield _wrapped(text(f"message.{key}", language, "", **counts))
    else:
        yield _wrapped(text("message.import-nothing", language))


def _line(oddity: Oddity, language: Language) -> str:
    where = verbatim("message.line", language, line=str(oddity.line))
    if oddity.bad:
        where += f" ({text('message.bad-line', language)})"
    values = {name: _said(name, value, language) for name, value in oddity.values.items()}
    words = verbatim(f"oddity.{oddity.code}", language, **values)
    return template("message.pair", language).format(label=where, value=words)


def _said(name: str, value: object, language: Language) -> object:
    match name, value:
        case "field", str():
            return text(f"field.{value}", language)
        case "fields", tuple():
            return listed((text(f"field.{field}", language) for field in value), language)
        case "differences", tuple():
            return template("message.semicolon", language).join(_difference(each, language) for each in value)
        case _:
            return value


def _difference(difference: Difference, language: Language) -> str:
    field = text(f"field.{difference.field}", language)
    held, given = (_cell(cell, language) for cell in (difference.held, difference.given))
    return verbatim("message.differs", language, field=field, held=held, given=given)


def _cell(cell: Cell, language: Language) -> str:
    plain = isinstance(cell, str) and not isinstance(cell, StrEnum)
    return f"“{cell}”" if plain and language == "en" else f"« {cell} »" if plain else str(shown(cell, language))


def _wrapped(words: str, indent: str = "") -> str:
    """At most 80 columns; no sign of French stands alone at the beginning of a line."""
    printable = "".join(c if c.isprintable() or c in _HARMLESS else " " for c in words)
    kept = re.sub(r"(?<=«) | (?=[:;!?»])", "\u00a0", printable)
    return click.wrap_text(kept, COLUMNS, indent, " " * (len(indent) or 4))
