"""The council's decision: the proposal before it, what became of the deliberation, the framework it founds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, ruled
from cycle.aggregates.deliberation import Deliberation
from cycle.aggregates.framework.anytime import FrameworkSuspended
from cycle.aggregates.framework.needs import NeedsIdentificationOpened
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import policy_of
from cycle.aggregates.framework.setup import an_actor_per_sector, enough_sectors
from cycle.aggregates.framework.state import FoundingDeliberation, Framework, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import Code, DeliberationId, Name, Outcome, Past, Planned, Text, Votes
from cycle.policy import more_than


class SubmittedToCouncil(Event):
    sectors: tuple[Code, ...]
    note: Text | None = None
    checks: tuple[Check, ...] = ()
    strands = ("deliberation",)


class CouncilDeliberated(Event):
    deliberation: DeliberationId
    number: Name
    outcome: Outcome
    decided_on: Past
    votes: Votes | None = None
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"number", "decided_on", "votes"})
    strands = ("deliberation",)


class DeliberationTransmitted(Event):
    deliberation: DeliberationId
    transmitted_on: Past
    correctable = frozenset({"transmitted_on"})
    strands = ("deliberation",)


class DeliberationBecameExecutory(Event):
    deliberation: DeliberationId
    executory_on: Past
    correctable = frozenset({"executory_on"})
    strands = ("deliberation",)


class DeliberationAnnulled(Event):
    """The supervising authority annulled it: it never bound anybody."""

    deliberation: DeliberationId
    annulled_on: Past
    reason: Text
    correctable = frozenset({"annulled_on", "reason"})
    strands = ("deliberation",)


class FoundingRepealed(Event):
    """The council took its own decision back: what was done under it stays, and it carries no further."""

    deliberation: DeliberationId
    repealed_on: Past
    reason: Text
    correctable = frozenset({"repealed_on", "reason"})
    strands = ("deliberation",)


class FrameworkFormalised(Event):
    cycle: int
    deliberation: DeliberationId
    checks: tuple[Check, ...] = ()
    strands = ("stage", "deliberation")


class SubmitToCouncil(Command):
    """Put the proposal before the council."""

    note: Text | None = None
    roles = (Role.FACILITATOR, Role.MAYOR)


class RecordDeliberation(Command):
    """Record what the council decided on the proposal."""

    deliberation: DeliberationId
    roles = (Role.COUNCIL_SECRETARY,)
    apart = (Role.FACILITATOR,)
    binds = True


class FollowDeliberation(Command):
    """Take over what has become of the founding deliberation since."""

    roles = (Role.COUNCIL_SECRETARY, Role.SUPERVISING_AUTHORITY)
    apart = RecordDeliberation.apart


class Formalise(Command):
    """Declare the framework established; the identification of needs begins."""

    needs_due_on: Planned | None = None
    roles = (Role.MAYOR, Role.COUNCIL_SECRETARY)


def not_before_the_council(state: Framework, known: Known) -> Iterable[Finding]:
    """The text does not lie before the council, and is not adopted: it changes no more while it does."""
    if state.deliberation is not None:
        yield Finding("adopted-already", values={"number": state.deliberation.number})
    else:
        yield Finding("submitted-already", not state.submitted, lift=(Role.COUNCIL_SECRETARY,))


def a_text_awaits_the_council(state: Framework, known: Known) -> Iterable[Finding]:
    """The proposal lies before the council, or the founding deliberation was annulled or repealed."""
    if state.stage is Stage.SUSPENDED:
        yield Finding("founding-stands", not state.suspension_lifts)
    elif state.deliberation is not None:
        yield Finding("adopted-already", values={"number": state.deliberation.number})
    else:
        yield Finding("nothing-before-the-council", state.submitted, lift=(Role.FACILITATOR, Role.MAYOR))


def something_to_follow(state: Framework, known: Known) -> Iterable[Finding]:
    """The framework rests on a deliberation, and something has become of it since."""
    founding, lift = state.deliberation, (Role.COUNCIL_SECRETARY,)
    if founding is None:
        yield Finding("no-deliberation", lift=lift if state.submitted else ())
    else:
        met = bool(_since_then(state, founding, known.deliberations.get(founding.id)))
        yield Finding("nothing-new", met, values={"number": founding.number}, lift=lift)


def deliberation_stands(state: Framework, known: Known) -> Iterable[Finding]:
    """The founding deliberation has not been annulled or repealed since."""
    founding = state.deliberation
    if founding is not None:
        now = known.deliberations.get(founding.id)
        met = founding.stands and (now is None or not now.ended)
        yield Finding("deliberation-ended", met, values={"number": founding.number}, lift=(Role.COUNCIL_SECRETARY,))


def deliberation_adopted(state: Framework, known: Known) -> Iterable[Finding]:
    """The council has adopted the text."""
    yield Finding("not-adopted", state.deliberation is not None, lift=(Role.COUNCIL_SECRETARY, Role.MAYOR))


def deliberation_executory(state: Framework, known: Known) -> Iterable[Finding]:
    """The deliberation is executory, where the policy demands it."""
    policy, founding = policy_of(known), state.deliberation
    rule = policy.executory
    if founding is not None:
        met = not rule.value or founding.executory_on is not None
        lift = (Role.COUNCIL_SECRETARY, Role.SUPERVISING_AUTHORITY)
        yield ruled("not-executory", policy, rule, met, lift=lift, number=founding.number)


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
    found = [
        Finding("deliberation-elsewhere", decided.commune == state.commune, values={"commune": decided.commune}),
        Finding("deliberation-ended", not decided.ended, values={"number": decided.number}),
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
    return _since_then(state, founding, now)


def _since_then(state: Framework, founding: FoundingDeliberation, now: Deliberation | None) -> list[Event]:
    """What has become of the founding deliberation: the facts that the framework does not have yet."""
    if now is None or not founding.stands:
        return []
    facts: list[Event] = [*_what_followed(now, founding.transmitted_on, founding.executory_on)]
    if not now.ended:
        return facts
    reason = now.ended_because or "—"
    if now.annulled_on is not None:
        facts.append(DeliberationAnnulled(now.id, now.annulled_on, reason))
    if now.repealed_on is not None:
        facts.append(FoundingRepealed(now.id, now.repealed_on, reason))
    if state.stage not in (Stage.SUSPENDED, None):
        facts.append(FrameworkSuspended(state.stage, reason))
    return facts


@framework.decides(Formalise)
def formalise(state: Framework, command: Formalise, known: Known) -> Iterable[Event]:
    assert state.deliberation is not None
    seen = checks(
        [
            *deliberation_executory(state, known),
            *founders_are_members(state, known),
            *an_actor_per_sector(state, known),
        ]
    )
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
    founding = FoundingDeliberation(
        fact.deliberation, fact.number, fact.outcome, fact.decided_on, fact.votes, since=recorded.occurred_on
    )
    return replace(state, submitted=False, deliberation=founding, suspension_lifts=True)


@framework.evolves(DeliberationTransmitted)
def deliberation_transmitted(state: Framework, recorded: Happened[DeliberationTransmitted]) -> Framework:
    founding, fact = state.deliberation, recorded.data
    after = founding and replace(founding, transmitted_on=fact.transmitted_on, since=recorded.occurred_on)
    return replace(state, deliberation=after)


@framework.evolves(DeliberationBecameExecutory)
def deliberation_became_executory(state: Framework, recorded: Happened[DeliberationBecameExecutory]) -> Framework:
    founding, fact = state.deliberation, recorded.data
    after = founding and replace(founding, executory_on=fact.executory_on, since=recorded.occurred_on)
    return replace(state, deliberation=after)


@framework.evolves(DeliberationAnnulled)
def deliberation_annulled(state: Framework, recorded: Happened[DeliberationAnnulled]) -> Framework:
    founding, fact = state.deliberation, recorded.data
    annulled = founding and replace(founding, annulled_on=fact.annulled_on, since=recorded.occurred_on)
    return replace(state, deliberation=annulled, suspension_lifts=False)


@framework.evolves(FoundingRepealed)
def founding_repealed(state: Framework, recorded: Happened[FoundingRepealed]) -> Framework:
    founding, fact = state.deliberation, recorded.data
    repealed = founding and replace(founding, repealed_on=fact.repealed_on, since=recorded.occurred_on)
    return replace(state, deliberation=repealed, suspension_lifts=False)


@framework.evolves(FrameworkFormalised)
def framework_formalised(state: Framework, recorded: Happened[FrameworkFormalised]) -> Framework:
    return replace(
        state,
        cycle=recorded.data.cycle,
        cycle_since=recorded.occurred_on,
        stage=Stage.NEEDS_IDENTIFICATION,
        stage_since=recorded.occurred_on,
    )
