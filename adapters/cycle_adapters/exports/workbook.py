"""One workbook for a spreadsheet: a sheet for each table, and one of definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from cycle.catalogue import Language, text
from cycle.exports.columns import Cell, Column

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_576
"""Of a sheet, its header among them: what goes beyond stands on a further sheet."""
LONGEST = 32_767
"""Characters of a cell: a longer text is cut, and says so."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WIDE = 18


class Workbook:
    """A workbook that is written row by row, whatever its length.

    Args:
        language: of its words; ids, codes and names of columns are the same in every language.
    """

    def __init__(self, path: Path, language: Language) -> None:
        self._language = language
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "use_zip64": True}
        self._book = xlsxwriter.Workbook(str(path), {**options, "tmpdir": str(path.parent)})
        # The same rows make the same bytes.
        self._book.set_properties({"created": datetime(1980, 1, 1)})
        self._head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
        """A sheet with a header and rows; several, where one does not hold them. Returns how many rows there were."""
        count, line, number = 0, MOST_ROWS, 0
        sheet: Worksheet | None = None
        for row in rows:
            if line == MOST_ROWS:
                number += 1
                sheet, line = self._sheet(name if number == 1 else f"{name} {number}", columns), 1
            assert sheet is not None
            for at, cell in enumerate(row):
                self._write(sheet, line, at, cell)
            line, count = line + 1, count + 1
        if sheet is None:
            self._sheet(name, columns)
        return count

    def words(self, name: str, titles: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> None:
        """A sheet of texts to read."""
        sheet = self._new(name)
        for at, (title, width) in enumerate(zip(titles, widths, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, title, self._head)
        for line, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                sheet.write_string(line, at, self._text(cell), self._wrapped)

    def close(self) -> None:
        """Write the end.

        Raises:
            OSError: it cannot be written.
        """
        try:
            self._book.close()
        except FileCreateError as error:
            raise OSError(getattr(error.args[0], "errno", None), str(error)) from error

    def _sheet(self, name: str, columns: Sequence[Column]) -> Worksheet:
        sheet = self._new(name)
        sheet.set_column(0, max(len(columns) - 1, 0), _WIDE)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.name, self._head)
        return sheet

    def _new(self, name: str) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        return sheet

    def _write(self, sheet: Worksheet, line: int, at: int, cell: Cell) -> None:
        match cell:
            case None | "":
                return
            case str():
                sheet.write_string(line, at, self._text(cell))
            case bool():
                sheet.write_boolean(line, at, cell)
            case int() | Decimal():
                sheet.write_number(line, at, cell)
            case datetime():
                sheet.write_datetime(line, at, cell.astimezone(UTC).replace(tzinfo=None), self._moment)
            case date():
                sheet.write_datetime(line, at, cell, self._day)

    def _text(self, words: str) -> str:
        """What XML can hold, in the room of a cell; never a formula, for it is written as a text."""
        # In a cell a line ends with a line feed, and nothing else.
        clean = _FORBIDDEN.sub("\ufffd", words.replace("\r\n", "\n").replace("\r", "\n"))
        if _length(clean) <= LONGEST:
            return clean
        cut = text("export.cut", self._language)
        return clean.encode("utf-16-le")[: 2 * (LONGEST - _length(cut))].decode("utf-16-le", "ignore") + cut


def _length(words: str) -> int:
    """As a spreadsheet counts: what lies beyond the basic plane counts twice."""
    return len(words) if words.isascii() else len(words.encode("utf-16-le")) // 2
