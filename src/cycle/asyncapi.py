"""The feeds as AsyncAPI 3.0 describes them, out of the frozen schemas and the declarations of the feed.

Source: AsyncAPI 3.0.0. Its schemas know no ``$defs``, so that each part of an event's data is a schema of its own.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cycle import __version__
from cycle.cloudevents import CloudEvent, type_of
from cycle.contracts import Schema, frozen, name_of
from cycle.fanout.subjects import NONE, PREFIX, STREAM
from cycle.feed import Events, Marks

SCHEMAS = "#/components/schemas/"
MESSAGES = "#/components/messages/"
JSON, CLOUD_EVENT = "application/json", "application/cloudevents+json"
ABOUT = """Every event of the log, in its order, for whoever may read it. The cursor is the global position:
`globalposition` of an event, `next` of a batch, the id of a streamed message, the sequence in the stream of NATS."""
CLOSED: Schema = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "text": {"type": "string"}},
    "required": ["reason", "text"],
    "additionalProperties": False,
}
NATS = {
    "host": "{nats}",
    "protocol": "nats",
    "description": "NATS JetStream, where the operator hands events on to it.",
    "variables": {"nats": {"default": "127.0.0.1:4222", "description": "Told by whoever runs it."}},
}
SUBJECT = "{region}.{circle}.{commune}.{type}"
HANDED_ON = f"The stream {STREAM} of JetStream; the sequence of a message is the global position of its event."
PARAMETERS = {
    "region": {"description": f"The region as a slug; {NONE} where there is none.", "examples": ["segou", NONE]},
    "circle": {"description": f"The circle as a slug; {NONE} where there is none.", "examples": ["macina", NONE]},
    "commune": {"description": f"The commune's code, small; {NONE}: the platform.", "examples": ["ml-4-01-03", NONE]},
    "type": {"description": "The type, without its schema.", "examples": ["plan-agreed"]},
}


def document(address: str) -> dict[str, Any]:
    """The description of the feeds of a server that others call by this address."""
    where = urlsplit(address)
    messages = {**_of_events(), **_of_feeds()}
    events = [name for name in messages if ".v" in name]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "cycle", "version": __version__, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": JSON,
        "servers": {
            "api": {
                "host": where.netloc,
                "protocol": where.scheme,
                "pathname": f"{where.path.rstrip('/')}/api/v1",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            },
            "nats": NATS,
        },
        "channels": {
            "events": _channel("/events", "Pages of the log.", ["batch"]),
            "stream": _channel("/events/stream", "Server-Sent Events.", [*events, "checkpoint", "caught-up", "closed"]),
            "subjects": _channel(f"{PREFIX}.{SUBJECT}", HANDED_ON, events, "nats") | {"parameters": PARAMETERS},
        },
        "operations": {
            "answerBatch": _operation("events", "Answers with a stretch of the log."),
            "sendEvents": _operation("stream", "Sends each event, and between them how far it has come."),
            "publishEvents": _operation("subjects", "Publishes each event, where NATS is named."),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "messages": messages,
            "schemas": {**_data_schemas(), **_feed_schemas(), "Closed": CLOSED},
        },
    }


def _channel(address: str, summary: str, messages: list[str], server: str = "api") -> dict[str, Any]:
    refs = {name: {"$ref": f"{MESSAGES}{name}"} for name in messages}
    servers = [{"$ref": f"#/servers/{server}"}]
    return {"address": address, "summary": summary, "servers": servers, "messages": refs}


def _operation(channel: str, summary: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _of_events() -> dict[str, Any]:
    """One message for each type and schema: the envelope, with what is its own."""
    found = {}
    for type, schema in frozen():
        name = name_of(type, schema)
        own = {"type": {"const": type_of(type, schema)}, "data": {"$ref": SCHEMAS + name}}
        payload = {"allOf": [{"$ref": f"{SCHEMAS}CloudEvent"}, {"type": "object", "properties": own}]}
        found[name] = {"name": type_of(type, schema), "contentType": CLOUD_EVENT, "payload": payload}
    return found


def _of_feeds() -> dict[str, Any]:
    shapes = {"batch": "Events", "checkpoint": "Marks", "caught-up": "Marks", "closed": "Closed"}
    return {
        name: {"name": name, "contentType": JSON, "payload": {"$ref": SCHEMAS + shape}}
        for name, shape in shapes.items()
    }


def _feed_schemas() -> dict[str, Any]:
    return dict(msgspec.json.schema_components([Events, Marks, CloudEvent], ref_template=SCHEMAS + "{name}")[1])


def _data_schemas() -> dict[str, Any]:
    """The data of each type and schema, and their parts, by names of their own."""
    found: dict[str, Any] = {}
    for kind, written in frozen().items():
        name, schema = name_of(*kind), json.loads(written)
        root = schema["$ref"].rpartition("/")[2]
        for part, said in schema["$defs"].items():
            found[name if part == root else f"{name}.{part}"] = _renamed(said, name, root)
    return found


def _renamed(value: Any, name: str, root: str) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            part = value["$ref"].rpartition("/")[2]
            return {**value, "$ref": SCHEMAS + (name if part == root else f"{name}.{part}")}
        return {key: _renamed(item, name, root) for key, item in value.items()}
    return [_renamed(item, name, root) for item in value] if isinstance(value, list) else value
