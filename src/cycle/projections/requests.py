"""What takes two people: what one account has asked for, and what has become of it."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.framework.root import framework
from cycle.aggregates.request import ActConfirmed, ActRequested, RequestStage, RequestWithdrawn, lapses_on
from cycle.commands import BY_COMMAND
from cycle.history import Fact
from cycle.projections.base import Projection, Row, identity, itself


class RequestRow(Row):
    """``target`` is the id of what the act is about; ``closed_by`` confirmed it or withdrew it."""

    request: str
    act: str
    target: str
    asked_by: str
    asked_on: date
    lapses_on: date
    stage: RequestStage = RequestStage.OPEN
    framework: str | None = None
    on_behalf_of: str | None = None
    reason: str | None = None
    closed_by: str | None = None
    closed_on: date | None = None
    closed_because: str | None = None
    projection = "requests"

    def waits(self, on: date) -> bool:
        """Whether somebody can confirm it on a day."""
        return self.stage is RequestStage.OPEN and on <= self.lapses_on


requests = Projection(RequestRow)


class _Reason(Struct):
    """Why it is asked for, of all that is said."""

    reason: str | None = None


_reason = msgspec.json.Decoder(_Reason).decode


@requests.on(ActRequested, ActConfirmed, RequestWithdrawn, rows=itself)
def request_changed(row: RequestRow | None, fact: Fact, part: None) -> RequestRow | None:
    event, closed_by, day = fact.recorded.data, fact.recorded.by.actor, fact.recorded.occurred_on
    if isinstance(event, ActRequested):
        return RequestRow(
            commune=fact.recorded.log,
            request=identity(fact),
            act=event.act,
            target=event.target,
            framework=event.target if BY_COMMAND.get(event.act) is framework else None,
            asked_by=event.asked_by.actor,
            on_behalf_of=event.asked_by.on_behalf_of,
            asked_on=event.asked_on,
            lapses_on=lapses_on(event.asked_on),
            reason=_reason(event.said).reason,
        )
    if row is None:
        return None
    match event:
        case ActConfirmed():
            return replace(row, stage=RequestStage.CONFIRMED, closed_by=closed_by, closed_on=day)
        case RequestWithdrawn(reason=reason):
            row = replace(row, stage=RequestStage.WITHDRAWN, closed_by=closed_by, closed_on=day)
            return replace(row, closed_because=reason)
    return row
