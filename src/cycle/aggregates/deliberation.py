"""Deliberation: one decision of a council, from the vote to its effect. Councils decide much else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import (
    Aggregate,
    Check,
    Command,
    Event,
    Finding,
    Happened,
    Recorded,
    Role,
    days_hold,
    demand,
)
from cycle.aggregates.corrections import Correction, FactCorrected, corrected, stays_visible
from cycle.aggregates.terms import CommuneCode, DeliberationId, Name, Outcome, Past, Text, Votes

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class DeliberationRecorded(Event):
    """``source`` says where an imported record comes from (file, row)."""

    deliberation: DeliberationId
    commune: CommuneCode
    number: Name
    subject: Text
    outcome: Outcome
    decided_on: Past
    matter: Name | None = None
    votes: Votes | None = None
    document: Text | None = None
    source: Text | None = None
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"number", "subject", "decided_on", "votes", "matter", "document"})


class DeliberationSentToAuthority(Event):
    """Sent to the supervising authority."""

    transmitted_on: Past
    authority: Name | None = None
    correctable = frozenset({"transmitted_on", "authority"})
    strands = ("stage",)


class DeliberationTookEffect(Event):
    """Executory: the authority has it, or its time to object has run out."""

    executory_on: Past
    correctable = frozenset({"executory_on"})
    strands = ("stage",)


class DeliberationRepealed(Event):
    """The council itself took it back."""

    repealed_on: Past
    reason: Text
    correctable = frozenset({"repealed_on", "reason"})
    strands = ("stage",)


class DeliberationWasAnnulled(Event):
    """The supervising authority annulled it."""

    annulled_on: Past
    reason: Text
    correctable = frozenset({"annulled_on", "reason"})
    strands = ("stage",)


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
    repealed_on: date | None = None
    ended_because: str | None = None

    @property
    def ended(self) -> bool:
        """It was annulled by the supervising authority, or repealed by the council itself."""
        return self.annulled_on is not None or self.repealed_on is not None

    @property
    def last_day(self) -> date:
        """The day of the last step on its way."""
        return max(day for day in (self.decided_on, self.transmitted_on, self.executory_on) if day is not None)


deliberation: Aggregate[Deliberation, Known] = Aggregate("deliberation", Deliberation())
COUNCIL = (Role.COUNCIL_SECRETARY, Role.MAYOR)


class EnterDeliberation(Command):
    """Enter a decision of the council into the register."""

    commune: CommuneCode
    number: Name
    subject: Text
    outcome: Outcome
    decided_on: Past
    matter: Name | None = None
    votes: Votes | None = None
    document: Text | None = None
    source: Text | None = None
    roles = COUNCIL
    apart = (Role.FACILITATOR,)
    makes = DeliberationRecorded


class TransmitDeliberation(Command):
    """Note that it was sent to the supervising authority."""

    transmitted_on: Past
    authority: Name | None = None
    roles = COUNCIL


class MakeExecutory(Command):
    """Note from when on the deliberation binds."""

    executory_on: Past
    roles = (*COUNCIL, Role.SUPERVISING_AUTHORITY)


class RepealDeliberation(Command):
    """Note that the council took the decision back."""

    repealed_on: Past
    reason: Text
    roles = COUNCIL


class AnnulDeliberation(Command):
    """Note that the supervising authority annulled the decision."""

    annulled_on: Past
    reason: Text
    roles = (Role.SUPERVISING_AUTHORITY, Role.COUNCIL_SECRETARY)


class CorrectDeliberation(Correction):
    """Set fields of a fact about the deliberation right; the wrong fact stays visible."""

    roles = (*COUNCIL, Role.SUPERVISING_AUTHORITY)


def vote_holds(votes: Votes, outcome: Outcome) -> list[Finding]:
    """What must hold between the numbers of one vote, whoever recorded it."""
    present, office, cast = votes.present, votes.in_office, votes.cast
    seen = {"present": present, "in_office": office, "cast": cast, "proxies": votes.proxies or 0}
    found = [
        Finding("present-exceed-office", present <= office, values=seen),
        Finding("votes-exceed-office", cast <= office, values=seen),
    ]
    if votes.proxies is not None:
        found.append(Finding("proxies-exceed-absent", votes.proxies <= office - present, values=seen))
        found.append(Finding("votes-exceed-proxies", cast <= present + votes.proxies, values=seen))
    if outcome is Outcome.ADOPTED:
        numbers = {"in_favour": votes.in_favour, "against": votes.against}
        found.append(Finding("adopted-without-majority", votes.in_favour > votes.against, values=numbers))
    return found


def entered(command: EnterDeliberation, identity: DeliberationId) -> DeliberationRecorded:
    """The record of a decision, with what is odd about its vote.

    Raises:
        Refused: its numbers cannot be.
    """
    votes = command.votes
    seen: tuple[Check, ...] = ()
    demand(*days_hold(command, command.decided_on))
    if votes is not None:
        demand(*vote_holds(votes, command.outcome))
        if votes.proxies is None and votes.cast > votes.present:
            # Real councils vote by proxy: votes may exceed those present (Saint-Étienne 2022).
            seen = (Check("votes-exceed-present", values={"cast": votes.cast, "present": votes.present}),)
    return DeliberationRecorded(
        identity,
        command.commune,
        command.number,
        command.subject,
        command.outcome,
        command.decided_on,
        command.matter,
        votes,
        command.document,
        command.source,
        seen,
    )


@deliberation.decides(EnterDeliberation)
def enter_deliberation(state: Deliberation, command: EnterDeliberation, known: Known) -> Iterable[Event]:
    demand(Finding("commune-unknown", known.commune is not None, lift=(Role.PROGRAMME, Role.FACILITATOR)))
    yield entered(command, DeliberationId(known.new_id))


ORDER = tuple(DeliberationStage)


def _may_become(state: Deliberation, stage: DeliberationStage, day: date) -> None:
    """A deliberation goes forward only: recorded, transmitted, executory, and then it may end.

    Raises:
        Refused: it is not known, has ended, is there already, or was not decided by then.
    """
    demand(Finding("deliberation-unknown", bool(state.version), values={"deliberation": "—"}, lift=COUNCIL))
    since, number = state.last_day.isoformat(), state.number
    there = {"number": number, "stage": state.stage.value, "since": since}
    demand(Finding("deliberation-ended", not state.ended, values={"number": number}))
    demand(
        Finding("deliberation-there-already", ORDER.index(stage) > ORDER.index(state.stage), values=there),
        Finding("before-the-decision", day >= state.last_day, values={"day": day.isoformat(), "since": since}),
    )


@deliberation.decides(TransmitDeliberation)
def transmit_deliberation(state: Deliberation, command: TransmitDeliberation, known: Known) -> Iterable[Event]:
    _may_become(state, DeliberationStage.TRANSMITTED, command.transmitted_on)
    yield DeliberationSentToAuthority(command.transmitted_on, command.authority)


@deliberation.decides(MakeExecutory)
def make_executory(state: Deliberation, command: MakeExecutory, known: Known) -> Iterable[Event]:
    _may_become(state, DeliberationStage.EXECUTORY, command.executory_on)
    demand(Finding("only-adopted-binds", state.outcome is Outcome.ADOPTED, values={"number": state.number}))
    yield DeliberationTookEffect(command.executory_on)


@deliberation.decides(RepealDeliberation)
def repeal_deliberation(state: Deliberation, command: RepealDeliberation, known: Known) -> Iterable[Event]:
    _may_become(state, DeliberationStage.REPEALED, command.repealed_on)
    yield DeliberationRepealed(command.repealed_on, command.reason)


@deliberation.decides(AnnulDeliberation)
def annul_deliberation(state: Deliberation, command: AnnulDeliberation, known: Known) -> Iterable[Event]:
    _may_become(state, DeliberationStage.ANNULLED, command.annulled_on)
    yield DeliberationWasAnnulled(command.annulled_on, command.reason)


@deliberation.decides(CorrectDeliberation)
def correct_deliberation(state: Deliberation, command: CorrectDeliberation, known: Known) -> Iterable[Event]:
    def holds(before: Recorded[Event], after: Recorded[Event]) -> Iterable[Finding]:
        match after.data:
            case DeliberationRecorded(votes=Votes() as votes, outcome=outcome):
                yield from vote_holds(votes, outcome)
        if _day_of(before.data) == _day_of(after.data):
            return
        believed = [after.data if fact.version == after.version else fact.data for fact in known.history]
        days = [day for fact in believed if (day := _day_of(fact)) is not None]
        for earlier, later in pairwise(days):
            values = {"day": later.isoformat(), "since": earlier.isoformat()}
            yield Finding("before-the-decision", earlier <= later, values=values)

    yield corrected(command, known, holds)


def _day_of(fact: Event) -> date | None:
    """The day of a step on the way of a deliberation."""
    match fact:
        case DeliberationRecorded(decided_on=day) | DeliberationSentToAuthority(transmitted_on=day):
            return day
        case DeliberationTookEffect(executory_on=day) | DeliberationRepealed(repealed_on=day):
            return day
        case DeliberationWasAnnulled(annulled_on=day):
            return day
    return None


deliberation.evolves(FactCorrected)(stays_visible)


@deliberation.evolves(DeliberationRecorded)
def deliberation_recorded(state: Deliberation, recorded: Happened[DeliberationRecorded]) -> Deliberation:
    fact = recorded.data
    return replace(
        state,
        id=fact.deliberation,
        commune=fact.commune,
        number=fact.number,
        subject=fact.subject,
        outcome=fact.outcome,
        decided_on=fact.decided_on,
        votes=fact.votes,
    )


@deliberation.evolves(DeliberationSentToAuthority)
def deliberation_sent_to_authority(
    state: Deliberation, recorded: Happened[DeliberationSentToAuthority]
) -> Deliberation:
    return replace(state, stage=DeliberationStage.TRANSMITTED, transmitted_on=recorded.data.transmitted_on)


@deliberation.evolves(DeliberationTookEffect)
def deliberation_took_effect(state: Deliberation, recorded: Happened[DeliberationTookEffect]) -> Deliberation:
    return replace(state, stage=DeliberationStage.EXECUTORY, executory_on=recorded.data.executory_on)


@deliberation.evolves(DeliberationRepealed)
def deliberation_repealed(state: Deliberation, recorded: Happened[DeliberationRepealed]) -> Deliberation:
    fact = recorded.data
    return replace(
        state,
        stage=DeliberationStage.REPEALED,
        repealed_on=fact.repealed_on,
        ended_because=fact.reason,
    )


@deliberation.evolves(DeliberationWasAnnulled)
def deliberation_was_annulled(state: Deliberation, recorded: Happened[DeliberationWasAnnulled]) -> Deliberation:
    fact = recorded.data
    return replace(
        state,
        stage=DeliberationStage.ANNULLED,
        annulled_on=fact.annulled_on,
        ended_because=fact.reason,
    )
