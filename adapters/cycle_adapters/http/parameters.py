"""Parameters of addresses: exactly what their schema says, no more and no less."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from cycle.contracts import TYPES
from cycle.history import Cutoffs
from cycle.timings.comparing import side
from cycle.timings.measuring import By
from cycle.timings.metrics import DURATIONS, IDS
from cycle.timings.pictures.all import PICTURES

MOST = 2**53 - 1
"""The largest position that every reader of JSON can hold."""
NAME = r"^[^\s\x00-\x1f\x7f\x85]{1,200}$"
"""An id, a key, the name of a thing: no blanks, nothing that steers, not for ever."""
PLACE = r"^[^\x00-\x1f\x7f]{1,200}$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_CURSOR = re.compile(r"([0-9a-f][0-9a-f]){1,300}")
_NUMBER = re.compile(r"\d{1,16}(\.0+)?", re.ASCII)
"""What JSON Schema calls an integer."""


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


def _whole(written: str) -> int:
    return int(written.partition(".")[0])


Day = Annotated[date, _exactly(_DAY, date.fromisoformat, "date")]
Moment = Annotated[datetime, _exactly(_MOMENT, _moment, "datetime")]
Position = Annotated[int, Field(ge=0, le=MOST), _exactly(_NUMBER, _whole, "int")]
Limit = Annotated[int, Field(ge=1, le=500), _exactly(_NUMBER, _whole, "int")]
ManyAtOnce = Annotated[int, Field(ge=1, le=1000), _exactly(_NUMBER, _whole, "int")]
Seconds = Annotated[int, Field(ge=0, le=30), _exactly(_NUMBER, _whole, "int")]


def position_or_day(value: Any) -> Any:
    """A position, or a day, as the cut-off that it is."""
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) and _whole(value) <= MOST:
        return Cutoffs(at=_whole(value))
    try:
        if _DAY.fullmatch(value):
            return Cutoffs(as_of=date.fromisoformat(value))
    except ValueError:
        pass
    raise PydanticCustomError("position", "not a {takes}", {"takes": "position"})


Instant = Annotated[
    Any,
    BeforeValidator(position_or_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "pattern": "^[0-9]{1,15}$"}]}),
]
"""Where a comparison begins or ends."""


def cursor_of(key: str | None) -> str | None:
    """A key as an opaque cursor."""
    return None if key is None else key.encode().hex()


def _key_of(cursor: Any) -> Any:
    if isinstance(cursor, str) and _CURSOR.fullmatch(cursor):
        # What nobody has given is a place between two keys like any other.
        return bytes.fromhex(cursor).decode(errors="replace").replace("\0", "")
    raise PydanticCustomError("cursor", "not a {takes}", {"takes": "cursor"})


Cursor = Annotated[
    str,
    BeforeValidator(_key_of),
    Query(description="`next` of the answer before."),
    WithJsonSchema({"type": "string", "pattern": f"^{_CURSOR.pattern}$"}),
]


def _one_of(known: Iterable[str], takes: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """One of some names, which the contract lists."""
    names = list(known)

    def checked(written: Any) -> Any:
        if written in names:
            return written
        raise PydanticCustomError(takes, "not a {takes}", {"takes": takes})

    return BeforeValidator(checked), WithJsonSchema({"enum": names, "type": "string"})


EventType = Annotated[str, *_one_of(TYPES, "event")]
MetricId = Annotated[str, *_one_of(IDS, "metric"), Path(description="The id of a metric.")]
DurationId = Annotated[str, *_one_of(DURATIONS, "duration"), Path(description="The id of a metric in days.")]
CohortsBy = Annotated[str, *_one_of(By, "by"), Query(description="What groups are made of.")]
MetricName = Annotated[str, *_one_of(IDS, "metric"), Query(description="The id of a metric.")]
Identity = Annotated[str, Path(pattern=NAME, description="The id of a framework, its end, or its commune's name.")]
Place = Annotated[str, Query(pattern=PLACE)]


MOST_SIDES = 10
"""What is compared at once."""


def _sides(written: Any) -> Any:
    if isinstance(written, list) and 2 <= len(written) <= MOST_SIDES:
        try:
            return [str(side(each)) for each in written]
        except ValueError:
            pass
    raise PydanticCustomError("side", "not a {takes}", {"takes": "side"})


Sides = Annotated[
    list[str],
    BeforeValidator(_sides),
    Query(description="A cohort, `region=Ségou`, or a period, `2024-01-01..2025-01-01`, its last day excluded."),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": MOST_SIDES}),
]
"""What is compared: each against the first."""


def moments(
    as_of: Annotated[Day | None, Query(description="What was held on this day.")] = None,
    known_at: Annotated[Moment | None, Query(description="What was recorded by then.")] = None,
    at: Annotated[Position | None, Query(description="What stood up to this position.")] = None,
) -> Cutoffs:
    """The three cut-offs that a query may name."""
    return Cutoffs(as_of, known_at, at)


Moments = Annotated[Cutoffs, Depends(moments)]
Lang = Annotated[str | None, Query(alias="lang", pattern="^(fr|en)$", description="The language of the words.")]
PictureId = Annotated[str, *_one_of(PICTURES, "picture"), Path(description="The id of a picture.")]
