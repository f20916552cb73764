"""Facts without the natural persons in them: fields that point at one (``terms.Someone``) are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Struct

from cycle.aggregates.base import EVENTS, Event
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.personal import MARK
from cycle.leaf import canonical

SOMEONE = "someone"
Clean = Callable[[Any], Any]


def without_people(event: Event) -> str:
    """The data of a fact as JSON, without who a person is."""
    clean = _of_corrections if isinstance(event, FactCorrected) else _cleaner(type(event))
    written = canonical(event)
    return (canonical(clean(msgspec.json.decode(written))) if clean else written).decode()


def _of_corrections(data: dict[str, Any]) -> dict[str, Any]:
    """That something was set right about people is told; what it was and is, is not."""
    changes = (
        {"field": each["field"]} if _names_people(data["fact_type"], each["field"]) else each
        for each in data["changes"]
    )
    return {**data, "changes": list(changes)}


def names_people(struct: type[Struct]) -> bool:
    """Whether something of this type may point at a person."""
    return _cleaner(struct) is not None


def points_at_somebody(hint: Any) -> bool:
    """Whether a value of this type is a reference to a person, or personal itself."""
    marks = getattr(hint, "__metadata__", ())
    return (
        SOMEONE in marks or MARK in marks or any(points_at_somebody(part) for part in get_args(hint) if part is not ...)
    )


def _hints(struct: type[Struct]) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: hints[name] for name in struct.__struct_fields__}


@cache
def _names_people(fact_type: str, field: str) -> bool:
    hint = _hints(EVENTS[fact_type]).get(field)
    return hint is not None and (points_at_somebody(hint) or _inside(hint) is not None)


@cache
def _cleaner(struct: type[Struct]) -> Clean | None:
    """What takes people out of the builtins of a struct; None where there can be none."""
    hints = _hints(struct)
    gone = frozenset(name for name, hint in hints.items() if points_at_somebody(hint))
    inner = {name: clean for name, hint in hints.items() if name not in gone and (clean := _inside(hint))}
    return _without(gone, inner) if gone or inner else None


def _without(gone: frozenset[str], inner: Mapping[str, Clean]) -> Clean:
    def clean(data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: inner[name](value) if name in inner and value is not None else value
            for name, value in data.items()
            if name not in gone
        }

    return clean


def _inside(hint: Any) -> Clean | None:
    """What cleans a value that is a struct, or holds some."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _cleaner(hint)
    for part in get_args(hint):
        found = None if part is ... else _inside(part)
        if found is not None:
            several = getattr(hint, "__origin__", None) is tuple
            return _each(found) if several else found
    return None


def _each(clean: Clean) -> Clean:
    return lambda values: [clean(value) for value in values]
