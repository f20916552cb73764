"""Which signs the fonts of a sheet have a picture for: ``python -m tests.paper.letters`` writes the list anew.

To be run when the typesetter or a font is another one; ``test_letters`` says when.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import category

import msgspec
import typst

from cycle_adapters.paper.typesetting import FONTS, STEERS
from tests.paper.pages import boxes_of

LETTERS = FONTS.parent / "letters.txt"
LAST = 0x1FFFF
PART = 512
TEMPLATE = """#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))
#for each in json(bytes(sys.inputs.data)) [#text(each) #parbreak()]
"""
ON_A_LETTER = ("Mn", "Me", "Mc")
"""Kinds that stand on a letter, or nowhere."""


class Printer:
    """Prints signs one by one."""

    def __init__(self, folder: Path) -> None:
        (folder / "signs.typ").write_text(TEMPLATE)
        fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
        self._compiler = typst.Compiler(str(folder / "signs.typ"), root=str(folder), font_paths=fonts)

    def empty(self, signs: Sequence[int]) -> int:
        """How many of them come out as empty boxes."""
        said = [f"a{chr(sign)}" if category(chr(sign)) in ON_A_LETTER else chr(sign) for sign in signs]
        pdf = self._compiler.compile(format="pdf", sys_inputs={"data": msgspec.json.encode(said).decode()})
        assert isinstance(pdf, bytes)
        return boxes_of(pdf)

    def pictured(self, signs: Sequence[int]) -> list[int]:
        """Those that have a picture."""
        count = self.empty(signs) if signs else 0
        if count == 0:
            return list(signs)
        if count == len(signs):
            return []
        half = len(signs) // 2
        return self.pictured(signs[:half]) + self.pictured(signs[half:])


def written(signs: Sequence[int]) -> str:
    """As ranges, one a line, in hexadecimal."""
    ranges: list[list[int]] = []
    for sign in signs:
        if ranges and ranges[-1][1] == sign - 1:
            ranges[-1][1] = sign
        else:
            ranges.append([sign, sign])
    return "".join(f"{first:X}-{last:X}\n" if first < last else f"{first:X}\n" for first, last in ranges)


def main() -> int:
    signs = [sign for sign in range(0x20, LAST + 1) if category(chr(sign)) not in (*STEERS, "Cn", "Cs", "Co")]
    with TemporaryDirectory() as folder:
        printer = Printer(Path(folder))
        parts = (printer.pictured(signs[at : at + PART]) for at in range(0, len(signs), PART))
        LETTERS.write_text(written([sign for part in parts for sign in part]), "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
