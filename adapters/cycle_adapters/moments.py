"""Days and moments as people type them, whichever room a verb comes from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click


class Day(click.ParamType[date]):
    """A day as ISO 8601 writes it."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day", param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment in UTC as RFC 3339 writes it; a day alone means its end."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(f"{value}T23:59:59.999999Z" if len(value) == 10 else value)
        except ValueError:
            self.fail(f"{value!r} is not a moment", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} is not a moment: it names no time zone", param, ctx)
        return moment


DAY = Day()
MOMENT = Moment()
