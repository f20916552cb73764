"""From data to PDF: templates and fonts ship with the program, and nothing is fetched or looked for elsewhere.

Data goes to a template as one JSON text and is shown as text. No template is ever built from strings, so
nothing that somebody typed is read as markup or code.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from cycle.catalogue import printable

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).parent / "templates"


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

    said = msgspec.json.encode(harmless(msgspec.to_builtins(data))).decode()
    source = str(TEMPLATES / f"{template}.typ")
    return typst.Compiler(source, root=str(TEMPLATES), font_paths=_fonts(), sys_inputs={"data": said})


@cache
def _fonts() -> typst.Fonts:
    """Those inside the library: the same on every machine, with the letters of French and Bambara."""
    import typst

    return typst.Fonts(include_system_fonts=False)


def harmless(value: object) -> object:
    """The same with every text printable: nothing in it turns the direction of writing or steers anything."""
    match value:
        case str():
            return "\n".join(printable(line) for line in value.split("\n"))
        case list() | tuple():
            return [harmless(each) for each in value]
        case dict():
            return {name: harmless(each) for name, each in value.items()}
        case _:
            return value
