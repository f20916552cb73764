"""What was typed into a form, as the fields of a struct: nothing is lost, whether it can be read or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import inspect as types

from cycle import catalogue
from cycle.catalogue import LANGUAGES
from cycle.fields import scalar
from cycle.forms.declared import Input, Kind

Posted = Mapping[str, Sequence[str]]
"""The fields of a form by name, each with all that was given for it."""
MOST_ROWS = 200


def gathered(inputs: Iterable[Input], posted: Posted, prefix: str = "") -> dict[str, Any]:
    """The fields of a struct as JSON has them; what was left blank is left out.

    What is none of its type stays as it was typed: the check of the fields names it, and the form shows it again.
    """
    found: dict[str, Any] = {}
    for each in inputs:
        value = _value(each, posted, prefix + each.name)
        if value is not None:
            found[each.name] = value
    return found


def _value(each: Input, posted: Posted, name: str) -> Any:
    given = [value.replace("\r\n", "\n") for value in posted.get(name, ())]
    match each.kind:
        case Kind.GROUP:
            return _unless_blank(each, gathered(each.parts, posted, f"{name}."))
        case Kind.ROWS:
            return [row for _, row in _rows(each, posted, name)] or ([] if each.required else None)
        case Kind.LINES:
            lines = [line.strip() for value in given for line in value.split("\n") if line.strip()]
            return [_coded(each, line) for line in lines] or ([] if each.required else None)
        case Kind.SEVERAL | Kind.ORDER:
            return [value for value in given if value] or ([] if each.required else None)
        case Kind.TICK:
            return bool(given) or (False if each.required else None)
    words = given[-1].strip() if given else ""
    return scalar(_coded(each, words), each.type) if words else None


def _rows(each: Input, posted: Posted, name: str) -> list[tuple[int, dict[str, Any]]]:
    """The rows in which something is filled in, each with the number under which it was sent."""
    rows = ((number, gathered(each.parts, posted, f"{name}.{number}.")) for number in _numbers(posted, name))
    return [(number, row) for number, row in rows if says_something(each.parts, row)]


def as_sent(inputs: Iterable[Input], posted: Posted, name: str) -> str:
    """The name of an input as it was sent: ``seats.0.person`` may have been row 7, where those before were blank."""
    first, _, rest = name.partition(".")
    row, _, inner = rest.partition(".")
    each = next((each for each in inputs if each.name == first and each.kind is Kind.ROWS), None)
    if each is None or not row:
        return name
    return f"{first}.{_rows(each, posted, first)[int(row)][0]}.{inner}"


def _unless_blank(each: Input, fields: dict[str, Any]) -> dict[str, Any] | None:
    return fields if each.required or says_something(each.parts, fields) else None


def says_something(parts: Iterable[Input], fields: Mapping[str, Any]) -> bool:
    """Whether somebody has filled in part of a row: what stands there from the beginning is nothing."""
    return any(fields.get(part.name) not in (None, False, [], 0, part.default) for part in parts)


def _numbers(posted: Posted, name: str) -> list[int]:
    """The numbers of the rows that were sent."""
    start = f"{name}."
    numbers = {rest.partition(".")[0] for rest in (key[len(start) :] for key in posted if key.startswith(start))}
    return sorted(int(number) for number in numbers if number.isascii() and number.isdecimal())[:MOST_ROWS]


def _coded(each: Input, words: str) -> str:
    """A code, where somebody has typed its word: ``Maraîchage`` is ``market-gardening``."""
    if each.form != "code" or not isinstance(each.type, (types.StrType, types.VarTupleType)):
        return words
    wanted = words.casefold()
    codes = sorted(catalogue.keys("word"))
    return next((code for code in codes for lang in LANGUAGES if catalogue.word(code, lang) == wanted), words)
