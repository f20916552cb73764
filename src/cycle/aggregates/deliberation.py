"""Deliberation: one decision of a council, from the vote to its effect. Councils decide much else."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import CommuneCode, DeliberationId, Name, Outcome, Text, Votes


class DeliberationRecorded(Event):
    """``source`` says where an imported record comes from (file, row)."""

    deliberation: DeliberationId
    commune: CommuneCode
    number: Name
    subject: Text
    outcome: Outcome
    decided_on: date
    matter: Name | None = None
    votes: Votes | None = None
    document: Text | None = None
    source: Text | None = None
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"number", "subject", "decided_on", "votes", "matter", "document"})


class DeliberationSentToAuthority(Event):
    """Sent to the supervising authority."""

    transmitted_on: date
    authority: Name | None = None
    correctable = frozenset({"transmitted_on", "authority"})


class DeliberationTookEffect(Event):
    """Executory: the authority has it, or its time to object has run out."""

    executory_on: date
    correctable = frozenset({"executory_on"})


class DeliberationRepealed(Event):
    """The council itself took it back."""

    repealed_on: date
    reason: Text
    correctable = frozenset({"repealed_on", "reason"})


class DeliberationWasAnnulled(Event):
    """The supervising authority annulled it."""

    annulled_on: date
    reason: Text
    correctable = frozenset({"annulled_on", "reason"})


class DeliberationStage(StrEnum):
    RECORDED = "recorded"
    TRANSMITTED = "transmitted"
    EXECUTORY = "executory"
    REPEALED = "repealed"
    ANNULLED = "annulled"


class Deliberation(Struct, frozen=True):
    """The state of one deliberation."""

    version: int = 0
    id: DeliberationId = DeliberationId("")
    commune: CommuneCode = CommuneCode("")
    number: str = ""
    subject: str = ""
    outcome: Outcome = Outcome.NOTED
    decided_on: date = date.min
    votes: Votes | None = None
    stage: DeliberationStage = DeliberationStage.RECORDED
    transmitted_on: date | None = None
    executory_on: date | None = None
    annulled_on: date | None = None
    """When it was annulled or repealed."""
    annulled_because: str | None = None
