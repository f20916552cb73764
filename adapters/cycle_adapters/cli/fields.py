"""The fields of a command as the command line takes and explains them, from their declared types."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from cycle import catalogue
from cycle.aggregates.base import Command
from cycle.catalogue import Language, field_label, text
from cycle.engine import BadInput, read_command
from cycle_adapters.cli.wording import Wrong, near

FREE_TEXT = 2000
"""The most characters of a ``terms.Text``, by which sentences are told from names."""
FORMS = {
    None: "text",
    r"\S": "text",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "code",
    r"^[^\s]+$": "word",
    r"^[0-9a-f]{64}$": "sha256",
    r"^[+(]?[0-9][0-9 ().-]*$": "telephone",
}
"""Patterns of declared texts, and how they are called."""
_HALF = re.compile(rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2})")
_BYTE = re.compile(r"\(byte (\d+)\)")


def type_of(command: type[Command], path: str) -> types.Type | None:
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


def takes_free_text(command: type[Command]) -> bool:
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


def described(kind: types.Type, language: Language) -> str:
    """A type in words: ``whole number, 0 to 100``; ``one of: cash, in-kind``."""

    def say(key: str, **values: object) -> str:
        return catalogue.template(f"message.type-{key}", language).format_map(values)

    match bare(kind):
        case types.StrType(max_length=most, pattern=pattern):
            return say(FORMS.get(pattern, "text")) + (say("at-most", most=most) if most else "")
        case types.IntType(ge=low, le=high):
            return say("int") + (say("between", low=low, high=high) if low is not None and high is not None else "")
        case types.DecimalType():
            return say("decimal")
        case types.DateType():
            return say("date")
        case types.BoolType():
            return say("bool")
        case types.EnumType(cls=cls):
            return say("one-of", values=", ".join(str(value.value) for value in cls))
        case types.VarTupleType(item_type=item):
            listed = isinstance(bare(item), types.StructType)
            return say("json-list" if listed else "list", item=described(item, language))
        case types.StructType(fields=fields):
            own = ", ".join(f.encode_name + ("" if f.required else "?") for f in fields)
            return say("struct", fields=own)
        case _:
            return say("json")


def gathered(command: type[Command], given: tuple[str, ...], data: str | None) -> dict[str, Any]:
    """The fields of ``--data`` with those of ``--set`` over them.

    Raises:
        Wrong: not JSON, no such field, not FIELD=VALUE, not of the declared type.
    """
    found = _from_file(data) if data is not None else {}
    for item in given:
        path, equals, value = item.partition("=")
        path = path.strip()
        if not equals or not path:
            raise Wrong("set-without-value", item=item)
        kind = type_of(command, path)
        if kind is None:
            raise _no_such_field(command, path)
        place = found
        *parents, last = path.split(".")
        for name in parents:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                raise Wrong("set-inside-value", item=item, name=name)
            place = inner
        place[last] = typed(value, kind, path)
    return found


def _from_file(data: str) -> dict[str, Any]:
    try:
        raw = sys.stdin.buffer.read() if data == "-" else Path(data).read_bytes()
    except OSError as error:
        raise Wrong("file-unreadable", path=data, why=error.strerror or "?") from error
    found = _decoded(raw, data)
    if not isinstance(found, dict):
        raise Wrong("not-fields", path=data)
    return found


def _no_such_field(command: type[Command], path: str) -> Wrong:
    parent, _, _ = path.rpartition(".")
    inside = type_of(command, parent) if parent else types.type_info(command)
    kind = bare(inside) if inside else None
    names = [f.encode_name for f in kind.fields] if isinstance(kind, types.StructType) else []
    if not names and inside is None:
        return _no_such_field(command, parent)
    full = [f"{parent}.{name}" if parent else name for name in names]
    return Wrong(
        "no-such-field",
        command=command.type,
        name=path,
        near=", ".join(near(path, full) or full) or f"cycle do {command.type} --help",
    )


def typed(value: str, kind: types.Type, path: str) -> Any:
    """A value as its declared type wants it: text stays text, lists are JSON or separated by commas.

    Raises:
        Wrong: JSON that cannot be read.
    """
    match bare(kind):
        case types.IntType():
            plain = value.replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
            return int(plain) if plain.lstrip("-").isdecimal() and plain.isascii() and len(plain) < 18 else value
        case types.DecimalType():
            return value.strip().replace(",", ".")
        case types.BoolType():
            words = {"true": True, "yes": True, "oui": True, "false": False, "no": False, "non": False}
            return words.get(value.strip().lower(), value)
        case types.VarTupleType(item_type=item):
            if value.lstrip()[:1] == "[":
                return _decoded(value.encode(errors="surrogateescape"), f"--set {path}")
            return [typed(part.strip(), item, path) for part in value.split(",") if part.strip()]
        case types.StructType() | types.DictType() | types.AnyType() | types.RawType():
            return _decoded(value.encode(), f"--set {path}") if value.lstrip()[:1] in ("{", "[", '"') else value
        case _:
            return value


def _decoded(raw: bytes, path: str) -> Any:
    """JSON, or what is wrong with it.

    Raises:
        Wrong: it breaks off, holds half a character, or is no JSON.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError) as error:
        if half := _HALF.search(raw):
            raise Wrong("half-character", path=path, half=half[0].decode()) from error
        if "truncated" in str(error):
            raise Wrong("not-whole", path=path) from error
        byte = _BYTE.search(str(error))
        raise Wrong("not-json", path=path, byte=int(byte[1]) + 1 if byte else None) from error


def said(name: str, command: type[Command], fields: dict[str, Any], language: Language) -> Command:
    """The command, or which field is wrong and what it takes.

    Raises:
        Wrong: a field is missing, unknown, or not of the declared type.
    """
    try:
        return read_command(name, msgspec.json.encode(fields))
    except UnicodeError as error:
        raise Wrong("not-utf8") from error
    except BadInput as error:
        missing = [f for f in msgspec.structs.fields(command) if f.required and f.encode_name not in fields]
        if missing:
            names = ", ".join(f"{f.encode_name} ({field_label(name, f.name, language)})" for f in missing)
            raise Wrong("field-missing", command=name, fields=names) from error
        path = _path(str(error))
        kind = type_of(command, path) if path else None
        if kind is None:
            unknown = [field for field in fields if type_of(command, field) is None]
            raise _no_such_field(command, unknown[0]) if unknown else Wrong("fields-unread", command=name) from error
        expected = described(kind, language)
        raise Wrong("field-wrong", name=path.replace(".[]", ""), expected=expected) from error


def _path(message: str) -> str:
    """``… - at `$.seats[0].person` `` -> ``seats.[].person``."""
    _, found, tail = message.rpartition(" - at `$.")
    return re.sub(r"\[(?:\d+|\.\.\.)\]", ".[]", tail.rstrip("`")) if found else ""


def rows(command: type[Command], language: Language) -> Iterator[tuple[str, str]]:
    """The fields of a command for its help; a star marks what is required."""
    for field in msgspec.structs.fields(command):
        kind = type_of(command, field.encode_name)
        star = " *" if field.required else ""
        words = described(kind, language) if kind else text("message.type-json", language)
        yield field.encode_name + star, f"{field_label(command.type, field.name, language)} — {words}"
