"""An OpenAPI document made smaller and stricter: nothing is said twice, and no name is one that tools stumble over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

_BLANK = re.compile(r"\[\^\\s(?!\\x00\\x1c)")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_NOT_BLANK = r"[^\s\x00\x1c-\x1f\x85]"
"""Not what Python's ``str.isspace`` names: ECMAScript leaves some of it out; nor NUL, which no log holds."""
_TEXT = rf"^[^\x00]*{_NOT_BLANK}[^\x00]*$"
Document = dict[str, Any]


def tidied(document: Document) -> Document:
    """The document with plain names of schemas, and shared answers and parameters under ``components``."""
    named = _with_plain_names(document)
    for operation in operations(named):
        operation["parameters"] = [_without_null(each) for each in operation.get("parameters", [])]
    _share(named)
    return named


def as_read(schemas: Document) -> None:
    """What is read in commands, exactly: a text holds more than blanks, and blanks are what Python calls so."""
    for schema in list(_parts(schemas)):
        if schema.get("format") == "decimal":
            del schema["type"], schema["format"]
            schema["anyOf"] = [{"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"}, {"type": "number"}]
        if schema.get("type") == "string" and not {"enum", "format", "pattern"} & set(schema):
            schema["pattern"] = _TEXT
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = _BLANK.sub(lambda _: _NOT_BLANK[:-1], schema["pattern"])


def _parts(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)


def operations(document: Document) -> Iterator[Document]:
    """Every operation of every path."""
    for path in document["paths"].values():
        yield from path.values()


def _with_plain_names(document: Document) -> Document:
    schemas = document["components"]["schemas"]
    plain = {name: _ODD.sub("_", name).strip("_") for name in schemas}
    assert len(set(plain.values())) == len(plain), "two schemas would be called the same"

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            found = value.get("$ref")
            if isinstance(found, str):
                return {**value, "$ref": f"#/components/schemas/{plain[found.removeprefix('#/components/schemas/')]}"}
            return {key: renamed(item) for key, item in value.items()}
        return [renamed(item) for item in value] if isinstance(value, list) else value

    found: Document = renamed(document)
    found["components"]["schemas"] = {plain[name]: found["components"]["schemas"][name] for name in schemas}
    return found


def _without_null(parameter: Document) -> Document:
    """A parameter that may be left out: an address holds no null."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    bare = {key: item for key, item in schema.items() if key not in ("anyOf", "title", "description")}
    return {**parameter, "schema": {**bare, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})}}


def _share(document: Document) -> None:
    """What several operations say alike is said once."""
    components = document["components"]
    for operation in operations(document):
        parameters, answers = operation["parameters"], operation["responses"]
        operation["parameters"] = [_shared(components, "parameters", each["name"], each) for each in parameters]
        operation["responses"] = {
            status: _shared(components, "responses", status, each) for status, each in answers.items()
        }


def _shared(components: Document, kind: str, name: str, value: Document) -> Document:
    """A reference to the value under ``components``: the first one of a name keeps it, others are numbered."""
    known = components.setdefault(kind, {})
    written = msgspec.json.encode(value, order="sorted")
    for number in range(1, len(known) + 2):
        own = name if number == 1 else f"{name}-{number}"
        if own not in known:
            known[own] = value
        if msgspec.json.encode(known[own], order="sorted") == written:
            return {"$ref": f"#/components/{kind}/{own}"}
    raise AssertionError("unreachable")
