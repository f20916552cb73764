"""Parameters out of the forms of pages: a browser sends every field, and empty ones ask for nothing."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator

from cycle_adapters.http.parameters import PLACE, CohortsBy, Day, Moment, Place, Position

_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?", re.ASCII)


def unless_empty(written: Any) -> Any:
    """What a form sends for a field in which nothing is chosen asks for nothing."""
    return None if written == "" else written


def _in_utc(written: Any) -> Any:
    """A moment as a field of a form has it: without a zone, in UTC as the form says, and perhaps without seconds."""
    found = _LOCAL.fullmatch(written) if isinstance(written, str) else None
    return f"{found[1]}{found[2] or ':00'}Z" if found else unless_empty(written)


Chosen = Annotated[Place | None, BeforeValidator(unless_empty)]
ChosenBy = Annotated[CohortsBy | None, BeforeValidator(unless_empty)]
ChosenDay = Annotated[Day | None, BeforeValidator(unless_empty)]
ChosenMoment = Annotated[Moment | None, BeforeValidator(_in_utc)]
ChosenPosition = Annotated[Position | None, BeforeValidator(unless_empty)]
Group = Annotated[str, Query(pattern=PLACE, description="One of the groups that `by` makes.")]
About = Annotated[str, Query(pattern=PLACE, description="The stage, or the obstacle, that they are about.")]
