"""Every text for people, in French and English, from one catalogue.

The catalogue is the ``*.toml`` files beside this one; a key is ``kind.code`` and gives both
languages. Kinds: ``command``, ``field`` (a field's name, or ``command-name.field`` where it means
something special), ``event`` (a sentence), ``finding`` (a sentence, with ``help``: what would
help), ``role``, ``stage``, ``word`` (values of enumerations, and other short words), ``message``.
Placeholders are ``str.format`` names. ``{count|row|rows}`` goes by the number, or by how many a list
holds; ``{roles:or}`` lists with "or"; ``{open:number}`` reads a text as a number; what stands in square
brackets is left out where all that it would say is absent. Spaces before French high punctuation are
written plainly there, and do not break when they are read.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
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
_OR: dict[Language, str] = {"fr": " ou ", "en": " or "}
_BY_NUMBER = re.compile(r"\{([\w.]+)\|([^|{}]*)\|([^|{}]*)\}")
_IF_PRESENT = re.compile(r"\[([^\[\]]*)\]")
NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"
_KEPT = {NARROW_NO_BREAK_SPACE, NO_BREAK_SPACE, "\u200d"}
"""Not printable for Python, harmless and needed: the spaces of French, the joiner of emoji."""


class MissingText(KeyError):  # noqa: N818
    """The catalogue has no such key: a mistake of ours, caught by the tests."""


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(files("cycle.catalogue").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for kind, entries in tomllib.loads(file.read_text("utf-8")).items():
            for code, written in entries.items():
                words = {part: typeset(said) if part.startswith("fr") else said for part, said in written.items()}
                if texts.setdefault(f"{kind}.{code}", words) is not words:
                    raise ValueError(f"{file.name}: {kind}.{code} is in the catalogue twice")
    return texts


def typeset(words: str) -> str:
    """French with its high punctuation on the line of the word before."""
    wide = re.sub(r" (?=[:»%](?:\W|$))|(?<=«) ", NO_BREAK_SPACE, words)
    return re.sub(r" (?=[;?!](?:\W|$))", NARROW_NO_BREAK_SPACE, wide)


def printable(words: str) -> str:
    """A text without what steers a terminal."""
    return "".join(c if c.isprintable() or c in _KEPT else " " for c in words)


def keys(kind: str) -> frozenset[str]:
    """The codes of one kind."""
    return frozenset(key.partition(".")[2] for key in _texts() if key.partition(".")[0] == kind)


def has(key: str) -> bool:
    return key in _texts()


def has_part(key: str, language: Language, part: str) -> bool:
    """Whether the words under a key have this part, such as ``help``."""
    return f"{language}_{part}" in _texts()[key]


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
    return filled(words, language, values)


def filled(
    words: str,
    language: Language,
    values: Mapping[str, object],
    show: Callable[[object, Language], object] | None = None,
) -> str:
    """A template with its values, each as ``show`` (default: ``shown``) writes it."""
    said = {name: _Said.of(value, (show or shown)(value, language), language) for name, value in values.items()}
    return agreed(_IF_PRESENT.sub(lambda found: _if_present(found[1], values), words), language, values).format_map(
        said
    )


class _Said(str):
    """A value in words, which a template may want otherwise: ``{roles:or}``, ``{open:number}``, ``{account:given}``."""

    value: object
    language: Language

    @classmethod
    def of(cls, value: object, words: object, language: Language) -> object:
        if not isinstance(words, str):
            return words
        said = cls(words)
        said.value, said.language = value, language
        return said

    def __format__(self, wanted: str) -> str:
        match wanted, self.value:
            case "or", tuple() | list() | frozenset():
                return listed((str(shown(item, self.language)) for item in self.value), self.language, _OR)
            case "given", str():
                return self.value
            case "given", tuple():
                return listed(map(str, self.value), self.language)
            case "number", str() if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", self.value):
                return number(Decimal(self.value), self.language)
            case _:
                return str(self)


def _if_present(words: str, values: Mapping[str, object]) -> str:
    names = [re.split(r"[|\[]", name)[0] for _, name, _, _ in string.Formatter().parse(words) if name]
    if not names:
        return f"[{words}]"
    return words if any(_looked_up(name, values) for name in names) else ""


def _looked_up(name: str, values: Mapping[str, object]) -> object:
    """The raw value at a dotted name; None on the way stays None."""
    first, *rest = name.split(".")
    found = values[first]
    for attribute in rest:
        found = getattr(found, attribute, None)
    return found


def verbatim(key: str, language: Language, part: str = "", /, **values: object) -> str:
    """Like ``text``, with strings as they are: names of files, cells of a table, what somebody typed."""
    return filled(template(key, language, part), language, values, _as_typed)


def _as_typed(value: object, language: Language) -> object:
    return value if isinstance(value, str) else shown(value, language)


def agreed(words: str, language: Language, values: Mapping[str, object]) -> str:
    """A template in which each ``{count|row|rows}`` agrees with its number: 0 and 1 are one in French, 1 in English."""

    def chosen(match: re.Match[str]) -> str:
        count = _looked_up(match[1], values)
        count = len(count) if isinstance(count, (tuple, list, frozenset)) else count
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


def number(value: int | Decimal, language: Language) -> str:
    """``12 500,5`` / ``12,500.5``."""
    grouped = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    if "." in grouped:
        grouped = grouped.rstrip("0").rstrip(".")
    return grouped.replace(",", NARROW_NO_BREAK_SPACE).replace(".", ",") if language == "fr" else grouped


def listed(items: Iterable[str], language: Language, last: Mapping[Language, str] = _AND) -> str:
    """``a, b et c`` / ``a, b and c``."""
    parts = list(items)
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + last[language] + parts[-1]


def either(items: Iterable[str], language: Language) -> str:
    """``a, b ou c`` / ``a, b or c``."""
    return listed(items, language, _OR)


def pair(label: str, value: str, language: Language) -> str:
    """``Étape : rencontre`` / ``Stage: meeting``."""
    return template("message.pair", language).format(label=label, value=value)


def joined(parts: Sequence[str], language: Language) -> str:
    """Whole phrases one after the other: ``a ; b`` / ``a; b``."""
    return template("message.semicolon", language).join(parts)


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
        case int() | Decimal():
            return number(value, language)
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
