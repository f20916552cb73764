"""What a command is about, and its facts in their envelopes before they are stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct

from cycle.aggregates.account import Account, BeginAccounts, OpenAccount
from cycle.aggregates.acts import Acts
from cycle.aggregates.base import PLATFORM, Aggregate, By, Event, LogName, Recorded, StreamId
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
from cycle.commands import BadInput, Said
from cycle.lookup import State

NOT_YET = datetime.min.replace(tzinfo=UTC)
"""The time of record of a fact that is not recorded: the store writes it under its lock."""


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
    match said.command:
        case RegisterCommune(commune=code):
            return code
        case PublishPolicy(document=document):
            return document.id
        case BeginAccounts(account=reference) | OpenAccount(account=reference):
            return reference
        case RecordPerson(person=own):
            return own or ids()
        case _ if said.target:
            return said.target
        case _:
            raise BadInput(f"{said.command.type}: say which one it is about")


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
        case Rulebook() | Account() | Acts() | Disclosure():
            return PLATFORM
        case Request():
            return state.log
        case _:
            return LogName(state.commune)
