"""A sheet to draw on: as narrow as a telephone, as long as it takes.

One unit is about a pixel there; on wide screens and on paper the whole grows. Everything is black, grey or white, so
that print loses nothing: what differs, differs in shape.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from cycle.catalogue import Language, printable

WIDTH = 380
MARGIN = 4
SIZE, SMALL, HEADLINE = 13, 12, 15
INK, GREY, LIGHT, PAPER = "#1d2733", "#52606d", "#dde3e8", "#fff"
"""Words are in the first two: 14.9 and 6.5 to 1 on paper."""
Anchor = Literal["start", "middle", "end"]
_NARROW, _WIDE = frozenset("iljI.,:;'’|!()[] \u00a0\u202f·"), frozenset("mwMW%@—…≥×")


class Box(NamedTuple):
    """Where words stand."""

    left: float
    top: float
    right: float
    bottom: float
    words: str

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def width_of(words: str, size: float = SMALL, *, bold: bool = False) -> float:
    """How wide words are at most, in the widest of the usual fonts: nobody knows which one there will be."""
    return sum(map(_share, words)) * size * (1.1 if bold else 1.0)


def _share(c: str) -> float:
    if c in _NARROW:
        return 0.36
    if c in _WIDE:
        return 1.0
    if ord(c) > 0x2E7F:
        return 1.25
    return 0.74 if c.isupper() else 0.64


def wrapped(words: str, wide: float, size: float = SMALL, *, bold: bool = False) -> list[str]:
    """Lines that are no wider; a word that is wider by itself is broken."""
    lines = [""]
    for word in words.split(" "):
        for piece in _pieces(word, wide, size, bold):
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if width_of(joined, size, bold=bold) <= wide:
                lines[-1] = joined
            else:
                lines.append(piece)
    return [line for line in lines if line]


def _pieces(word: str, wide: float, size: float, bold: bool) -> list[str]:
    pieces = [""]
    for c in word:
        if pieces[-1] and width_of(pieces[-1] + c, size, bold=bold) > wide:
            pieces.append("")
        pieces[-1] += c
    return pieces


def shortened(words: str, wide: float, size: float = SMALL) -> str:
    """Words cut off where they would be wider."""
    if width_of(words, size) <= wide:
        return words
    while words and width_of(f"{words}…", size) > wide:
        words = words[:-1]
    return f"{words.rstrip()}…"


def plain(words: str) -> str:
    """Words on one line, without what XML cannot hold or what turns the direction of writing."""
    return " ".join(printable(words).split(" "))


def at(value: float) -> str:
    """A coordinate, as short as it can be written."""
    return f"{value:.1f}".removesuffix(".0")


class Sheet:
    """What has been drawn, and ``y``: how far down."""

    def __init__(self) -> None:
        self.y = 0.0
        self.boxes: list[Box] = []
        self._parts: list[str] = []

    def add(self, element: str) -> None:
        """An element as it is written: numbers and our own words alone."""
        self._parts.append(element)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        size: float = SMALL,
        bold: bool = False,
        grey: bool = False,
        halo: bool = False,
    ) -> None:
        """Words on one line; ``y`` is the line on which they stand. ``halo``: lines below them give way."""
        clean = plain(words)
        if not clean:
            return
        wide = width_of(clean, size, bold=bold)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        self.boxes.append(Box(left, y - 0.8 * size, left + wide, y + 0.25 * size, clean))
        looks = [f'x="{at(x)}" y="{at(y)}"']
        if anchor != "start":
            looks.append(f'text-anchor="{anchor}"')
        if size != SMALL:
            looks.append(f'font-size="{size:g}"')
        if bold:
            looks.append('font-weight="700"')
        if grey:
            looks.append(f'fill="{GREY}"')
        if halo:
            looks.append(f'stroke="{PAPER}" stroke-width="3" paint-order="stroke"')
        self.add(f"<text {' '.join(looks)}>{escape(clean)}</text>")

    def paragraph(self, words: str, *, size: float = SMALL, bold: bool = False, grey: bool = False) -> None:
        """Words in as many lines as they take, below what there is."""
        for line in wrapped(plain(words), WIDTH - 2 * MARGIN, size, bold=bold):
            self.y += size * 1.35
            self.text(MARGIN, self.y, line, size=size, bold=bold, grey=grey)
        self.y += 3

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, wide: float = 1, ink: str = INK, dash: str = ""
    ) -> None:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        thick = f' stroke-width="{wide:g}"' if wide != 1 else ""
        self.add(f'<path d="M{at(x1)} {at(y1)}L{at(x2)} {at(y2)}" stroke="{ink}"{thick}{dashed}/>')

    def box(self, x: float, y: float, wide: float, high: float, *, fill: str = LIGHT, edge: str = "none") -> None:
        stroke = f' stroke="{edge}"' if edge != "none" else ""
        self.add(
            f'<rect x="{at(x)}" y="{at(y)}" width="{at(max(wide, 0))}" height="{at(high)}" fill="{fill}"{stroke}/>'
        )

    def document(self, name: str, title: str, description: str, language: Language) -> Markup:
        """All of it as one SVG element."""
        high = round(self.y + 2 * MARGIN)
        return Markup(
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" lang="{language}" viewBox="0 0 {WIDTH} {high}"'
            f' width="{WIDTH * 3 // 2}" height="{high * 3 // 2}" aria-labelledby="{name}-title {name}-desc"'
            f' font-family="system-ui, sans-serif" font-size="{SMALL}" fill="{INK}">'
            f'<title id="{name}-title">{escape(plain(title))}</title>'
            f'<desc id="{name}-desc">{escape(plain(description))}</desc>'
            f'<rect width="{WIDTH}" height="{high}" fill="{PAPER}"/>{"".join(self._parts)}</svg>\n'
        )
