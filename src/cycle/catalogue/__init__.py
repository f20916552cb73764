"""Every text for people, in French and English, from one catalogue.

The catalogue is the ``*.toml`` files beside this one; a key is ``kind.code`` and gives both
languages. Kinds: ``command``, ``field`` (a field's name, or ``command-name.field`` where it means
something special), ``event`` (a sentence), ``finding`` (a sentence, with ``help``: what would
help), ``role``, ``stage``, ``word`` (values of enumerations, and other short words), ``message``.
Placeholders are ``str.format`` names; ``{count|row|rows}`` goes by the number.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

_MONTHS: dict[Language, tuple[str, ...]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
           "octobre", "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December"),
}  # fmt: skip
_AND: dict[Language, str] = {"fr": " et ", "en": " and "}
_BY_NUMBER = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)\}")
NARROW_NO_BREAK_SPACE = "\u202f"


class MissingText(KeyError):  # noqa: N818
    """The catalogue has no such key: a mistake of ours, caught by the tests."""


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(files("cycle.catalogue").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for kind, entries in tomllib.loads(file.read_text("utf-8")).items():
            for code, words in entries.items():
                if texts.setdefault(f"{kind}.{code}", words) is not words:
                    raise ValueError(f"{file.name}: {kind}.{code} is in the catalogue twice")
    return texts


def keys(kind: str) -> frozenset[str]:
    """The codes of one kind."""
    return frozenset(key.partition(".")[2] for key in _texts() if key.partition(".")[0] == kind)


def has(key: str) -> bool:
    return key in _texts()


def template(key: str, language: Language, part: str = "") -> str:
    """The words under a key with their placeholders.

    Raises:
        MissingText: when the key or the part is not in the catalogue.
    """
    try:
        return _texts()[key][f"{language}_{part}" if part else language]
    except KeyError as error:
        raise MissingText(f"{key} ({language} {part})") from error


def text(key: str, language: Language, part: str = "", **values: object) -> str:
    """The words under a key with their placeholders filled; ``part="help"`` for what would help.

    Raises:
        MissingText: when the key or the part is not in the catalogue.
    """
    words = template(key, language, part)
    if not values and "{" not in words:
        return words
    return agreed(words, language, values).format_map({name: shown(value, language) for name, value in values.items()})


def verbatim(key: str, language: Language, /, **values: object) -> str:
    """Like ``text``, with strings as they are: names of files, cells of a table, what somebody typed."""
    filled = {name: value if isinstance(value, str) else shown(value, language) for name, value in values.items()}
    return agreed(template(key, language), language, values).format_map(filled)


def agreed(words: str, language: Language, values: Mapping[str, object]) -> str:
    """A template in which each ``{count|row|rows}`` agrees with its number: 0 and 1 are one in French, 1 in English."""

    def chosen(match: re.Match[str]) -> str:
        count = values[match[1]]
        assert isinstance(count, (int, Decimal)), f"{match[0]}: {count!r} is no number"
        return match[2] if count == 1 or (count == 0 and language == "fr") else match[3]

    return _BY_NUMBER.sub(chosen, words)


def word(value: str, language: Language) -> str:
    """The word for a value of an enumeration (role, stage, nature …); the value itself if it is free."""
    for kind in ("word", "role", "stage"):
        entry = _texts().get(f"{kind}.{value}")
        if entry is not None:
            return entry[language]
    return value


def field_label(command: str, field: str, language: Language) -> str:
    """The label of a field: the command's own, else the one that all commands share."""
    own = f"field.{command}.{field}"
    return text(own if has(own) else f"field.{field}", language)


def day(value: date, language: Language) -> str:
    """``3 mars 2026`` / ``3 March 2026``; the first of a month is ``1er`` in French."""
    number = "1er" if language == "fr" and value.day == 1 else str(value.day)
    return f"{number} {_MONTHS[language][value.month - 1]} {value.year}"


def number(value: int, language: Language) -> str:
    """``12 500`` / ``12,500``."""
    grouped = f"{value:,}"
    return grouped.replace(",", NARROW_NO_BREAK_SPACE) if language == "fr" else grouped


def listed(items: Iterable[str], language: Language) -> str:
    """``a, b et c`` / ``a, b and c``."""
    parts = list(items)
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + _AND[language] + parts[-1]


def shown(value: object, language: Language) -> object:
    """A value as people read it; mappings and structs stay, so that templates reach into them."""
    match value:
        case bool():
            return text("word.yes" if value else "word.no", language)
        case StrEnum():
            return word(value.value, language)
        case datetime():
            return f"{day(value.date(), language)} {value:%H:%M} UTC"
        case date():
            return day(value, language)
        case int():
            return number(value, language)
        case Decimal():
            return str(value).replace(".", "," if language == "fr" else ".")
        case str():
            return _day_in_words(value, language)
        case Mapping():
            return value
        case tuple() | list() | frozenset():
            return listed((str(shown(item, language)) for item in value), language)
        case None:
            return "—"
        case _:
            return value


def _day_in_words(value: str, language: Language) -> str:
    """Findings carry dates in ISO 8601 and enumerations as their values."""
    if len(value) == 10 and value[4] == value[7] == "-":
        try:
            return day(date.fromisoformat(value), language)
        except ValueError:
            return value
    return word(value, language)
