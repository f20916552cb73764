"""What is on the pages of a PDF: its words, its fonts, its QR codes as a camera sees them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pypdfium2
import zxingcpp
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

A4 = (210, 297)
ZERO_WIDTH_SPACE = "\u200b"
SPACES = re.compile(r"[\s\u00a0\u202f]+")
AT_A_LINE_END = re.compile(r"(?<=\w)-\s*\n\s*(?=\w)|\u00ad\n?")


def words_of(pdf: bytes) -> str:
    """All that the pages say in one line, words that were divided at the end of a line whole again."""
    said = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return SPACES.sub(" ", AT_A_LINE_END.sub("", said.replace(ZERO_WIDTH_SPACE, "")))


def pages_of(pdf: bytes) -> list[str]:
    """The same page by page."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return [SPACES.sub(" ", page.extract_text().replace(ZERO_WIDTH_SPACE, "")) for page in pages]


def sizes_of(pdf: bytes) -> set[tuple[int, int]]:
    """Width and height of the pages in whole millimetres."""
    boxes = (page.mediabox for page in PdfReader(io.BytesIO(pdf)).pages)
    return {(round(float(box.width) / 72 * 25.4), round(float(box.height) / 72 * 25.4)) for box in boxes}


def fonts_of(pdf: bytes) -> set[str]:
    """Families of the embedded fonts."""
    return {name for page in PdfReader(io.BytesIO(pdf)).pages for name in _fonts(page["/Resources"])}


def _fonts(resources: DictionaryObject) -> Iterator[str]:
    for font in resources.get("/Font", {}).values():
        yield re.sub(r"^/[A-Z]{6}\+|-.*$", "", str(font.get_object()["/BaseFont"]))


def boxes_of(pdf: bytes) -> int:
    """How many characters no font had a picture for: they are shown as empty boxes."""
    count = 0
    for page in PdfReader(io.BytesIO(pdf)).pages:
        contents = page.get_contents()
        assert contents is not None
        for operands, operator in contents.operations:
            if operator in (b"Tj", b"TJ"):
                shown = operands[0] if operator == b"TJ" else operands
                count += sum(_empty(part.original_bytes) for part in shown if hasattr(part, "original_bytes"))
    return count


def _empty(glyphs: bytes) -> int:
    return sum(glyphs[at : at + 2] == b"\0\0" for at in range(0, len(glyphs), 2))


def bare(words: str) -> str:
    """Without spaces: where lines end is not what somebody typed."""
    return SPACES.sub("", words)


def right_of(pdf: bytes, letter: str) -> float:
    """How far to the right a letter reaches on any page, in millimetres."""
    furthest = 0.0
    for page in pypdfium2.PdfDocument(pdf):
        said = page.get_textpage()
        boxes = (said.get_charbox(n) for n in range(said.count_chars()) if said.get_text_range(n, 1) == letter)
        furthest = max([furthest, *(right for _, _, right, _ in boxes)])
    return furthest / 72 * 25.4


def codes_of(pdf: bytes, dpi: int = 150) -> list[bytes]:
    """What a camera reads from the QR codes of the pages, in their order."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        picture = page.render(scale=dpi / 72, grayscale=True)
        rows = memoryview(bytes(picture.buffer)).cast("B", (picture.height, picture.stride))
        found += [code.bytes for code in zxingcpp.read_barcodes(rows)]
    return found


def places_of(pdf: bytes, words: str) -> list[tuple[int, float, float]]:
    """Where a text stands: page, and millimetres from the left and from the top."""
    found: list[tuple[int, float, float]] = []
    for number, page in enumerate(PdfReader(io.BytesIO(pdf)).pages):
        height = float(page.mediabox.height)

        def seen(said: str, cm: list[float], tm: list[float], *_: object, n: int = number, h: float = height) -> None:
            if words in said:
                x, y = tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5]
                found.append((n, x / 72 * 25.4, (h - y) / 72 * 25.4))

        page.extract_text(visitor_text=seen)
    return found
