"""Columns, as the fields of a struct declare them: each with its type, its unit and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from cycle.catalogue import LANGUAGES, Language, MissingText, has, text
from cycle.projections.base import Part
from cycle.projections.spells import Mark


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    WHOLE = "integer"
    NUMBER = "decimal"
    FLAG = "boolean"
    DAY = "date"
    MOMENT = "timestamp"
    JSON = "json"
    """Several values, or values inside a value, written as JSON."""


Cell = str | int | Decimal | bool | date | datetime | None


class Column(NamedTuple):
    """One column of a file. ``about`` is its table in the catalogue; ``said`` are words of its own."""

    name: str
    kind: Kind
    source: str
    unit: str = ""
    about: str = ""
    said: tuple[str, str] | None = None

    def words(self, language: Language) -> str:
        """What it means."""
        if self.said is not None:
            return self.said[LANGUAGES.index(language)]
        own, shared = f"column.{self.about}.{self.name}", f"column.{self.name}"
        if has(own) or has(shared):
            return text(own if has(own) else shared, language)
        return self._of_a_mark(language)

    def _of_a_mark(self, language: Language) -> str:
        """One of the four columns of a fact at which something begins or ends."""
        suffix = next((each for each in Mark.__struct_fields__ if self.name.endswith(f"_{each}")), None)
        if suffix is None:
            raise MissingText(f"column.{self.about}.{self.name}")
        what = self.name.removesuffix(f"_{suffix}")
        own = f"moment.{self.about}.{what}"
        return text(f"mark.{suffix}", language, "", what=text(own if has(own) else f"moment.{what}", language))

    def of(self, name: str) -> Column:
        """The same column under another name, with the words that it has under its own."""
        return self._replace(name=name, said=(self.words("fr"), self.words("en")))


UNITS = {
    **dict.fromkeys(("median", "median_lower", "median_upper", "quartile_1", "quartile_3", "longest"), "day"),
    **dict.fromkeys(("active_median", "active_lower", "active_upper", "lag_median", "lag_p90", "late_days"), "day"),
    "days": "day",
    "active_days": "day",
    "days_to_communication": "day",
    "days_to_solution": "day",
    "days_to_end": "day",
    "women": "person",
    "men": "person",
    "youth": "person",
    "proxies": "vote",
    "required": "member",
    "present": "member",
    "members": "member",
    "in_office": "person",
    "percent": "percent",
    "estimate_xof": "xof",
    "pledged": "column-unit",
    "received": "column-unit",
}
"""What the numbers of a column count: keys of ``unit`` in the catalogue."""
_BY_KIND = {Kind.DAY: "local-day", Kind.MOMENT: "utc"}
_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    int: Kind.WHOLE,
    bool: Kind.FLAG,
    date: Kind.DAY,
    datetime: Kind.MOMENT,
    Decimal: Kind.NUMBER,
}


def unit_of(name: str, kind: Kind) -> str:
    """The unit of a column; nothing where its cells count nothing."""
    return UNITS.get(name, _BY_KIND.get(kind, ""))


def columns_of(struct: type[Struct], about: str, source: str, **others: str) -> tuple[Column, ...]:
    """The columns of a struct: one for each field, and one for each field of its parts.

    ``source`` is where they come from under their own names; ``others`` are those of some that come from elsewhere.
    """
    return tuple(
        Column(name, kind, others.get(name) or f"{source}.{name}", unit_of(name, kind), about)
        for name, kind in _declared(struct)
    )


def _declared(struct: type[Struct]) -> Iterator[tuple[str, Kind]]:
    hints = get_type_hints(struct)
    for name in struct.__struct_fields__:
        hint = present(hints[name])
        if isinstance(hint, type) and issubclass(hint, Part):
            for inner, kind in _declared(hint):
                yield f"{name}_{inner}", kind
        else:
            yield name, kind_of(hint)


def present(hint: Any) -> Any:
    """The type of a value that is there, without its annotations."""
    if get_origin(hint) is Annotated:
        return present(get_args(hint)[0])
    plain = [each for each in get_args(hint) if each is not type(None)]
    return present(plain[0]) if len(plain) == 1 and type(None) in get_args(hint) else hint


def kind_of(hint: Any) -> Kind:
    """What a cell of this type holds."""
    bare = present(getattr(hint, "__supertype__", hint))
    if isinstance(bare, type) and issubclass(bare, StrEnum):
        return Kind.TEXT
    return _KINDS.get(bare, Kind.JSON)


_json = msgspec.json.Encoder(order="sorted").encode


def cells_of(row: Struct) -> tuple[Cell, ...]:
    """The cells of a row, in the order of the columns that its struct declares."""
    return tuple(_cells(row, type(row)))


def _cells(row: Struct | None, struct: type[Struct]) -> Iterator[Cell]:
    for name, part, kind in _plan(struct):
        value = None if row is None else getattr(row, name)
        if part is not None:
            yield from _cells(value, part)
        elif kind is Kind.JSON:
            yield None if value is None else _json(value).decode()
        else:
            yield value.value if isinstance(value, StrEnum) else value


_PLANS: dict[type[Struct], tuple[tuple[str, type[Struct] | None, Kind], ...]] = {}


def _plan(struct: type[Struct]) -> tuple[tuple[str, type[Struct] | None, Kind], ...]:
    """Field by field: its name, the struct of its parts, what its cell holds."""
    found = _PLANS.get(struct)
    if found is None:
        hints = {name: present(hint) for name, hint in get_type_hints(struct).items()}
        found = _PLANS[struct] = tuple(
            (name, _part(hints[name]), kind_of(hints[name])) for name in struct.__struct_fields__
        )
    return found


def _part(hint: Any) -> type[Struct] | None:
    return hint if isinstance(hint, type) and issubclass(hint, Part) else None
