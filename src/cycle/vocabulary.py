"""What can happen, for whoever builds on it: every type of event with its words, its fields, an example of its data.

Out of the declarations and the frozen schemas; nothing is said here that they do not say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct
from msgspec import inspect as types

from cycle import __version__
from cycle.aggregates.base import EVENTS, Event
from cycle.aggregates.personal import personal_fields
from cycle.catalogue import LANGUAGES, Language, template
from cycle.cloudevents import SCHEMAS, type_of
from cycle.contracts import TYPES, frozen, name_of
from cycle.examples import example
from cycle.fields import bare, described
from cycle.forms.shown import label_of
from cycle.policy import Policy
from cycle.reading import plain

_PLACE = re.compile(r"\{[^{}]*\}")
_BY_NUMBER = re.compile(r"\{[\w.]+\|[^|{}]*\|([^|{}]*)\}")
APART = (Policy,)
"""Structs that have a page of their own in the docs: their parts are not told here."""


class FieldLine(Struct, frozen=True):
    """One field of the data: its name (``votes.present``, ``seats[].member``), what it takes, what it means."""

    name: str
    takes: str
    meaning: str
    required: bool


class TypeLine(Struct, frozen=True):
    """One type of event as a list has it. ``words``: its sentence, without what its data say."""

    type: str
    schema: int
    area: str
    words: str
    since: str


class TypePage(TypeLine, frozen=True, kw_only=True):
    """One type of event in full. ``schemas``: where each of its schemas is read, by number."""

    sent_as: str
    french: str
    english: str
    fields: tuple[FieldLine, ...]
    example: dict[str, Any]
    schemas: dict[str, str]


def lines(language: Language, wanted: str = "", area: str = "") -> list[TypeLine]:
    """Every type of event in the order of names: of an area, with all these words in its name or its sentence."""
    asked = [plain(word) for word in wanted.split()]
    found = (name for name in TYPES if area in ("", area_of(name)) and all(word in _said(name) for word in asked))
    return [line_of(name, language) for name in found]


def line_of(name: str, language: Language) -> TypeLine:
    event = EVENTS[name]
    return TypeLine(name, event.schema, area_of(name), words_of(name, language), since(name, event.schema))


def page_of(name: str, language: Language) -> TypePage:
    """Raises:
    KeyError: there is no such type.
    """
    event, line = EVENTS[name], line_of(name, language)
    return TypePage(
        line.type, line.schema, line.area, line.words, line.since,
        sent_as=type_of(name, event.schema),
        french=words_of(name, "fr"),
        english=words_of(name, "en"),
        fields=tuple(fields_of(event, language)),
        example=example(event),
        schemas={str(number): f"{SCHEMAS}/{kind}/{number}" for kind, number in frozen() if kind == name},
    )  # fmt: skip


def areas() -> list[str]:
    """What the types of events belong to, in the order of their names."""
    return sorted({area_of(name) for name in TYPES})


def area_of(name: str) -> str:
    """The part of the domain that an event is declared in."""
    return EVENTS[name].__module__.rpartition(".")[2]


@cache
def words_of(name: str, language: Language) -> str:
    """The sentence of a type of event, with dots where its data would stand."""
    words = template(f"event.{name}", language)
    words = _BY_NUMBER.sub(r"\1", words).replace("[", "").replace("]", "")
    found = _PLACE.sub("…", words)
    return found[:1].upper() + found[1:]


@cache
def _said(name: str) -> str:
    """All that one may look for a type by."""
    return plain(" ".join([name, *(words_of(name, language) for language in LANGUAGES)]))


def since(name: str, schema: int) -> str:
    """The release with which a schema of a type came; the next one where it is not released yet."""
    return _releases().get(name_of(name, schema), __version__)


@cache
def _releases() -> Mapping[str, str]:
    found: dict[str, str] = json.loads(files("cycle").joinpath("releases.json").read_bytes())
    return found


def fields_of(event: type[Event], language: Language) -> Iterator[FieldLine]:
    """The fields of the data; what is personal stands in none."""
    info = types.type_info(event)
    assert isinstance(info, types.StructType)
    kept = [field for field in info.fields if field.name not in personal_fields(event)]
    yield from _lines(event.type, kept, "", language)


def _lines(name: str, fields: Iterable[types.Field], under: str, language: Language) -> Iterator[FieldLine]:
    for field in fields:
        path = under + field.encode_name
        kind = bare(field.type)
        takes = described(field.type, language, json=True)
        yield FieldLine(path, takes, label_of(name, path.replace("[]", ""), language), field.required)
        inner = bare(kind.item_type) if isinstance(kind, types.VarTupleType) else kind
        if isinstance(inner, types.StructType) and inner.cls not in APART:
            end = "[]." if isinstance(kind, types.VarTupleType) else "."
            yield from _lines(name, inner.fields, path + end, language)
