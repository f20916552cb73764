"""The council's decision: the proposal before it, what became of the deliberation, the framework it founds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, ruled
from cycle.aggregates.deliberation import Deliberation, DeliberationStage
from cycle.aggregates.framework.anytime import FrameworkSuspended
from cycle.aggregates.framework.needs import NeedsIdentificationOpened
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import policy_of
from cycle.aggregates.framework.setup import an_actor_per_sector, enough_sectors
from cycle.aggregates.framework.state import FoundingDeliberation, Framework, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import Code, DeliberationId, Name, Outcome, Text, Votes
from cycle.policy import more_than


class SubmittedToCouncil(Event):
    sectors: tuple[Code, ...]
    note: Text | None = None
    checks: tuple[Check, ...] = ()


class CouncilDeliberated(Event):
    deliberation: DeliberationId
    number: Name
    outcome: Outcome
    decided_on: date
    votes: Votes | None = None
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"number", "decided_on", "votes"})


class DeliberationTransmitted(Event):
    deliberation: DeliberationId
    transmitted_on: date
    correctable = frozenset({"transmitted_on"})


class DeliberationBecameExecutory(Event):
    deliberation: DeliberationId
    executory_on: date
    correctable = frozenset({"executory_on"})


class DeliberationAnnulled(Event):
    deliberation: DeliberationId
    annulled_on: date
    reason: Text
    correctable = frozenset({"annulled_on", "reason"})


class FrameworkFormalised(Event):
    cycle: int
    deliberation: DeliberationId
    checks: tuple[Check, ...] = ()


class SubmitToCouncil(Command):
    """Put the proposal before the council."""

    note: Text | None = None
    roles = (Role.FACILITATOR, Role.MAYOR)


class RecordDeliberation(Command):
    """Record what the council decided on the proposal."""

    deliberation: DeliberationId
    roles = (Role.COUNCIL_SECRETARY,)


class FollowDeliberation(Command):
    """Take over what has become of the founding deliberation since."""

    roles = (Role.COUNCIL_SECRETARY, Role.SUPERVISING_AUTHORITY)


class Formalise(Command):
    """Declare the framework established; the identification of needs begins."""

    needs_due_on: date | None = None
    roles = (Role.MAYOR, Role.COUNCIL_SECRETARY)


def not_before_the_council(state: Framework, known: Known) -> Iterable[Finding]:
    """The text does not lie before the council already."""
    adopted = state.deliberation is not None
    yield Finding("submitted-already", not (state.submitted or adopted), lift=(Role.COUNCIL_SECRETARY,))


def a_text_awaits_the_council(state: Framework, known: Known) -> Iterable[Finding]:
    """The proposal lies before the council, or the founding deliberation was annulled."""
    met = state.submitted if state.stage is Stage.DELIBERATION else not state.suspension_lifts
    yield Finding("nothing-before-the-council", met, lift=(Role.FACILITATOR, Role.MAYOR))


def a_deliberation_to_follow(state: Framework, known: Known) -> Iterable[Finding]:
    """The framework rests on a deliberation."""
    yield Finding("no-deliberation", state.deliberation is not None, lift=(Role.COUNCIL_SECRETARY,))


def deliberation_adopted(state: Framework, known: Known) -> Iterable[Finding]:
    """The council has adopted the text."""
    yield Finding("not-adopted", state.deliberation is not None, lift=(Role.COUNCIL_SECRETARY, Role.MAYOR))


def deliberation_executory(state: Framework, known: Known) -> Iterable[Finding]:
    """The deliberation is executory, where the policy demands it."""
    policy, founding = policy_of(known), state.deliberation
    rule = policy.executory
    met = not rule.value or (founding is not None and founding.executory_on is not None)
    number = founding.number if founding else ""
    lift = (Role.COUNCIL_SECRETARY, Role.SUPERVISING_AUTHORITY)
    yield ruled("not-executory", policy, rule, met, lift=lift, number=number)


def founders_are_members(state: Framework, known: Known) -> Iterable[Finding]:
    """The municipality and a professional organisation are members (policy)."""
    policy = policy_of(known)
    rule = policy.founding_constituencies
    for wanted in rule.value:
        met = wanted in state.represented()
        yield ruled("constituency-missing", policy, rule, met, lift=(Role.FACILITATOR, Role.MAYOR), constituency=wanted)


@framework.decides(SubmitToCouncil)
def submit_to_council(state: Framework, command: SubmitToCouncil, known: Known) -> Iterable[Event]:
    seen = checks([*enough_sectors(state, known), *an_actor_per_sector(state, known)])
    yield SubmittedToCouncil(state.sectors, command.note, seen)


@framework.decides(RecordDeliberation)
def record_deliberation(state: Framework, command: RecordDeliberation, known: Known) -> Iterable[Event]:
    decided = known.deliberations.get(command.deliberation)
    values = {"deliberation": command.deliberation}
    demand(Finding("deliberation-unknown", decided is not None, values=values, lift=(Role.COUNCIL_SECRETARY,)))
    assert decided is not None
    ended = decided.stage in (DeliberationStage.REPEALED, DeliberationStage.ANNULLED)
    found = [
        Finding("deliberation-elsewhere", decided.commune == state.commune, values={"commune": decided.commune}),
        Finding("deliberation-ended", not ended, values={"number": decided.number}),
        Finding(
            "deliberated-after",
            decided.decided_on <= known.on,
            values={"decided": decided.decided_on.isoformat(), "on": known.on.isoformat()},
        ),
    ]
    if decided.outcome is Outcome.ADOPTED:
        found += council_decided_validly(decided, known)
    demand(*found)
    yield CouncilDeliberated(
        decided.id, decided.number, decided.outcome, decided.decided_on, decided.votes, checks(found)
    )
    if decided.outcome is Outcome.ADOPTED:
        yield from _what_followed(decided, None, None)


def council_decided_validly(decided: Deliberation, known: Known) -> list[Finding]:
    """A decision that founds a framework has a vote, a majority and the council's quorum (policy)."""
    policy, votes = policy_of(known), decided.votes
    rule, lift = policy.council_quorum, (Role.COUNCIL_SECRETARY,)
    if votes is None:
        return [Finding("no-vote", values={"number": decided.number}, lift=lift)]
    required = more_than(rule.value, votes.in_office)
    return [
        ruled(
            "council-quorum",
            policy,
            rule,
            votes.present >= required,
            lift=lift,
            required=required,
            present=votes.present,
            in_office=votes.in_office,
        )
    ]


