"""An event as the world outside is told of it: CloudEvents 1.0, made from the leaf without reading its data.

The data go through as the bytes that they are in the leaf, digests of sealed fields stay behind, and what was
sealed was never there. Source: CloudEvents 1.0.2; its extensions partitioning and sequence.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta, Raw, Struct

SCHEMAS = "/api/v1/schemas"
_PREFIX = "org.cycle."
_WIDTH = 20


class CloudEvent(Struct, frozen=True, gc=False):
    """One event. ``globalposition`` is the cursor."""

    id: str
    source: str
    type: str
    subject: str
    time: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    occurredon: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    sequence: str
    partitionkey: str
    globalposition: str
    correlationid: str
    causationid: str
    dataschema: str
    data: Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
    specversion: str = "1.0"


class _Leaf(Struct, frozen=True, gc=False):
    """What an envelope needs of a leaf."""

    causation: str
    correlation: str
    data: Raw
    id: str
    occurred_on: str
    recorded_at: str
    schema: int
    stream: str
    type: str
    version: int


_leaf = msgspec.json.Decoder(_Leaf).decode
REMEMBERED = 10_000
"""Streams whose address is kept at hand."""


class Envelopes:
    """Puts events into envelopes.

    Args:
        address: where the schemas of data are read, such as ``https://cycle.example.ml``. The same for ever:
            ``dataschema`` is by what a consumer knows what it has seen before.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._kinds: dict[tuple[str, int], tuple[str, str]] = {}
        self._sources: dict[str, str] = {}

    def envelope(self, position: int, leaf: bytes) -> CloudEvent:
        """The event whose leaf stands at a global position."""
        found = _leaf(leaf)
        stream = found.stream
        kind = self._kinds.get((found.type, found.schema)) or self._kind(found.type, found.schema)
        return CloudEvent(
            found.id,
            self._sources.get(stream) or self._source(stream),
            kind[0],
            stream,
            found.recorded_at,
            found.occurred_on,
            "%020d" % found.version,  # noqa: UP031 - half the time of a format
            stream,
            "%020d" % position,  # noqa: UP031
            found.correlation,
            found.causation,
            kind[1],
            found.data,
        )

    def _kind(self, type: str, schema: int) -> tuple[str, str]:
        """How the type is called outside, and where its schema is."""
        said = type_of(type, schema), f"{self._address}{SCHEMAS}/{type}/{schema}"
        self._kinds[type, schema] = said
        return said

    def _source(self, stream: str) -> str:
        if len(self._sources) >= REMEMBERED:
            self._sources.clear()
        said = self._sources[stream] = source_of(stream)
        return said


def kind_of(event: CloudEvent) -> tuple[str, int]:
    """The type and schema of an event: what ``type_of`` was made from."""
    type, _, schema = event.type.removeprefix(_PREFIX).rpartition(".v")
    return type, int(schema)


def type_of(type: str, schema: int) -> str:
    """``plan-agreed``, 1 -> ``org.cycle.plan-agreed.v1``."""
    return f"{_PREFIX}{type}.v{schema}"


def source_of(stream: str) -> str:
    """The URI reference of a stream: references of people may hold what no address may."""
    return f"/streams/{quote(stream, safe='')}"


def padded(position: int) -> str:
    """A position as ``globalposition`` has it: as texts, they sort as the log does."""
    return str(position).zfill(_WIDTH)
