"""Events of every declared type with whatever their fields may hold, and the same values as plain JSON."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from random import Random
from typing import Any

import msgspec
from msgspec import inspect
from rfc8785 import dumps

from cycle.aggregates.base import By, Event, LogName, Recorded, Role, StreamId
from cycle.aggregates.personal import without_personal
from cycle.aggregates.webhook import ENDPOINT
from cycle.store import RECORDED_AT_HOLE

PIECES = (
    *"aàéèêëïîôœùûüÿçÀÉŒ ɔɛɲŋƁƊƘƳ 0123456789-_/.,;:!?'’«»",
    *'"\\\b\t\n\f\r\x01\x1f\x7f\x80\x9f\u00a0\u00ad\u200b\u202e\u2028\u2029\u202f\ufeff\ufffd\uffff\ue000',
    *(
        "e\u0301",
        "\u0301",
        "\u1112\u1161",
        "ﬁ",
        "Å",
        "Ω",
        "ẞ",
        "ߒߞߏ",
        "مالي",
        "中",
        "\U00010000",
        "🧑🏿‍🌾",
        "\U0010ffff",
    ),
    *("\\u0000", "\\n", "</script>", '":null,"', RECORDED_AT_HOLE),
)
"""What people type, and what has broken other programs: controls, separators, pairs, marks, look-alikes."""
FORMS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": ("rice", "a", "0-0-a", "x" * 60),
    r"^[^\s]+$": ("recu-1", "é" * 120, "🧑🏿‍🌾", '"\\"'),
    r"^[0-9a-f]{64}$": ("0" * 64, "af09" * 16),
    r"^https?://[^\s]+$": ("https://id.example.org", "http://é.ml", 'https://a/?q="\\"'),
    ENDPOINT: ("https://receiver.example.org/", "http://[::1]:8080/a?b=c&d=%20", "https://a.ml:8443/" + "x" * 900),
    r"^[0-9]{1,3}/[1-9][0-9]{0,2}$": ("1/2", "999/999", "0/1"),
}
"""Texts that must have a form."""
SAFE = 2**53 - 1


kind_of = cache(inspect.type_info)
fields_of = cache(msgspec.structs.fields)


def words(chance: Random, shortest: int, longest: int) -> str:
    """In NFC as every text of a command is, and never blank."""
    many = chance.choice((0, 1, 3, 10, 10, 30)) if chance.random() < 0.99 else longest
    text = unicodedata.normalize("NFC", "".join(chance.choice(PIECES) for _ in range(many)))[:longest]
    return text if text.strip() or not shortest else "é"


def value(kind: inspect.Type, chance: Random) -> Any:
    """A value of a declared type."""
    match kind:
        case inspect.StrType(pattern=str() as pattern) if pattern in FORMS:
            return chance.choice(FORMS[pattern])
        case inspect.StrType():
            return words(chance, kind.min_length or 0, kind.max_length or 300)
        case inspect.BoolType():
            return chance.random() < 0.5
        case inspect.IntType():
            least, most = -SAFE if kind.ge is None else kind.ge, SAFE if kind.le is None else kind.le
            return chance.choice((least, most, min(max(0, least), most), chance.randint(least, most)))
        case inspect.DecimalType():
            return Decimal(chance.randint(-(10**15), 10**15)).scaleb(chance.randint(-20, 5))
        case inspect.DateType():
            return date.fromordinal(chance.randint(1, date.max.toordinal()))
        case inspect.EnumType(cls=names):
            return chance.choice(list(names))
        case inspect.NoneType():
            return None
        case inspect.RawType():
            return msgspec.Raw(dumps([words(chance, 0, 50), chance.randint(-SAFE, SAFE), {"b": True, "a": []}]))
        case inspect.UnionType(types=types):
            return value(chance.choice(types), chance)
        case inspect.VarTupleType(item_type=item):
            return tuple(value(item, chance) for _ in range(chance.choice((0, 1, 1, 2, 4))))
        case inspect.DictType(value_type=item):
            return {chance.choice(("b", "a", "Z", "_", "a-b", "a b", "")): value(item, chance) for _ in range(3)}
        case inspect.StructType(cls=struct, fields=fields):
            given = {f.name: value(f.type, chance) for f in fields if f.required or chance.random() < 0.7}
            return struct(**given)
        case _:
            raise TypeError(f"no value is known for {kind!r}: add one")


def event(kind: type[Event], chance: Random) -> Recorded[Event]:
    """A fact of a type, in an envelope that holds as much."""
    by = By(words(chance, 1, 80), chance.choice(list(Role)), chance.choice((None, words(chance, 1, 80))))
    data = without_personal(value(kind_of(kind), chance))
    return Recorded(
        by=by,
        causation=words(chance, 1, 80),
        command=words(chance, 1, 80),
        correlation=words(chance, 1, 80),
        data=data,
        id=words(chance, 1, 80),
        log=LogName(words(chance, 1, 80)),
        occurred_on=date.fromordinal(chance.randint(1, date.max.toordinal())),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randint(0, 10**15)),
        schema=kind.schema,
        stream=StreamId(f"framework-{words(chance, 1, 80)}"),
        type=kind.type,
        version=chance.randint(1, SAFE),
        sealed=chance.choice(((), ("data.reason",))),
    )


def plain(thing: Any) -> Any:
    """The same as what ``json`` knows, by our own reading of the rules and by no encoder's."""
    match thing:
        case Enum():
            return thing.value
        case bool() | int() | str():
            return thing
        case Decimal():
            return str(thing)
        case datetime():
            return f"{thing:%Y-%m-%dT%H:%M:%S}.{thing.microsecond:06}Z"
        case date():
            return f"{thing.year:04}-{thing.month:02}-{thing.day:02}"
        case msgspec.Raw():
            return json.loads(bytes(thing))
        case tuple():
            return [plain(item) for item in thing]
        case Mapping():
            return {key: plain(item) for key, item in thing.items()}
        case msgspec.Struct():
            return {f.name: plain(getattr(thing, f.name)) for f in fields_of(type(thing)) if said(thing, f)}
        case _:
            raise TypeError(f"no plain form is known for {thing!r}: add one")


def said(thing: msgspec.Struct, field: msgspec.structs.FieldInfo) -> bool:
    """An absent key means the default, and null is never written."""
    held = getattr(thing, field.name)
    if not thing.__struct_config__.omit_defaults:
        return True
    factory = field.default_factory
    default = field.default if factory is msgspec.NODEFAULT else factory()
    return not (type(held) is type(default) and held == default)
