"""What a route declares of its answers: shapes by their types, problems by their codes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from cycle.projections.all import PROJECTIONS
from cycle_adapters.http.problems import PROBLEMS, URN, ProblemDetails

Declared = dict[int | str, dict[str, Any]]
SHAPES: list[Any] = [ProblemDetails]
"""Every type that some answer has, for the schemas of the contract."""
EVERYWHERE = ("too-many-requests", "unexpected", "damaged-log", "unavailable")
PROBLEMS_OF_READING = (
    "sign-in-needed", "forbidden", "out-of-scope", "not-found", "ambiguous", "invalid", "not-there-yet",
)  # fmt: skip
PROBLEMS_OF_SAYING = (
    "bad-json", "idempotency-key-missing", "sign-in-needed", "forbidden", "out-of-scope", "cross-origin", "not-found",
    "ambiguous", "conflict", "key-reused", "version-moved", "too-large", "media-type", "invalid", "refused",
)  # fmt: skip
_text = {"schema": {"type": "string"}}
ANSWER_HEADERS = {
    "Cycle-Position": {"description": "The position of the log that the answer reflects.", **_text},
    "ETag": {"description": "Its version, for `If-None-Match` and `If-Match`.", **_text},
}


def ref(shape: Any) -> dict[str, Any]:
    """A reference to the schema of a type."""
    if shape not in SHAPES:
        SHAPES.append(shape)
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def answer(shape: Any, description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """One answer with a body, of a shape or one of several."""
    schema = {"oneOf": [ref(each) for each in shape]} if isinstance(shape, tuple) else ref(shape)
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content, "headers": headers or {}}


def problems(codes: Iterable[str]) -> Declared:
    """The answers that these problems are, by status."""
    by_status: dict[int, list[str]] = {}
    for code in (*codes, *EVERYWHERE):
        by_status.setdefault(PROBLEMS[code], []).append(code)
    return {status: _problem(status, codes) for status, codes in sorted(by_status.items())}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ref(ProblemDetails)}}
    words = f"{HTTPStatus(status).phrase}: " + ", ".join(f"`{URN}{code}`" for code in codes)
    return {"description": words, "content": content}


def shaped(shape: Any, codes: Iterable[str], *, unchanged: bool = False) -> Declared:
    """What a question is answered with."""
    found = {200: answer(shape, "What was asked for.", ANSWER_HEADERS), **problems(codes)}
    if unchanged:
        found[304] = {"description": "Nothing has changed since.", "headers": ANSWER_HEADERS}
    return found


def filed(media: str, description: str, codes: Iterable[str], *, unchanged: bool = False) -> Declared:
    """What a question is answered with whose answer is a file."""
    content = {media: {"schema": {"type": "string"}}}
    found: Declared = {200: {"description": description, "content": content}, **problems(codes)}
    if unchanged:
        found[304] = {"description": "Nothing has changed since.", "headers": ANSWER_HEADERS}
    return found


@cache
def page_of(projection: str) -> type[Struct]:
    """A page of rows; ``next`` is where to go on, and null at the end."""
    row: Any = PROJECTIONS[projection].row
    fields: list[tuple[str, Any]] = [("items", tuple[row, ...]), ("next", str | None)]
    return msgspec.defstruct(f"{row.__name__}Page", fields, module=__name__, frozen=True)
