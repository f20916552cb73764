"""Corrections: one way to set an earlier fact of the same stream right, for every aggregate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from cycle.aggregates.base import (
    Command,
    Event,
    Finding,
    Happened,
    Recorded,
    Value,
    day_has_come,
    days_hold,
    demand,
    refusal,
)
from cycle.aggregates.standing import held
from cycle.aggregates.terms import Name, Text
from cycle.leaf import canonical
from cycle.shapes import understood

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

NO_VALUE: Final = msgspec.UNSET
"""Stands for an absent value: an encoder leaves it out."""


class Change(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field set right: canonical JSON of what was recorded and of what holds (absent: no value)."""

    field: Name
    was: msgspec.Raw | msgspec.UnsetType = NO_VALUE
    now: msgspec.Raw | msgspec.UnsetType = NO_VALUE


class FactCorrected(Event):
    """Sets right an earlier fact of the same stream; the wrong fact stays visible.

    ``fact_version`` is that fact's version in the stream; ``occurred_on`` is a field too.
    """

    fact: str
    fact_version: int
    fact_type: str
    changes: tuple[Change, ...]
    reason: Text


class Correction(Command):
    """Set fields of an earlier fact right; the wrong fact stays visible."""

    fact_version: int
    changes: Mapping[str, msgspec.Raw]
    reason: Text


S = TypeVar("S")
Holds = Callable[[Recorded[Event], Recorded[Event]], Iterable[Finding]]
"""What must hold for a fact (as it was believed, as it is to be), whether it is recorded or corrected."""
Follows = Callable[[Event, Event], Event]
"""The corrected fact with all that follows from its fields inside itself."""


def stays_visible(state: S, recorded: Happened[FactCorrected]) -> S:
    """A correction stands in the fact that it corrects, and changes nothing in its own place."""
    return state


def corrected(
    command: Correction,
    known: Known,
    holds: Holds = lambda before, after: (),
    follows: Follows = lambda before, after: after,
) -> FactCorrected:
    """The correction of a fact; ``holds`` and ``follows`` are what its aggregate adds.

    Raises:
        Refused: it changes nothing, or something that is not to be changed, or to what cannot be.
    """
    fact = next((fact for fact in known.history if fact.version == command.fact_version), None)
    if fact is None:
        raise refusal("no-such-fact", version=command.fact_version)
    # A wrong correction is set right by correcting the fact itself once more.
    allowed = frozenset() if isinstance(fact.data, FactCorrected) else fact.data.correctable | {"occurred_on"}
    wrong = tuple(sorted(set(command.changes) - allowed))
    fields: dict[str, Value] = {"fields": wrong or ("—",), "allowed": tuple(sorted(allowed)) or ("—",)}
    demand(
        Finding("not-correctable", not wrong, values=fields),
        Finding("nothing-corrected", bool(command.changes)),
    )
    try:
        wished = (Change(field, now=_raw(msgspec.json.decode(raw))) for field, raw in command.changes.items())
        right = applied(fact, wished)
    except msgspec.DecodeError as error:
        raise refusal("correction-does-not-fit", error=str(error)) from error
    demand(
        Finding("nothing-corrected", bool(_differ(fact, right))),
        *day_has_come(right.occurred_on, known.today),
        *days_hold(right.data, right.occurred_on),
        *holds(fact, right),
    )
    right = replace(right, data=follows(fact.data, right.data))
    demand(*_order_holds(known.history, fact, right))
    was, now, differ = fields_of(fact), fields_of(right), _differ(fact, right)
    changes = tuple(Change(field, _raw(was.get(field)), _raw(now.get(field))) for field in sorted(differ))
    return FactCorrected(fact.id, fact.version, fact.type, changes, command.reason)


def _differ(fact: Recorded[Event], right: Recorded[Event]) -> frozenset[str]:
    """Fields whose value is another one: 1.50 for 1.5 is no correction."""
    was, now = asdict(fact.data), asdict(right.data)
    moved = ("occurred_on",) if fact.occurred_on != right.occurred_on else ()
    return frozenset(field for field in was if was[field] != now[field]).union(moved)


def _order_holds(
    history: Sequence[Recorded[Event]], fact: Recorded[Event], right: Recorded[Event]
) -> Iterable[Finding]:
    """No fact comes to lie before one on which it stands, unless it lay there as a late record already."""
    if right.occurred_on == fact.occurred_on:
        return
    after = [right if each.version == fact.version else each for each in history]
    for each, before, now in zip(after, held(history), held(after), strict=True):
        if now.after is not None and before.after is None:
            values: dict[str, Value] = {
                "fact": each.version,
                "type": each.type,
                "on": each.occurred_on.isoformat(),
                "other": now.after.version,
                "other_type": now.after.type,
                "since": now.since.isoformat(),
            }
            yield Finding("before-what-it-stands-on", values=values)


def fields_of(fact: Recorded[Event]) -> dict[str, object]:
    """The fields of a fact as its leaf holds them, and its date."""
    fields = msgspec.json.decode(canonical(fact.data), type=dict[str, object])
    return {**fields, "occurred_on": fact.occurred_on.isoformat()}


def _raw(value: object) -> msgspec.Raw | msgspec.UnsetType:
    return NO_VALUE if value is None else msgspec.Raw(canonical(value))


def applied(fact: Recorded[Event], changes: Iterable[Change]) -> Recorded[Event]:
    """A fact with changes set.

    Raises:
        msgspec.ValidationError: the result is not a fact of this type.
    """
    fields = fields_of(fact)
    for change in changes:
        if change.now is NO_VALUE:
            fields.pop(change.field, None)
        else:
            fields[change.field] = msgspec.json.decode(change.now)
    occurred_on = msgspec.convert(fields.pop("occurred_on", None), date)
    return replace(fact, data=msgspec.convert(fields, understood(type(fact.data))), occurred_on=occurred_on)
