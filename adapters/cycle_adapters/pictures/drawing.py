"""A picture as one SVG document, which stands by itself and inside a page.

No script, no style sheet, no font and no address of its own: whatever it looks like stands in presentation attributes.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from cycle.catalogue import Language
from cycle.timings.pictures.all import Pictured
from cycle_adapters.pictures.base import Drawing, Words
from cycle_adapters.pictures.series import SeriesDrawing
from cycle_adapters.pictures.sheet import HEADLINE, Sheet
from cycle_adapters.pictures.stages import StagesDrawing
from cycle_adapters.pictures.strips import StripsDrawing
from cycle_adapters.pictures.waiting import NextPlanDrawing
from cycle_adapters.pictures.ways import MapDrawing

MEDIA = "image/svg+xml"
DRAWINGS: tuple[type[Drawing[Any]], ...] = (
    NextPlanDrawing, StagesDrawing, MapDrawing, StripsDrawing, SeriesDrawing,
)  # fmt: skip
_BY_SHOWN = {drawing.shows: drawing for drawing in DRAWINGS}


def drawn(found: Pictured, language: Language) -> Markup:
    """The picture, with its title and a description that holds its figures."""
    name, title_, told = f"picture-{found.picture}", title(found, language), description(found, language)
    return sheet_of(found, language).document(name, title_, told, language)


def sheet_of(found: Pictured, language: Language) -> Sheet:
    """Whatever is drawn, with the places of its words."""
    drawing, sheet = _drawing(found, language), Sheet()
    sheet.paragraph(drawing.title(), size=HEADLINE, bold=True)
    sheet.paragraph(_cut(found, drawing.words), grey=True)
    drawing.draw(sheet)
    return sheet


def title(found: Pictured, language: Language) -> str:
    """What the data say, in one sentence."""
    return _drawing(found, language).title()


def description(found: Pictured, language: Language) -> str:
    """The figures of the picture in words, for whoever does not see it."""
    drawing = _drawing(found, language)
    return " ".join((_cut(found, drawing.words), *drawing.told()))


def _drawing(found: Pictured, language: Language) -> Drawing[Any]:
    return _BY_SHOWN[type(found.shown)](found, found.shown, Words(language))


def _cut(found: Pictured, words: Words) -> str:
    return words.say("on", on=found.as_of, known_at=found.known_at, at=found.at)
