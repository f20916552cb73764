"""The fields of commands, from their declared types: in words, and what is wrong with those that are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from cycle import catalogue
from cycle.aggregates.base import Command
from cycle.aggregates.webhook import ENDPOINT
from cycle.catalogue import Language, field_label, text
from cycle.commands import blanks
from cycle.shapes import understood

FREE_TEXT = 2000
"""The most characters of a ``terms.Text``, by which sentences are told from names."""
FORMS = {
    None: "text",
    r"\S": "text",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "code",
    r"^[^\s]+$": "word",
    r"^[0-9a-f]{64}$": "sha256",
    r"^[+(]?[0-9][0-9 ().-]*$": "telephone",
    r"^https?://[^\s]+$": "web-address",
    ENDPOINT: "web-address",
}
"""Patterns of declared texts, and how they are called."""
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)
_SPACES = dict.fromkeys(map(ord, " \u00a0\u202f"))


def type_of(command: type[Struct], path: str) -> types.Type | None:
    """The declared type at a dotted path; None where nothing is declared."""
    found: types.Type | None = types.type_info(command)
    for name in path.split("."):
        match bare(found) if found else None:
            case types.StructType(fields=fields):
                found = next((f.type for f in fields if f.encode_name == name), None)
            case types.VarTupleType(item_type=item) if name == "[]":
                found = item
            case types.DictType() | types.AnyType() | types.RawType():
                return types.AnyType()
            case _:
                return None
    return found


def bare(kind: types.Type) -> types.Type:
    """A type without the None of an optional one."""
    if isinstance(kind, types.UnionType):
        rest = [t for t in kind.types if not isinstance(t, types.NoneType)]
        return rest[0] if len(rest) == 1 else types.AnyType()
    return bare(kind.type) if isinstance(kind, types.Metadata) else kind


def scalar(value: str, kind: types.Type) -> Any:
    """What somebody has typed, as a value of a declared type; as it stands where it is none, for others to say so.

    Numbers may be written with the spaces and the comma of French. Lists and structs are none of this.
    """
    match bare(kind):
        case types.IntType():
            plain = value.translate(_SPACES)
            return int(plain) if plain.lstrip("-").isdecimal() and plain.isascii() and len(plain) < 18 else value
        case types.DecimalType():
            plain = value.translate(_SPACES).replace(",", ".")
            return plain if _NUMBER.fullmatch(plain) else value
        case types.BoolType():
            words = {"true": True, "yes": True, "oui": True, "on": True, "false": False, "no": False, "non": False}
            return words.get(value.strip().lower(), value)
        case _:
            return value


def takes_free_text(command: type[Struct]) -> bool:
    """Whether somebody may write sentences into it, which are public record then."""
    return _is_free(types.type_info(command))


def _is_free(kind: types.Type) -> bool:
    match bare(kind):
        case types.StrType(max_length=most):
            return most == FREE_TEXT
        case types.VarTupleType(item_type=item):
            return _is_free(item)
        case types.StructType(fields=fields):
            return any(_is_free(field.type) for field in fields)
        case _:
            return False


def described(kind: types.Type, language: Language, *, json: bool = False) -> str:
    """A type in words: ``whole number, 0 to 100``; ``one of: cash, in-kind``; as it is typed, or as JSON has it."""

    def say(key: str, **values: object) -> str:
        return catalogue.template(f"message.type-{key}", language).format_map(values)

    match bare(kind):
        case types.StrType(max_length=most, pattern=pattern):
            return say(FORMS.get(pattern, "text")) + (say("at-most", most=most) if most else "")
        case types.IntType(ge=low, le=high):
            return say("int") + (say("between", low=low, high=high) if low is not None and high is not None else "")
        case types.DecimalType():
            return say("json-decimal" if json else "decimal")
        case types.DateType():
            return say("date")
        case types.BoolType():
            return say("bool")
        case types.EnumType(cls=cls):
            return say("one-of", values=", ".join(str(value.value) for value in cls))
        case types.VarTupleType(item_type=item):
            listed = json or isinstance(bare(item), types.StructType)
            return say("json-list" if listed else "list", item=described(item, language, json=json))
        case types.StructType(fields=fields):
            own = ", ".join(f.encode_name + ("" if f.required else "?") for f in fields)
            return say("json-struct" if json else "struct", fields=own)
        case _:
            return say("json")


def path_in(message: str, *, numbered: bool = False) -> str:
    """Where msgspec says that something is wrong: ``… - at `$.seats[0].person` `` -> ``seats.[].person``."""
    _, found, tail = message.rpartition(" - at `$")
    path = re.sub(r"\[(\d+|\.\.\.)\]", r".\1" if numbered else ".[]", tail.rstrip("`"))
    return path.removeprefix(".") if found else ""


def rows(command: type[Command], language: Language) -> Iterator[tuple[str, str]]:
    """The fields of a command for its help; a star marks what is required."""
    for field in msgspec.structs.fields(command):
        kind = type_of(command, field.encode_name)
        star = " *" if field.required else ""
        words = described(kind, language) if kind else text("message.type-json", language)
        yield field.encode_name + star, f"{field_label(command.type, field.name, language)} — {words}"


_LATER = msgspec.Raw | msgspec.UnsetType


class Fault(NamedTuple):
    """A field that is wrong: a JSON pointer to it, and what it takes; never what was given."""

    field: str
    text: str


def faults(struct: type[Struct], given: object, language: Language, under: str = "") -> list[Fault]:
    """Everything that is wrong with the fields of a struct at once; nothing where they can be read.

    ``under`` is the pointer to the struct itself.
    """
    if not isinstance(given, dict):
        return [Fault(under, described(types.type_info(struct), language, json=True))]
    declared = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    found = [
        Fault(under + pointer(own), _not_declared(own, declared, language)) for own in given if own not in declared
    ]
    for own, field in declared.items():
        kind = type_of(struct, own) or types.AnyType()
        if own not in given:
            if field.required:
                words = text("message.field-needed", language, "", takes=described(kind, language, json=True))
                found.append(Fault(under + pointer(own), words))
        elif (where := _wrong_in(field.type, given[own])) is not None:
            inner = type_of(struct, ".".join([own, *("[]" if part.isdigit() else part for part in where)])) or kind
            found.append(Fault(under + pointer(own, *where), described(inner, language, json=True)))
    return found


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _not_declared(own: str, declared: Iterable[str], language: Language) -> str:
    near = get_close_matches(own, declared, 3, 0.6) or list(declared)
    return text("message.field-unknown", language, "", near=", ".join(near) or "—")


def _wrong_in(kind: Any, value: object) -> tuple[str, ...] | None:
    """Where a value is not of a type, as a path into it; None where it is."""
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=understood(kind))
    except msgspec.ValidationError as error:
        path = path_in(str(error), numbered=True)
        return tuple(path.split(".")) if path else ()
    # What is read later is judged then.
    blank = None if kind == _LATER else next(blanks(value, "$"), None)
    return None if blank is None else tuple(re.findall(r"[^.\[\]$]+", blank))
