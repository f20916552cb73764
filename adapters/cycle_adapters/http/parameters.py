"""Parameters of addresses: exactly what their schema says, no more and no less."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from cycle.history import Cutoffs

MOST = 2**53 - 1
"""The largest position that every reader of JSON can hold."""
NAME = r"^[^\s\x00-\x1f\x7f]{1,200}$"
"""An id, a key, the name of a thing: no blanks, nothing that steers, not for ever."""
KEY = r"^[\x21-\x7e]{1,200}$"
PLACE = r"^[^\x00-\x1f\x7f]{1,200}$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_NUMBER = re.compile(r"\d{1,16}", re.ASCII)


def _exactly(pattern: re.Pattern[str], made: Callable[[str], Any], takes: str) -> BeforeValidator:
    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if pattern.fullmatch(value):
            try:
                return made(value)
            except ValueError:
                pass
        raise PydanticCustomError(takes, "not a {takes}", {"takes": takes})

    return BeforeValidator(convert)


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"\.(\d{6})\d+", r".\1", written.upper()))


Day = Annotated[date, _exactly(_DAY, date.fromisoformat, "date")]
Moment = Annotated[datetime, _exactly(_MOMENT, _moment, "datetime")]
Position = Annotated[int, Field(ge=0, le=MOST), _exactly(_NUMBER, int, "int")]
Limit = Annotated[int, Field(ge=1, le=500), _exactly(_NUMBER, int, "int")]


def position_or_day(value: Any) -> Any:
    """A position, or a day, as the cut-off that it is."""
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) and int(value) <= MOST:
        return Cutoffs(at=int(value))
    try:
        if _DAY.fullmatch(value):
            return Cutoffs(as_of=date.fromisoformat(value))
    except ValueError:
        pass
    raise PydanticCustomError("position", "not a {takes}", {"takes": "position"})


Instant = Annotated[
    Any,
    BeforeValidator(position_or_day),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "integer", "minimum": 0, "maximum": MOST}]}
    ),
]
"""Where a comparison begins or ends."""


def cursor_of(key: str | None) -> str | None:
    """A key as an opaque cursor."""
    return None if key is None else urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key_of(cursor: Any) -> Any:
    try:
        key = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, TypeError):
        key = ""
    if not key.isprintable() or cursor_of(key) != cursor:
        raise PydanticCustomError("cursor", "not a {takes}", {"takes": "cursor"})
    return key


Cursor = Annotated[
    str, BeforeValidator(_key_of), Query(description="`next` of the answer before."),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,600}$"}),
]  # fmt: skip
Language_ = Query(pattern="^(fr|en)$", description="The language of the words: `fr`, `en`.")
Identity = Annotated[str, Path(pattern=NAME, description="The id of a framework, its end, or its commune's name.")]
Place = Annotated[str, Query(pattern=PLACE)]


def moments(
    as_of: Annotated[Day | None, Query(description="What was held on this day.")] = None,
    known_at: Annotated[Moment | None, Query(description="What was recorded by then.")] = None,
    at: Annotated[Position | None, Query(description="What stood up to this position.")] = None,
) -> Cutoffs:
    """The three cut-offs that a query may name."""
    return Cutoffs(as_of, known_at, at)


Moments = Annotated[Cutoffs, Depends(moments)]
Lang = Annotated[str | None, Query(alias="lang", pattern="^(fr|en)$", description="The language of the words.")]
