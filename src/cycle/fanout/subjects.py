"""Subjects: ``cycle.v1.{region}.{circle}.{commune}.{type}``, by which a consumer asks for its part of the country.

Names become slugs of ``[a-z0-9-]``: two ways of writing one name are one subject, two names in letters that Latin
does not know stay two.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

STREAM = "CYCLE"
PREFIX = "cycle.v1"
EVERYTHING = f"{PREFIX}.>"
NONE = "_"
"""Where there is no region, circle or commune: events of the platform."""
_LETTERS = str.maketrans({"ɛ": "e", "ɔ": "o", "ɲ": "ny", "ŋ": "ng", "œ": "oe", "æ": "ae", "ø": "o", "ɓ": "b", "ɗ": "d",
                          "ƴ": "y", "ɣ": "gh", "ǝ": "e", "ı": "i", "đ": "d", "ł": "l"})  # fmt: skip
"""Letters that no decomposition makes plain: those of Bambara, Fulfulde, Songhay and some of Europe's."""
_DASHES = re.compile(r"-+")


class Home(NamedTuple):
    """Where an event belongs, as names and a code; nothing where there is none."""

    region: str = ""
    circle: str = ""
    commune: str = ""


def slug(name: str) -> str:
    """``Ségou`` -> ``segou``; ``_`` for a name without a letter."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return _DASHES.sub("-", "".join(map(_written, plain))).strip("-") or NONE


def _written(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        # Lower case once more: compatibility letters decompose to capitals.
        return letter.lower()
    if unicodedata.combining(letter) or letter in "'’ʼ":
        return ""
    # Another script: its number keeps one name apart from another.
    return f"-{ord(letter):x}-" if letter.isalnum() else "-"


def subject(home: Home, type: str) -> str:
    """What an event of a type is published under."""
    return ".".join((PREFIX, *map(slug, home), type))
