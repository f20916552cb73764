"""What events hold, for other systems: the JSON Schema of the ``data`` of each type and schema, frozen as a file.

A file is written once, when its type or schema is new (``make docs``), and never again: ``dataschema`` of an event
that was recorded points to it for ever. What says something else about ``data`` is a new schema, with an upcast.
Source: JSON Schema 2020-12.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from cycle.aggregates import acts
from cycle.aggregates.base import EVENTS, Event
from cycle.aggregates.personal import personal_fields
from cycle.commands import AGGREGATES

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "schemas"
_WHERE_EVENTS_ARE = (acts, AGGREGATES)
"""Importing these makes every type of event known."""
TYPES = tuple(sorted(EVENTS))
"""Every type of event that this release knows."""
NULL = {"type": "null"}
DECIMAL = r"^-?[0-9]+(\.[0-9]+)?(E[+-][0-9]+)?$"
"""How a number that is no whole one is written in a leaf."""


def name_of(type: str, schema: int) -> str:
    """How a frozen schema is called, here and in a bundle."""
    return f"{type}.v{schema}"


@cache
def frozen() -> Mapping[tuple[str, int], bytes]:
    """Every schema that was ever frozen, by type and number, as the bytes of its file."""
    found = {}
    for file in files("cycle").joinpath("schemas").iterdir():
        type, _, number = file.name.removesuffix(".json").rpartition(".v")
        found[type, int(number)] = file.read_bytes()
    return dict(sorted(found.items()))


def declared(event: type[Event]) -> Schema:
    """What the data of an event hold as it is declared now: these keys and no others, absent ones instead of null."""
    schema: Schema = json.loads(msgspec.json.encode(msgspec.json.schema(event)))
    for field in personal_fields(event):
        # Sealed: in a disclosure perhaps, in the data never.
        del schema["$defs"][event.__name__]["properties"][field]
    for part in parts(schema):
        _make_strict(part)
    identity = f"urn:cycle:schema:{event.type}:{event.schema}"
    return {"$schema": DIALECT, "$id": identity, "title": event.type, **schema}


def _make_strict(part: Schema) -> None:
    if "properties" in part:
        part["additionalProperties"] = False
    if NULL in part.get("anyOf", ()):
        part["anyOf"].remove(NULL)
        if len(part["anyOf"]) == 1:
            part.update(part.pop("anyOf")[0])
    if part.get("default", ...) is None:
        del part["default"]
    if part.get("format") == "decimal":
        # JSON Schema knows no such format: a strict reader refuses what he does not know.
        del part["format"]
        part["pattern"] = DECIMAL


def parts(value: Any) -> Iterator[Schema]:
    """A schema and all that stand in it."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from parts(item)


def meaning(schema: Any) -> Any:
    """A schema without the words that explain it: what may be said better later."""
    if isinstance(schema, dict):
        return {k: meaning(v) for k, v in schema.items() if not (k in ("title", "description") and isinstance(v, str))}
    return [meaning(item) for item in schema] if isinstance(schema, list) else schema


def freeze(folder: Path = FOLDER) -> list[str]:
    """Write the schemas that are new, and touch no other; returns their names."""
    folder.mkdir(exist_ok=True)
    new = []
    for event in EVENTS.values():
        path = folder / f"{name_of(event.type, event.schema)}.json"
        if not path.exists():
            path.write_text(json.dumps(declared(event), ensure_ascii=False, indent=1) + "\n", "utf-8")
            new.append(path.stem)
    return new
