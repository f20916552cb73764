"""The contract is true: it names every route and no other, and its parts are what the code declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_origin

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from msgspec import inspect as types

from cycle.commands import COMMANDS, read_command
from cycle.engine import Engine
from cycle.examples import PATTERNS, example
from cycle.fields import bare
from cycle_adapters.http.app import OF_THE_API
from cycle_adapters.http.contract import OF_FRAMEWORKS, OF_OTHERS
from cycle_adapters.http.problems import OF_SIGNING_IN, PROBLEMS, URN
from cycle_adapters.http.saying import SAYABLE
from cycle_adapters.http.tidying import operations
from tests.http.town import API, served


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with Engine(f"sqlite:///{tmp_path_factory.mktemp('contract') / 'a.db'}") as engine, served(engine) as client:
        app = client.app
        assert isinstance(app, FastAPI)
        yield app


def test_every_route_stands_in_the_contract(app: FastAPI) -> None:
    routes = {API + r.path for made in OF_THE_API for r in made().routes if isinstance(r, APIRoute)}
    generic = {OF_FRAMEWORKS, OF_OTHERS}
    paths = set(app.openapi()["paths"])
    said = {p for name in SAYABLE for g in generic if (p := g.replace("{command}", name)) in paths}
    assert paths == routes - generic - {f"{API}/openapi.json", f"{API}/asyncapi.json"} | said
    assert len(said) == len(SAYABLE)


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    document = app.openapi()
    for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_the_contract_and_the_problems_name_each_other(app: FastAPI) -> None:
    named = set(re.findall(rf"{URN}([a-z-]+)", json.dumps(app.openapi())))
    # Whoever opens what is not in the contract is told so, too.
    assert set(PROBLEMS) - named == {"method-not-allowed", "said-elsewhere", *OF_SIGNING_IN}
    for operation in operations(app.openapi()):
        assert {"429", "500", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("name", SAYABLE)
def test_the_example_of_a_command_can_be_read(name: str) -> None:
    assert read_command(name, msgspec.json.encode(example(COMMANDS[name]))).type == name


@pytest.mark.parametrize("name", SAYABLE)
def test_no_part_of_a_command_drops_a_field_that_nobody_knows(name: str) -> None:
    for part in parts(types.type_info(COMMANDS[name])):
        declared = get_origin(part.cls) or part.cls
        assert declared.__struct_config__.forbid_unknown_fields, declared


def parts(kind: types.Type) -> Iterator[types.StructType]:
    match bare(kind):
        case types.StructType(fields=fields) as found:
            yield found
            for field in fields:
                yield from parts(field.type)
        case types.VarTupleType(item_type=item):
            yield from parts(item)


def test_what_the_log_cannot_hold_is_no_text_of_the_contract(app: FastAPI) -> None:
    pattern = app.openapi()["components"]["schemas"]["Suspend"]["properties"]["reason"]["pattern"]
    for good in ("a", "Fête\nau marché", " \u202fx ", "[]{}\\ ^$"):
        assert re.search(pattern, good)
    for bad in ("", " ", "\n\x85\x1c", "a\x00b", "\x00", "a\n\x00"):
        assert not re.search(pattern, bad)


def test_every_form_of_a_text_has_an_example() -> None:
    for pattern, text in PATTERNS.items():
        assert re.search(pattern, text)
