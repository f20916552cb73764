"""Fields that are personal: declared once by their type, kept out of every leaf, digest and printout.

On an event they are optional, for a leaf never holds them; a command and the events that it leads to
call them the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

MARK = "personal"
"""What the type of a personal field is annotated with (``terms.Personal``)."""

S = TypeVar("S", bound=Struct)


@cache
def personal_fields(struct: type[Struct]) -> tuple[str, ...]:
    """The names of a struct's personal fields, in the order of their declaration."""
    return tuple(name for name, hint in get_type_hints(struct, include_extras=True).items() if is_personal(hint))


def is_personal(hint: Any) -> bool:
    """Whether a type, or what it may hold beside None, is marked."""
    return MARK in getattr(hint, "__metadata__", ()) or any(is_personal(part) for part in get_args(hint))


def personal_values(struct: Struct) -> dict[str, str]:
    """The personal values that a struct holds, by field."""
    held = {name: getattr(struct, name) for name in personal_fields(type(struct))}
    return {name: value for name, value in held.items() if value is not None}


def without_personal(struct: S) -> S:
    """The same without its personal values."""
    personal = personal_fields(type(struct))
    return replace(struct, **dict.fromkeys(personal)) if personal else struct


def printed(struct: Struct) -> str | None:
    """How a struct with personal fields is printed: what they hold is in no log and no traceback."""
    personal = personal_fields(type(struct))
    if not personal:
        return None
    shown = (f"{n}={'…' if n in personal and getattr(struct, n) else repr(getattr(struct, n))}" for n in _names(struct))
    return f"{type(struct).__name__}({', '.join(shown)})"


def _names(struct: Struct) -> tuple[str, ...]:
    return struct.__struct_fields__
