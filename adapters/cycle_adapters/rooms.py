"""The rooms that a server hands on from, put together: the only place that knows more than one of them."""

from __future__ import annotations

from cycle_adapters.http.rooms import Rooms
from cycle_adapters.jetstream.looking import fanned
from cycle_adapters.paper.calendar import calendar_ics
from cycle_adapters.paper.printing import printed
from cycle_adapters.paper.report import reported
from cycle_adapters.sealing.showing import Seals


def rooms_of(database: str) -> Rooms:
    """What there is beside a database."""
    return Rooms(Seals(database), printed, reported, calendar_ics, fanned)
