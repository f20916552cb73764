"""A picture as one SVG document, which stands by itself and inside a page.

No script, no style sheet, no font and no address of its own: whatever it looks like stands in presentation attributes.
"""

from __future__ import annotations

from cycle.catalogue import Language
from cycle.timings.pictures.all import Pictured

MEDIA = "image/svg+xml"


def drawn(found: Pictured, language: Language) -> str:
    """The picture, with its title and a description that holds its figures."""
    raise NotImplementedError


def title(found: Pictured, language: Language) -> str:
    """What the data say, in one sentence."""
    raise NotImplementedError


def description(found: Pictured, language: Language) -> str:
    """The figures of the picture in words, for whoever does not see it."""
    raise NotImplementedError
