"""The fields of a command as the command line takes and explains them, from their declared types."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from cycle.aggregates.base import Command
from cycle.catalogue import Language, field_label
from cycle.engine import BadInput, read_command
from cycle.fields import bare, described, path_in, scalar, type_of
from cycle_adapters.cli.wording import Wrong, near

_HALF = re.compile(rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2})")
_BYTE = re.compile(r"\(byte (\d+)\)")


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
        case types.VarTupleType(item_type=item):
            if value.lstrip()[:1] == "[":
                return _decoded(value.encode(errors="surrogateescape"), f"--set {path}")
            return [typed(part.strip(), item, path) for part in value.split(",") if part.strip()]
        case types.StructType() | types.DictType() | types.AnyType() | types.RawType():
            return _decoded(value.encode(), f"--set {path}") if value.lstrip()[:1] in ("{", "[", '"') else value
        case _:
            return scalar(value, kind)


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
        path = path_in(str(error))
        kind = type_of(command, path) if path else None
        if kind is None:
            unknown = [field for field in fields if type_of(command, field) is None]
            raise _no_such_field(command, unknown[0]) if unknown else Wrong("fields-unread", command=name) from error
        expected = described(kind, language)
        raise Wrong("field-wrong", name=path.replace(".[]", ""), expected=expected) from error
