"""What a command is about, and its facts in their envelopes before they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from cycle.aggregates.account import Account, BeginAccounts, OpenAccount
from cycle.aggregates.acts import Acts
from cycle.aggregates.base import PLATFORM, Aggregate, By, Command, Event, LogName, Recorded, StreamId
from cycle.aggregates.commune import Commune, RegisterCommune
from cycle.aggregates.deliberation import EnterDeliberation
from cycle.aggregates.disclosure import Disclosure
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.organisation import RegisterOrganisation
from cycle.aggregates.person import RecordPerson
from cycle.aggregates.request import Request
from cycle.aggregates.rulebook import PublishPolicy, Rulebook
from cycle.aggregates.subscription import Subscription
from cycle.commands import BadInput, Said
from cycle.lookup import State
from cycle.store import NOT_YET


class Envelope(Struct, frozen=True):
    """What the facts of one command have in common."""

    by: By
    on: date
    command: str
    key: str
    correlation: str | None = None

    def drafts(
        self, stream: StreamId, log: LogName, version: int, facts: tuple[Event, ...], ids: Callable[[], str]
    ) -> tuple[Recorded[Event], ...]:
        """The facts in their envelopes, behind ``version`` of their stream."""
        return tuple(
            Recorded(
                by=self.by,
                causation=self.key,
                command=self.command,
                correlation=self.correlation or self.key,
                data=data,
                id=ids(),
                log=log,
                occurred_on=self.on,
                recorded_at=NOT_YET,
                schema=data.schema,
                stream=stream,
                type=data.type,
                version=number,
            )
            for number, data in enumerate(facts, version + 1)
        )


class Decision(Struct, frozen=True):
    """The facts that a command led to in one stream, and the state that they were decided on."""

    aggregate: Aggregate[Any, Known]
    stream: StreamId
    state: State
    events: tuple[Recorded[Event], ...]


def target_of(said: Said, ids: Callable[[], str]) -> str:
    """The id of the aggregate that a command is about, where it does not found one.

    Raises:
        BadInput: nothing says which one.
    """
    named = _NAMED.get(type(said.command))
    target = named(said.command) or ids() if named else said.target
    if not target:
        raise BadInput(f"{said.command.type}: say which one it is about")
    return target


_NAMED: Mapping[type[Command], Callable[[Any], str | None]] = {
    RegisterCommune: lambda command: command.commune,
    PublishPolicy: lambda command: command.document.id,
    BeginAccounts: lambda command: command.account,
    OpenAccount: lambda command: command.account,
    RecordPerson: lambda command: command.person,
}
"""What a command says itself about what it is about."""


def log_of(state: State, said: Said) -> LogName:
    """The log in which a command's facts belong; empty where nobody knows what it is about."""
    if isinstance(state, Framework) and state.version:
        return LogName(state.commune)
    match said.command:
        case ProposeFramework() | EnterDeliberation() | RegisterOrganisation() | RegisterCommune() | RecordPerson():
            return LogName(said.command.commune)
    match state:
        case Commune():
            return LogName(state.code)
        case Rulebook() | Account() | Acts() | Disclosure() | Subscription():
            return PLATFORM
        case Request():
            return state.log
        case _:
            return LogName(state.commune)
