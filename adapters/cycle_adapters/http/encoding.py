"""JSON as every answer has it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

encoded = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode
JSON, PROBLEM = "application/json", "application/problem+json"


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None, media: str = JSON) -> Response:
    """A value as it is, for nobody to keep unless ``headers`` say otherwise."""
    return Response(encoded(value), status, {"Cache-Control": "no-store", **(headers or {})}, media)
