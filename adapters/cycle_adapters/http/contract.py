"""The contract: OpenAPI 3.1 out of the routes, the commands and the projections, and the schemas of events."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.openapi.utils import get_openapi

from cycle.aggregates.base import Command
from cycle.asyncapi import document
from cycle.catalogue import text
from cycle.commands import COMMANDS, FOUNDING, SELF_NAMED
from cycle.contracts import frozen
from cycle.examples import example
from cycle.reading import PlaceUnknown
from cycle_adapters.http.answering import FOR_A_YEAR
from cycle_adapters.http.bodies import Saying
from cycle_adapters.http.declaring import SHAPES, problems
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.saying import OF_A_FRAMEWORK, SAYABLE, TAG
from cycle_adapters.http.signing_in import IN_ADDRESS
from cycle_adapters.http.tidying import as_read, tidied

TEMPLATE = "#/components/schemas/{name}"
OF_FRAMEWORKS, OF_OTHERS = "/api/v1/frameworks/{identity}/commands/{command}", "/api/v1/commands/{command}"
SCHEMA_JSON = "application/schema+json"
NO_BODY = {"description": "The schema.", "content": {SCHEMA_JSON: {"schema": {"type": "object"}}}}
ABOUT = """The consultation cycle between a commune and its private sector: every command, every projection.

Answers carry `Cycle-Position`; `min_position` waits for one. `ETag` and `If-None-Match` spare what is known,
`If-Match` says on which version a command rests, `Idempotency-Key` makes it safe to send again."""


def contract_routes() -> APIRouter:
    """What anybody may read: the contract itself."""
    router = APIRouter()

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        return as_json(request.app.openapi())

    @router.get("/asyncapi.json", include_in_schema=False)
    def asyncapi(request: Request) -> Response:
        return as_json(document(request.app.state.feeds.address))

    declared = {200: NO_BODY, **problems(("not-found", "invalid"))}
    router.get(
        "/schemas/{type}/{version}",
        responses=declared,
        summary="What the data of an event holds",
        openapi_extra={"security": []},
    )(event_schema)
    return router


def event_schema(
    type: Annotated[str, Path(pattern="^[a-z-]{1,80}$")], version: Annotated[str, Path(pattern="^[0-9]{1,4}$")]
) -> Response:
    """What the data of events of a type and schema hold, as JSON Schema: the same for ever."""
    found = frozen().get((type, int(version)))
    if found is None:
        raise PlaceUnknown(type)
    return Response(found, 200, {"Cache-Control": FOR_A_YEAR}, SCHEMA_JSON)


def contract(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1: what FastAPI reads off the routes, with every command under its own address and all schemas."""
    if app.openapi_schema is None:
        found = get_openapi(
            title="cycle", version=app.version, openapi_version="3.1.0", description=ABOUT, routes=app.routes,
            servers=[{"url": "/"}],
        )  # fmt: skip
        paths = found["paths"]
        for pattern, names in ((OF_FRAMEWORKS, OF_A_FRAMEWORK), (OF_OTHERS, set(SAYABLE) - OF_A_FRAMEWORK)):
            generic = paths.pop(pattern)["post"]
            for name in (name for name in COMMANDS if name in names):
                paths[pattern.replace("{command}", name)] = {"post": _operation(generic, name)}
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas.clear()
        commands = [COMMANDS[name] for name in SAYABLE]
        schemas.update(msgspec.json.schema_components([*SHAPES, *commands], ref_template=TEMPLATE)[1])
        as_read({name: schemas[name] for name in msgspec.json.schema_components(commands)[1]})
        found["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "A token of a machine or a person."},
            "session": {"type": "apiKey", "in": "cookie", "name": "__Host-cycle", "description": "Signed in."},
            "calendar": {"type": "apiKey", "in": "query", "name": IN_ADDRESS, "description": "Good for this alone."},
        }
        found["security"] = [{"token": []}, {"session": []}]
        app.openapi_schema = tidied(found)
    return app.openapi_schema


def _operation(generic: dict[str, Any], name: str) -> dict[str, Any]:
    """What is said of one command."""
    command = COMMANDS[name]
    roles = ", ".join(command.roles)
    return {
        **generic,
        "summary": text(f"command.{name}", "en"),
        "description": f"{(command.__doc__ or '').strip()}\n\nRoles: {roles}.",
        "operationId": name,
        "tags": [command.__module__.rpartition(".")[2]],
        "parameters": [_header(each, command) for each in generic["parameters"] if each["name"] != "command"],
        "requestBody": {"required": True, "content": {"application/json": _body(command, name)}},
        "responses": _answers(generic["responses"], command),
    }


def _header(parameter: dict[str, Any], command: type[Command]) -> dict[str, Any]:
    """What is missing of these is refused in words of our own: FastAPI is not told that they are needed."""
    match parameter["name"]:
        case "Idempotency-Key":
            return {**parameter, "required": True}
        case "If-Match":
            return {**parameter, "required": command.binds, "schema": {"type": "string", "pattern": f"^{TAG.pattern}$"}}
    return parameter


def _answers(generic: dict[str, Any], command: type[Command]) -> dict[str, Any]:
    left_out = set() if command.binds else {"428"}
    left_out |= {"201"} if command.seconds else {"202"}
    return {status: answer for status, answer in generic.items() if status not in left_out}


def _body(command: type[Command], name: str) -> dict[str, Any]:
    """The body that a command is sent in: what is said with every command, and its own fields."""
    schema = msgspec.json.schema_components([Saying], ref_template=TEMPLATE)[1]["Saying"]
    as_read(schema)
    properties = {**schema["properties"], "data": {"$ref": f"#/components/schemas/{command.__name__}"}}
    required = list(schema["required"])
    if any(field.required for field in msgspec.structs.fields(command)):
        required.append("data")
    if name in OF_A_FRAMEWORK or name in SELF_NAMED or command in FOUNDING:
        del properties["target"]
    else:
        required.append("target")
        properties["target"] = {"type": "string", "pattern": properties["target"]["anyOf"][0]["pattern"]}
    sent = {"occurred_on": "2026-03-02", "data": example(command)}
    if "target" in properties:
        sent["target"] = "ML-4-01-01"
    body = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"schema": body, "example": sent}
