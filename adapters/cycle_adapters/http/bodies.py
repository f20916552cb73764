"""The body of a request: JSON of a measured length and depth, and what is said in it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from cycle.aggregates.base import Command, Role
from cycle.aggregates.terms import Reference
from cycle.catalogue import Language
from cycle.commands import COMMANDS, KEY, BadInput, read_command
from cycle.fields import Fault, faults
from cycle.shapes import understood
from cycle_adapters.http.limits import JSON_DEPTH
from cycle_adapters.http.parameters import MOST, NAME
from cycle_adapters.http.problems import Stopped, invalid

Key = Annotated[str, Meta(pattern=KEY, max_length=200)]
Target = Annotated[str, Meta(pattern=NAME, max_length=200)]
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)


class Saying(Struct, frozen=True, forbid_unknown_fields=True):
    """A command as it is sent: its own fields are ``data``; ``target`` is the id of what it is about."""

    occurred_on: date
    data: Raw | UnsetType = UNSET
    on_behalf_of: Reference | None = None
    role: Role | None = None
    late_record: bool = False
    correlation: Key | None = None
    target: Target | None = None


async def json_body(request: Request) -> bytes:
    """The bytes of a body that may be read as JSON.

    Raises:
        Stopped: it says that it is something else, is too long, or nested too deeply.
    """
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        raise Stopped("media-type")
    body = await request.body()
    if _deeper_than(body, JSON_DEPTH):
        raise bad_json()
    return body


Body = Annotated[bytes, Depends(json_body)]


def _deeper_than(body: bytes, most: int) -> bool:
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            return True
    return False


def bad_json() -> Stopped:
    return Stopped("bad-json", depth=JSON_DEPTH)


def said(name: str, body: bytes, language: Language) -> tuple[Saying, Command]:
    """A command, and what is said with it.

    Raises:
        Stopped: no JSON, or every field that is wrong.
    """
    with suppress(msgspec.MsgspecError, UnicodeError, BadInput, RecursionError):
        return _read(name, body)
    try:
        given = whole(msgspec.json.decode(body))
        written = msgspec.json.encode(given)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise bad_json() from error
    try:
        return _read(name, written)
    except (msgspec.MsgspecError, BadInput) as error:
        raise _wrong(name, given, language) from error


def _read(name: str, body: bytes) -> tuple[Saying, Command]:
    saying = msgspec.json.decode(body, type=understood(Saying))
    return saying, read_command(name, b"{}" if saying.data is UNSET else bytes(saying.data))


def whole(value: Any) -> Any:
    """JSON knows one kind of number: ``2.0`` is a whole one."""
    match value:
        case float() if value.is_integer() and abs(value) <= MOST:
            return int(value)
        case dict():
            return {key: whole(item) for key, item in value.items()}
        case list():
            return [whole(item) for item in value]
        case _:
            return value


def _wrong(name: str, given: Any, language: Language) -> Stopped:
    found = faults(Saying, given, language)
    if isinstance(given, dict):
        found += faults(COMMANDS[name], given.get("data", {}), language, "/data")
    return invalid(found or [Fault("/data", "JSON")], language)
