"""What facts and things carry as attributes in a log for process mining, with what each of them means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from cycle.aggregates.base import EVENTS, Event
from cycle.catalogue import LANGUAGES
from cycle.exports.columns import Cell, Column, Kind, columns_of, kind_of
from cycle.exports.facts import TYPES
from cycle.exports.objects import Thing
from cycle.exports.people import points_at_somebody
from cycle.exports.still import Still
from cycle.forms.shown import label_of
from cycle.projections.all import PROJECTIONS

OF_EVERY_EVENT = (
    Column("recorded_at", Kind.MOMENT, "log.recorded_at", "utc", "ocel"),
    Column("sequence", Kind.TEXT, "log.position", "", "ocel"),
    Column("version", Kind.WHOLE, "log.version", "", "events"),
    Column("role", Kind.TEXT, "log.role", "", "events"),
    Column("corrected", Kind.FLAG, "log", "", "events"),
)
"""What every fact carries."""
_OWN = frozenset(column.name for column in OF_EVERY_EVENT)
WIDTH = 20
"""Positions are padded to so many digits, as the feed writes them: as texts, they sort as the log does."""


@cache
def of_event(type: str) -> tuple[Column, ...]:
    """What facts of a type carry beside: their fields that hold one value, and are no person."""
    event = EVENTS[type]
    hints = get_type_hints(event, include_extras=True)
    return tuple(_fields(event, hints))


def _fields(event: type[Event], hints: Mapping[str, Any]) -> Iterator[Column]:
    for field in event.__struct_fields__:
        kind = kind_of(hints[field])
        if kind is Kind.JSON or points_at_somebody(hints[field]):
            continue
        french, english = (label_of(event.type, field, language) for language in LANGUAGES)
        # Some fields are called as what every fact carries.
        name = f"data_{field}" if field in _OWN else field
        yield Column(name, kind, f"log.data.{field}", "", "", (french, english))


def values_of(event: Event) -> Iterator[tuple[str, Cell]]:
    """The attributes of a fact that are there."""
    for column in of_event(event.type):
        value = getattr(event, column.source.rpartition(".")[2])
        if value is not None:
            yield column.name, getattr(value, "value", value)


class Shape(NamedTuple):
    """Where the attributes of a type of thing come from: a projection, the fields that name the thing, the others."""

    projection: str
    identity: str
    columns: tuple[Column, ...]


def _shape(name: str, identity: str, *fields: str) -> Shape:
    columns = {column.name: column for column in columns_of(PROJECTIONS[name].row, name, f"projection {name}")}
    return Shape(name, identity, tuple(columns[field] for field in fields))


SHAPES: Mapping[Thing, Shape] = {
    Thing.COMMUNE: _shape("communes", "{0.code}", "name", "region", "circle"),
    Thing.ORGANISATION: _shape("organisations", "{0.organisation}", "name", "constituency", "form", "sector"),
    Thing.FRAMEWORK: _shape("frameworks", "{0.framework}", "title", "policy", "stage", "cycle"),
    Thing.CYCLE: _shape("cycle_interval", "{0.framework}/cycle-{0.cycle}", "cycle", "due_on"),
    Thing.PLAN: _shape(
        "plans", "{0.framework}/plan-{0.cycle}", "cycle", "plan_version", "starts_on", "ends_on", "agreed_on",
        "in_force",
    ),
    Thing.ACTION: _shape(
        "actions", "{0.framework}/{0.action}", "cycle", "description", "stage", "due_on", "percent", "settled_on"
    ),
    Thing.OBSTACLE: _shape(
        "obstacles", "{0.framework}/{0.obstacle}", "cycle", "description", "severity", "stage", "identified_on",
        "closed_on",
    ),
    Thing.MEETING: _shape("meetings", "{0.framework}/{0.meeting}", "cycle", "held_on", "place", "call", "stage"),
}  # fmt: skip
"""Every type of thing, as it is at the moment of the export."""


def things(at: Still) -> Iterator[tuple[Thing, str, list[Cell]]]:
    """Every thing that has attributes, with them in the order of its columns."""
    for thing, shape in SHAPES.items():
        for row in at.each_of(shape.projection):
            values = (getattr(row, column.name) for column in shape.columns)
            yield thing, shape.identity.format(row), [getattr(value, "value", value) for value in values]


def event_columns() -> Iterator[tuple[str, tuple[Column, ...]]]:
    """All that the facts of each type carry."""
    for type in sorted(TYPES):
        yield type, (*OF_EVERY_EVENT, *of_event(type))
