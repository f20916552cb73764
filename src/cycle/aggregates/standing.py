"""What a fact stands on, and from which day it is therefore held.

A fact stands on the first fact of its stream; on the first fact that named each thing it names (a
member, need, meeting, action, promise, obstacle or cycle); and, where there is only one of something
(the stage, the meeting, the committee, the mandate, the deliberation: ``Event.strands``), on the fact
before it about that. A correction stands on the fact that it corrects. See docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from cycle.aggregates.base import Event, Recorded, StreamId
from cycle.aggregates.terms import ActionId, ContributionId, MeetingId, MemberId, NeedId, ObstacleId

IDS = (MemberId, NeedId, MeetingId, ActionId, ContributionId, ObstacleId)
Names = Callable[[Any], Iterable[str]]
"""The things that a value of one type names."""


def named(said: Struct) -> Iterator[str]:
    """The things that a fact names, by their ids: ``A-1``, ``MB-2``, ``cycle-3``."""
    for field, names in _naming(type(said)):
        value = getattr(said, field)
        if value is not None:
            yield from names(value)


@cache
def _naming(struct: type[Struct]) -> tuple[tuple[str, Names], ...]:
    """The fields of a struct that name things."""
    hints = get_type_hints(struct, include_extras=True)
    found = ((field, _names(field, hints[field])) for field in struct.__struct_fields__)
    return tuple((field, names) for field, names in found if names is not None)


def _names(field: str, hint: Any) -> Names | None:
    if hint in IDS:
        return lambda value: (value,)
    if field == "cycle":
        return lambda value: (f"cycle-{value}",)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return named if _naming(hint) else None
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return next(filter(None, (_names(field, part) for part in args)), None)
    if origin is tuple and (inner := _names("", args[0])) is not None:
        return lambda value: (name for item in value for name in inner(item))
    return None


class Held(NamedTuple):
    """From which day a fact is held, and the fact that holds it back until then (None: none does)."""

    since: date
    after: Recorded[Event] | None


class _Stream:
    """What has been recorded in one stream, each with the day from which it is held."""

    def __init__(self) -> None:
        self.facts: list[tuple[date, Recorded[Event]]] = []
        self.things: dict[str, tuple[date, Recorded[Event]]] = {}
        self.strands: dict[str, tuple[date, Recorded[Event]]] = {}

    def hold(self, recorded: Recorded[Event]) -> Held:
        fact, names = recorded.data, tuple(named(recorded.data))
        grounds = [self.facts[0]] if self.facts else []
        grounds += [self.things[name] for name in names if name in self.things]
        grounds += [self.strands[strand] for strand in fact.strands if strand in self.strands]
        corrects: int | None = getattr(fact, "fact_version", None)
        if corrects is not None and corrects <= len(self.facts):
            grounds.append(self.facts[corrects - 1])
        day, after = max(grounds, key=lambda ground: ground[0], default=(date.min, None))
        since = max(day, recorded.occurred_on)
        self.facts.append((since, recorded))
        for name in names:
            self.things.setdefault(name, (since, recorded))
        for strand in fact.strands:
            self.strands[strand] = since, recorded
        return Held(since, after if day > recorded.occurred_on else None)


def held(history: Sequence[Recorded[Event]]) -> list[Held]:
    """For each fact of a (believed) history in recorded order, from which day on it is held.

    Several streams may be mixed, each from its beginning.
    """
    streams: dict[StreamId, _Stream] = {}
    return [streams.setdefault(recorded.stream, _Stream()).hold(recorded) for recorded in history]