def _what_followed(
    decided: Deliberation, transmitted: date | None, executory: date | None
) -> Iterable[DeliberationTransmitted | DeliberationBecameExecutory]:
    if decided.transmitted_on and decided.transmitted_on != transmitted:
        yield DeliberationTransmitted(decided.id, decided.transmitted_on)
    if decided.executory_on and decided.executory_on != executory:
        yield DeliberationBecameExecutory(decided.id, decided.executory_on)


@framework.decides(FollowDeliberation)
def follow_deliberation(state: Framework, command: FollowDeliberation, known: Known) -> Iterable[Event]:
    founding = state.deliberation
    assert founding is not None
    now = known.deliberations.get(founding.id)
    facts: list[Event] = []
    if now is not None:
        facts += _what_followed(now, founding.transmitted_on, founding.executory_on)
        if now.annulled_on is not None and founding.annulled_on is None:
            reason = now.annulled_because or "—"
            facts.append(DeliberationAnnulled(now.id, now.annulled_on, reason))
            if state.stage not in (Stage.SUSPENDED, None):
                facts.append(FrameworkSuspended(state.stage, reason))
    demand(Finding("nothing-new", bool(facts), values={"number": founding.number}, lift=(Role.COUNCIL_SECRETARY,)))
    return facts


@framework.decides(Formalise)
def formalise(state: Framework, command: Formalise, known: Known) -> Iterable[Event]:
    assert state.deliberation is not None
    seen = checks([*deliberation_executory(state, known), *founders_are_members(state, known)])
    yield FrameworkFormalised(1, state.deliberation.id, seen)
    yield NeedsIdentificationOpened(1, command.needs_due_on)


@framework.evolves(SubmittedToCouncil)
def submitted_to_council(state: Framework, recorded: Happened[SubmittedToCouncil]) -> Framework:
    return replace(state, submitted=True)


@framework.evolves(CouncilDeliberated)
def council_deliberated(state: Framework, recorded: Happened[CouncilDeliberated]) -> Framework:
    fact = recorded.data
    if fact.outcome is not Outcome.ADOPTED:
        return replace(state, submitted=False)
    founding = FoundingDeliberation(fact.deliberation, fact.number, fact.outcome, fact.decided_on, fact.votes)
    return replace(state, submitted=False, deliberation=founding, suspension_lifts=True)


@framework.evolves(DeliberationTransmitted)
def deliberation_transmitted(state: Framework, recorded: Happened[DeliberationTransmitted]) -> Framework:
    founding = state.deliberation
    return replace(state, deliberation=founding and replace(founding, transmitted_on=recorded.data.transmitted_on))


@framework.evolves(DeliberationBecameExecutory)
def deliberation_became_executory(state: Framework, recorded: Happened[DeliberationBecameExecutory]) -> Framework:
    founding = state.deliberation
    return replace(state, deliberation=founding and replace(founding, executory_on=recorded.data.executory_on))


@framework.evolves(DeliberationAnnulled)
def deliberation_annulled(state: Framework, recorded: Happened[DeliberationAnnulled]) -> Framework:
    founding = state.deliberation
    annulled = founding and replace(founding, annulled_on=recorded.data.annulled_on)
    return replace(state, deliberation=annulled, suspension_lifts=False)


@framework.evolves(FrameworkFormalised)
def framework_formalised(state: Framework, recorded: Happened[FrameworkFormalised]) -> Framework:
    return replace(
        state,
        cycle=recorded.data.cycle,
        stage=Stage.NEEDS_IDENTIFICATION,
        stage_since=recorded.occurred_on,
    )
