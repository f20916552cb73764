"""Request: a command that takes two people. One account asks for it, another one with the same right confirms.

What is asked for happens when it is confirmed, and is decided then: what has changed in between counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Raw, Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, By, Command, Event, Finding, Happened, LogName, Role, demand
from cycle.aggregates.terms import Code, RequestId, Text

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

LAPSES_AFTER = timedelta(days=30)
"""Whoever confirms later than this confirms what nobody remembers."""


def lapses_on(asked_on: date) -> date:
    """The last day on which what was asked for can be confirmed."""
    return asked_on + LAPSES_AFTER


class ActRequested(Event):
    """``said`` are the fields of the command, ``target`` the id of what it is about, in the log ``of``.

    ``asked_on`` is the day on which it is asked for; the day of the act itself is that of the fact.
    """

    request: RequestId
    of: LogName
    act: Code
    said: Raw
    target: str
    asked_by: By
    asked_on: date
    late_record: bool = False


class ActConfirmed(Event):
    """The second person: the facts of the command stand behind this one, in the same save."""

    act: Code


class RequestWithdrawn(Event):
    act: Code
    reason: Text


class RequestStage(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class Request(Struct, frozen=True):
    """The state of one request."""

    version: int = 0
    id: RequestId = RequestId("")
    log: LogName = LogName("")
    act: str = ""
    said: bytes = b"{}"
    target: str = ""
    late_record: bool = False
    on: date = date.min
    asked_on: date = date.min
    asked_by: By = By("", Role.WORKER)
    stage: RequestStage = RequestStage.OPEN
    closed_on: date = date.min


request: Aggregate[Request, Known] = Aggregate("request", Request())


class ConfirmRequest(Command):
    """Confirm what another account has asked for: it happens now. Asks for the right to the act itself."""

    roles = (Role.MAYOR, Role.COUNCIL_SECRETARY, Role.FACILITATOR, Role.DATA_PROTECTION)


class WithdrawRequest(Command):
    """Withdraw a request that is not confirmed. Asks for the right to the act itself."""

    reason: Text
    roles = ConfirmRequest.roles


def _open(state: Request) -> Iterable[Finding]:
    yield Finding("request-unknown", bool(state.version))
    closed = {"on": state.closed_on.isoformat()}
    yield Finding("request-confirmed", state.stage is not RequestStage.CONFIRMED, values=closed)
    yield Finding("request-withdrawn", state.stage is not RequestStage.WITHDRAWN, values=closed)


def _people(by: By) -> set[str]:
    """Who stands behind a saying: who says it, and for whom. In other letters it is still the same one."""
    return {each.casefold() for each in (by.actor, by.on_behalf_of) if each is not None}


@request.decides(ConfirmRequest)
def confirm_request(state: Request, command: ConfirmRequest, known: Known) -> Iterable[Event]:
    lapsed, days = known.today > lapses_on(state.asked_on), LAPSES_AFTER.days
    same = _people(state.asked_by) & _people(known.by)
    demand(*_open(state))
    demand(
        Finding("second-person", not same, values={"actor": state.asked_by.actor}),
        Finding("request-lapsed", not lapsed, values={"on": state.asked_on.isoformat(), "days": days}),
    )
    yield ActConfirmed(state.act)


@request.decides(WithdrawRequest)
def withdraw_request(state: Request, command: WithdrawRequest, known: Known) -> Iterable[Event]:
    demand(*_open(state))
    yield RequestWithdrawn(state.act, command.reason)


@request.evolves(ActRequested)
def act_requested(state: Request, recorded: Happened[ActRequested]) -> Request:
    fact = recorded.data
    return replace(
        state,
        id=fact.request,
        log=fact.of,
        act=fact.act,
        said=bytes(fact.said),
        target=fact.target,
        late_record=fact.late_record,
        on=recorded.occurred_on,
        asked_on=fact.asked_on,
        asked_by=fact.asked_by,
    )


@request.evolves(ActConfirmed)
def act_confirmed(state: Request, recorded: Happened[ActConfirmed]) -> Request:
    return replace(state, stage=RequestStage.CONFIRMED, closed_on=recorded.occurred_on)


@request.evolves(RequestWithdrawn)
def request_withdrawn(state: Request, recorded: Happened[RequestWithdrawn]) -> Request:
    return replace(state, stage=RequestStage.WITHDRAWN, closed_on=recorded.occurred_on)
