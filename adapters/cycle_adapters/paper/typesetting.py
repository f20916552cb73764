"""From data to PDF: templates and fonts ship with the program, and nothing is fetched or looked for elsewhere.

Data goes to a template as one JSON text and is shown as text. No template is ever built from strings, so
nothing that somebody typed is read as markup or code.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

import msgspec
from msgspec import Struct

from cycle.catalogue import printable, verbatim

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).parent / "templates"
FONTS = Path(__file__).parent / "fonts"
STEERS = ("Cc", "Cf", "Zl", "Zp")
"""Kinds of characters that have no picture anyhow."""


def typeset(template: str, data: Struct, moment: datetime) -> bytes:
    """The pages of a template; the same bytes for the same data and moment.

    Args:
        moment: the date of the PDF: that of the log, never of the machine.
    """
    pages = _compiler(template, data).compile(format="pdf", timestamp=moment.replace(microsecond=0))
    assert isinstance(pages, bytes)
    return pages


def _compiler(template: str, data: Struct) -> typst.Compiler:
    # 80 MB of library: only who prints loads it.
    import typst

    said = msgspec.json.encode(readable(msgspec.to_builtins(data))).decode()
    source = str(TEMPLATES / f"{template}.typ")
    return typst.Compiler(source, root=str(TEMPLATES), font_paths=_fonts(), sys_inputs={"data": said})


@cache
def _fonts() -> typst.Fonts:
    """Those inside the library, with the letters of French and Bambara, and N'Ko beside them: the same everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])


def readable(sheet: dict[str, Any]) -> dict[str, Any]:
    """A sheet of which every sign can be read on paper; where one was written otherwise, its foot says so."""
    found = harmless(sheet)
    assert isinstance(found, dict)
    if found != _harmless(sheet, lambda words: words):
        found["foot"]["lines"] = [*found["foot"]["lines"], verbatim("paper.signs-named", found["lang"])]
    return found


def harmless(value: object) -> object:
    """The same with every text printable, and every sign that no font has a picture for by its name in Unicode.

    Nothing in it turns the direction of writing or steers anything.
    """
    return _harmless(value, pictured)


def _harmless(value: object, written: Callable[[str], str]) -> object:
    match value:
        case str():
            return "\n".join(printable(written(line)) for line in value.split("\n"))
        case list() | tuple():
            return [_harmless(each, written) for each in value]
        case dict():
            return {name: _harmless(each, written) for name, each in value.items()}
        case _:
            return value


def pictured(words: str) -> str:
    """A text in which what would be an empty box is named: ``[U+1F33E]``."""
    return "".join(c if ord(c) in letters() or category(c) in STEERS else f"[U+{ord(c):04X}]" for c in words)


@cache
def letters() -> frozenset[int]:
    """What some font of ours has a picture for."""
    found: set[int] = set()
    for line in (Path(__file__).parent / "letters.txt").read_text("ascii").split():
        first, _, last = line.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)
