"""An example of each command and each event, made from its declared types: readable, and accepted as it stands."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from cycle.aggregates.webhook import ENDPOINT
from cycle.fields import bare
from cycle.policy import Policy, document, sample

PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "rice",
    r"^[^\s]+$": "ref-1",
    r"^[0-9a-f]{64}$": "0" * 64,
    ENDPOINT: "https://example.org/hook",
    r"^https?://[^\s]+$": "https://example.org",
    r"^[+(]?[0-9][0-9 ().-]*$": "+223 70 00 00 00",
}
"""Texts that must have a form."""
DAY = date(2026, 3, 2)


def example(struct: type[Struct]) -> dict[str, Any]:
    """The fields of a struct: those that are required, and what else says something."""
    if struct is Policy:
        found: dict[str, Any] = msgspec.json.decode(document(sample()))
        return found
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    return {field.encode_name: value(field.type, field.encode_name) for field in info.fields if field.required}


def value(kind: types.Type, name: str) -> Any:
    """A value of a type, as JSON has it."""
    match bare(kind):
        case types.StrType(pattern=pattern, min_length=least):
            return PATTERNS.get(pattern or "", f"{name} …".ljust(least or 0, "…"))
        case types.IntType(ge=low):
            return max(low or 0, 1)
        case types.DecimalType():
            return "1"
        case types.BoolType():
            return True
        case types.DateType():
            return DAY.isoformat()
        case types.EnumType(cls=cls):
            return next(iter(cls)).value
        case types.VarTupleType(item_type=item):
            return [value(item, name)]
        case types.StructType(cls=cls):
            return example(cls)
        case types.DictType():
            return {"reason": "…"}
        case types.RawType():
            return {}
        case _:
            return None
