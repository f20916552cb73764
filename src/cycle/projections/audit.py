"""The audit trail: every fact in order, with who, when it happened and when it was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from msgspec import Struct

from cycle.aggregates.base import Role
from cycle.aggregates.corrections import NO_VALUE, FactCorrected
from cycle.commands import AGGREGATES
from cycle.history import Fact
from cycle.projections.base import Projection, Row


class Correction(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field before and after a correction, as JSON."""

    field: str
    was: msgspec.Raw | msgspec.UnsetType = NO_VALUE
    now: msgspec.Raw | msgspec.UnsetType = NO_VALUE


class AuditRow(Row):
    position: int
    stream: str
    version: int
    event: str
    type: str
    occurred_on: date
    recorded_at: datetime
    actor: str
    role: Role
    command: str
    causation: str
    on_behalf_of: str | None = None
    corrects: int | None = None
    changes: tuple[Correction, ...] = ()
    projection = "audit_trail"


audit_trail = Projection(AuditRow, appends=True)


def _position(fact: Fact) -> Iterable[tuple[str, None]]:
    return ((f"{fact.position:012}", None),)


def recorded(row: AuditRow | None, fact: Fact, part: None) -> AuditRow | None:
    event = fact.recorded
    corrects: int | None = None
    changes: tuple[Correction, ...] = ()
    if type(event.data) is FactCorrected:
        corrects = event.data.fact_version
        changes = tuple(Correction(c.field, c.was, c.now) for c in event.data.changes)
    return AuditRow(
        commune=event.log,
        position=fact.position,
        stream=event.stream,
        version=event.version,
        event=event.id,
        type=event.type,
        occurred_on=event.occurred_on,
        recorded_at=event.recorded_at,
        actor=event.by.actor,
        role=event.by.role,
        command=event.command,
        causation=event.causation,
        on_behalf_of=event.by.on_behalf_of,
        corrects=corrects,
        changes=changes,
    )


audit_trail.on(*(event for aggregate in AGGREGATES for event in aggregate.events), rows=_position)(recorded)
