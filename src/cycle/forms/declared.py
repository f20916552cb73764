"""The inputs of a struct, from its declared types: what a form asks for, whichever page it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, NewType, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, UNSET, Struct
from msgspec import inspect as types

from cycle.aggregates import terms
from cycle.aggregates.base import Command, Event
from cycle.fields import FORMS, FREE_TEXT, bare

REFERS: Mapping[object, str] = {
    kind: name for name, kind in vars(terms).items() if isinstance(kind, NewType) and name.endswith(("Id", "Code"))
}
"""Each kind of id, and how it is called."""
NAMING = ("description", "name", "title", "subject", "place")
"""The inputs by which people call what a command makes: the first of them that it has."""
IN_ORDER = "ranked"
"""A list of this name is one in which the first counts most."""


class Kind(StrEnum):
    """How something is asked for."""

    TEXT = "text"
    PROSE = "prose"
    LINES = "lines"
    NUMBER = "number"
    MONEY = "money"
    DECIMAL = "decimal"
    DAY = "day"
    TICK = "tick"
    CHOICE = "choice"
    SEVERAL = "several"
    ORDER = "order"
    GROUP = "group"
    ROWS = "rows"


class Input(Struct, frozen=True):
    """One field as it is declared. ``parts`` are the fields of a struct, or of each of several structs.

    ``refers`` names the kind of id that it takes (a name of ``cycle.aggregates.terms``), ``words`` are the
    values of an enumeration, ``form`` is the pattern of a text by its name in ``cycle.fields``. ``of`` names the
    input that says to whom belongs what this one takes.
    """

    name: str
    kind: Kind
    type: types.Type
    required: bool
    default: object = None
    refers: str = ""
    words: tuple[str, ...] = ()
    form: str = "text"
    least: int | None = None
    most: int | None = None
    planned: bool = False
    past: bool = False
    of: str = ""
    parts: tuple[Input, ...] = ()


class Made(Struct, frozen=True):
    """What a command brings into being: the fact that says so, its field that is the id, and the kind of that."""

    fact: type[Event]
    field: str
    kind: str


@cache
def made_by(command: type[Command]) -> Made | None:
    """What a command makes to which later ones refer; None: nothing.

    Raises:
        TypeError: the fact that it declares does not begin with an id.
    """
    if command.makes is None:
        return None
    field = command.makes.__struct_fields__[0]
    kind = REFERS.get(get_type_hints(command.makes)[field])
    if kind is None:
        raise TypeError(f"{command.type}: {command.makes.type} does not begin with the id of what it makes")
    return Made(command.makes, field, kind)


def named_by(command: type[Command]) -> str:
    """The input by which people call what a command makes; empty where there is none."""
    own = command.__struct_fields__ if command.makes else ()
    return next((name for name in NAMING if name in own), "")


@cache
def inputs_of(struct: type[Struct]) -> tuple[Input, ...]:
    """The inputs of a struct, in the order of its fields."""
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    hints = get_type_hints(struct, include_extras=True)
    return tuple(
        _input(field.encode_name, field.type, hints[field.name], field.required, _default(field))
        for field in info.fields
    )


def kinds_in(inputs: Iterable[Input]) -> frozenset[str]:
    """The kinds of id that are referred to somewhere in a form."""
    found: set[str] = set()
    for each in inputs:
        found |= {each.refers, *kinds_in(each.parts)}
    return frozenset(found - {""})


def _default(field: types.Field) -> object:
    if field.default in (NODEFAULT, UNSET, None):
        return None
    found: object = msgspec.to_builtins(field.default)
    return found


def _input(name: str, kind: types.Type, hint: Any, required: bool, default: object) -> Input:
    hint, marks = _unwrapped(hint)
    plain, refers = bare(kind), REFERS.get(hint, "")
    of = next((mark.field for mark in marks if isinstance(mark, terms.Of)), "")

    def made(shown: Kind, **more: Any) -> Input:
        return Input(name, shown, plain, required, default, refers, of=of, **more)

    match plain:
        case types.BoolType():
            return made(Kind.TICK)
        case types.DateType():
            return made(Kind.DAY, planned="planned" in marks, past="past" in marks)
        case types.EnumType(cls=cls):
            return made(Kind.CHOICE, words=tuple(str(each.value) for each in cls))
        case types.IntType(ge=low, le=high):
            return made(Kind.MONEY if name.endswith("_xof") else Kind.NUMBER, least=low, most=high)
        case types.DecimalType():
            return made(Kind.DECIMAL)
        case types.StructType(cls=cls):
            return made(Kind.GROUP, parts=inputs_of(cls))
        case types.VarTupleType(item_type=item):
            return _several(made, name, bare(item), hint)
        case types.StrType(max_length=most, pattern=pattern):
            form = FORMS.get(pattern, "text")
            shown = Kind.CHOICE if refers else Kind.PROSE if most == FREE_TEXT else Kind.TEXT
            return made(shown, most=most, form=form)
        case _:
            return made(Kind.TEXT)


def _several(made: Any, name: str, item: types.Type, hint: Any) -> Input:
    inner, _ = _unwrapped(get_args(hint)[0])
    refers = REFERS.get(inner, "")
    match item:
        case types.StructType(cls=cls):
            found: Input = made(Kind.ROWS, parts=inputs_of(cls))
        case types.EnumType(cls=cls):
            found = made(Kind.SEVERAL, words=tuple(str(each.value) for each in cls))
        case types.StrType(max_length=most, pattern=pattern) if not refers:
            found = made(Kind.LINES, most=most, form=FORMS.get(pattern, "text"))
        case _:
            found = made(Kind.ORDER if name == IN_ORDER else Kind.SEVERAL)
    return msgspec.structs.replace(found, refers=refers)


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A hint without None and marks, and the marks."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            marks += tuple(more)
        elif type(None) in get_args(hint):
            hint = next(each for each in get_args(hint) if each is not type(None))
        else:
            return hint, marks
