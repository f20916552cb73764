"""From a proposal to a formalised framework: sectors, actors, members, the council's decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Recorded, Role, checks, demand, ruled
from cycle.aggregates.deliberation import Deliberation, DeliberationStage
from cycle.aggregates.framework.anytime import FrameworkSuspended
from cycle.aggregates.framework.needs import NeedsIdentificationOpened
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, member_is_known, not_twice, policy_of
from cycle.aggregates.framework.state import FoundingDeliberation, Framework, Member, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    Code,
    CommuneCode,
    Constituency,
    Count,
    DeliberationId,
    FrameworkId,
    MemberId,
    Name,
    OrganisationId,
    Outcome,
    PolicyId,
    Sha256,
    Text,
    Votes,
)
from cycle.policy import more_than


class FrameworkProposed(Event):
    framework: FrameworkId
    commune: CommuneCode
    title: Name
    zone: str
    policy: PolicyId
    policy_version: int
    policy_digest: Sha256
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"title"})


class SectorsPrioritised(Event):
    sectors: tuple[Code, ...]
    checks: tuple[Check, ...] = ()


class ActorIdentified(Event):
    sector: Code
    actor: Name
    women: Count = 0
    men: Count = 0
    correctable = frozenset({"actor", "women", "men"})


class MemberAdmitted(Event):
    member: MemberId
    organisation: OrganisationId
    constituency: Constituency
    name: Name
    sector: Code | None = None
    may_invest: bool = False
    correctable = frozenset({"name"})


class MemberWithdrew(Event):
    member: MemberId
    reason: Text
    correctable = frozenset({"reason"})


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


class PolicyAdopted(Event):
    policy: PolicyId
    policy_version: int
    policy_digest: Sha256


class ProposeFramework(Command):
    """Propose a consultation framework for a commune, under a published policy."""

    commune: CommuneCode
    title: Name
    policy: PolicyId = PolicyId("wocat-pact")
    roles = (Role.FACILITATOR, Role.MAYOR, Role.PROGRAMME)


class PrioritiseSectors(Command):
    """Name the growth sectors that the commune puts first; again replaces the list."""

    sectors: tuple[Code, ...]
    roles = (Role.FACILITATOR, Role.MAYOR)


class IdentifyActor(Command):
    """Note a group, cooperative or association of a sector."""

    sector: Code
    actor: Name
    women: Count = 0
    men: Count = 0
    roles = (Role.FACILITATOR, Role.MAYOR)


class AdmitMember(Command):
    """Take an organisation into the framework."""

    organisation: OrganisationId
    roles = (Role.FACILITATOR, Role.MAYOR)


class WithdrawMember(Command):
    """Record that a member leaves; its promises are decided at the next review."""

    member: MemberId
    reason: Text
    roles = (Role.FACILITATOR, Role.ORGANISATION)


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


class AdoptPolicy(Command):
    """Run under the newest version of a policy from now on, never backwards."""

    policy: PolicyId
    roles = (Role.PROGRAMME, Role.MAYOR)


def commune_is_known(state: Framework, known: Known) -> Iterable[Finding]:
    """The commune is registered."""
    yield Finding("commune-unknown", known.commune is not None, lift=(Role.PROGRAMME, Role.FACILITATOR))


def active_frameworks_below_maximum(state: Framework, known: Known) -> Iterable[Finding]:
    """The commune has fewer active frameworks than the policy's maximum."""
    policy = policy_of(known)
    rule, active = policy.active_frameworks_max, known.active_frameworks
    met = active < rule.value
    yield ruled("too-many-frameworks", policy, rule, met, lift=(Role.MAYOR,), active=active, maximum=rule.value)


def not_before_the_council(state: Framework, known: Known) -> Iterable[Finding]:
    """The text does not lie before the council already."""
    adopted = state.deliberation is not None
    yield Finding("submitted-already", not (state.submitted or adopted), lift=(Role.COUNCIL_SECRETARY,))


def enough_sectors(state: Framework, known: Known) -> Iterable[Finding]:
    """Two or three sectors are prioritised (policy)."""
    yield from _sector_count(state.sectors, known)


def _sector_count(sectors: tuple[str, ...], known: Known) -> Iterable[Finding]:
    policy, count = policy_of(known), len(sectors)
    fewest, most = policy.sectors_min, policy.sectors_max
    lift = (Role.MAYOR, Role.FACILITATOR)
    seen = list_of(count=count, sectors=sectors)
    yield ruled("too-few-sectors", policy, fewest, count >= fewest.value, lift=lift, minimum=fewest.value, **seen)
    yield ruled("too-many-sectors", policy, most, count <= most.value, lift=lift, maximum=most.value, **seen)


def an_actor_per_sector(state: Framework, known: Known) -> Iterable[Finding]:
    """Every sector has at least one identified actor (policy)."""
    policy = policy_of(known)
    rule = policy.actor_per_sector
    for sector in state.sectors:
        met = not rule.value or sector in state.actor_sectors
        yield ruled("sector-without-actor", policy, rule, met, lift=(Role.FACILITATOR,), sector=sector)


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
    number = founding.number if founding else "—"
    lift = (Role.COUNCIL_SECRETARY, Role.SUPERVISING_AUTHORITY)
    yield ruled("not-executory", policy, rule, met, lift=lift, number=number)


def founders_are_members(state: Framework, known: Known) -> Iterable[Finding]:
    """The municipality and a professional organisation are members (policy)."""
    policy = policy_of(known)
    rule = policy.founding_constituencies
    for wanted in rule.value:
        met = wanted in state.represented()
        yield ruled("constituency-missing", policy, rule, met, lift=(Role.FACILITATOR, Role.MAYOR), constituency=wanted)


def a_member_to_withdraw(state: Framework, known: Known) -> Iterable[Finding]:
    """The framework has members."""
    yield Finding("no-members", bool(state.members), lift=(Role.FACILITATOR,))


@framework.decides(ProposeFramework)
def propose_framework(state: Framework, command: ProposeFramework, known: Known) -> Iterable[Event]:
    policy, commune = policy_of(known), known.commune
    assert commune is not None
    seen = checks(active_frameworks_below_maximum(state, known))
    yield FrameworkProposed(
        FrameworkId(known.new_id),
        command.commune,
        command.title,
        commune.zone,
        PolicyId(policy.id),
        policy.version,
        policy.digest,
        seen,
    )


@framework.decides(PrioritiseSectors)
def prioritise_sectors(state: Framework, command: PrioritiseSectors, known: Known) -> Iterable[Event]:
    found = tuple(_sector_count(command.sectors, known))
    demand(not_twice(command.sectors), *found)
    yield SectorsPrioritised(command.sectors, checks(found))


@framework.decides(IdentifyActor)
def identify_actor(state: Framework, command: IdentifyActor, known: Known) -> Iterable[Event]:
    known_sector = command.sector in state.sectors
    demand(Finding("sector-not-prioritised", known_sector, values=list_of(sector=command.sector, known=state.sectors)))
    yield ActorIdentified(command.sector, command.actor, command.women, command.men)


@framework.decides(AdmitMember)
def admit_member(state: Framework, command: AdmitMember, known: Known) -> Iterable[Event]:
    organisation = known.organisations.get(command.organisation)
    values = {"organisation": command.organisation}
    demand(Finding("organisation-unknown", organisation is not None, values=values, lift=(Role.FACILITATOR,)))
    assert organisation is not None
    inside = any(member.organisation == command.organisation for member in state.members.values())
    demand(Finding("member-already", not inside, values={"name": organisation.name}))
    yield MemberAdmitted(
        MemberId(f"MB-{state.members_counted + 1}"),
        command.organisation,
        organisation.constituency,
        organisation.name,
        organisation.sector,
        organisation.may_invest,
    )


@framework.decides(WithdrawMember)
def withdraw_member(state: Framework, command: WithdrawMember, known: Known) -> Iterable[Event]:
    demand(member_is_known(state, command.member))
    yield MemberWithdrew(command.member, command.reason)


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


@framework.decides(AdoptPolicy)
def adopt_policy(state: Framework, command: AdoptPolicy, known: Known) -> Iterable[Event]:
    policy = policy_of(known)
    newer = (policy.id, policy.version) != (state.policy, state.policy_version)
    demand(Finding("policy-in-force", newer, values={"policy": policy.name}, lift=(Role.PROGRAMME,)))
    yield PolicyAdopted(PolicyId(policy.id), policy.version, policy.digest)


@framework.evolves(FrameworkProposed)
def framework_proposed(state: Framework, recorded: Recorded[FrameworkProposed]) -> Framework:
    fact = recorded.data
    return replace(
        state,
        id=fact.framework,
        commune=fact.commune,
        title=fact.title,
        zone=fact.zone,
        policy=fact.policy,
        policy_version=fact.policy_version,
        policy_digest=fact.policy_digest,
        stage=Stage.DELIBERATION,
        stage_since=recorded.occurred_on,
    )


@framework.evolves(SectorsPrioritised)
def sectors_prioritised(state: Framework, recorded: Recorded[SectorsPrioritised]) -> Framework:
    return replace(state, sectors=recorded.data.sectors)


@framework.evolves(ActorIdentified)
def actor_identified(state: Framework, recorded: Recorded[ActorIdentified]) -> Framework:
    return replace(state, actor_sectors=state.actor_sectors | {recorded.data.sector})


@framework.evolves(MemberAdmitted)
def member_admitted(state: Framework, recorded: Recorded[MemberAdmitted]) -> Framework:
    fact = recorded.data
    member = Member(fact.member, fact.organisation, fact.constituency, fact.name, fact.sector, fact.may_invest)
    return replace(state, members={**state.members, fact.member: member}, members_counted=state.members_counted + 1)


@framework.evolves(MemberWithdrew)
def member_withdrew(state: Framework, recorded: Recorded[MemberWithdrew]) -> Framework:
    left = recorded.data.member
    return replace(
        state,
        members={id: member for id, member in state.members.items() if id != left},
        spoken=state.spoken - {left},
    )


@framework.evolves(SubmittedToCouncil)
def submitted_to_council(state: Framework, recorded: Recorded[SubmittedToCouncil]) -> Framework:
    return replace(state, submitted=True)


@framework.evolves(CouncilDeliberated)
def council_deliberated(state: Framework, recorded: Recorded[CouncilDeliberated]) -> Framework:
    fact = recorded.data
    if fact.outcome is not Outcome.ADOPTED:
        return replace(state, submitted=False)
    founding = FoundingDeliberation(fact.deliberation, fact.number, fact.outcome, fact.decided_on, fact.votes)
    return replace(state, submitted=False, deliberation=founding, suspension_lifts=True)


@framework.evolves(DeliberationTransmitted)
def deliberation_transmitted(state: Framework, recorded: Recorded[DeliberationTransmitted]) -> Framework:
    founding = state.deliberation
    return replace(state, deliberation=founding and replace(founding, transmitted_on=recorded.data.transmitted_on))


@framework.evolves(DeliberationBecameExecutory)
def deliberation_became_executory(state: Framework, recorded: Recorded[DeliberationBecameExecutory]) -> Framework:
    founding = state.deliberation
    return replace(state, deliberation=founding and replace(founding, executory_on=recorded.data.executory_on))


@framework.evolves(DeliberationAnnulled)
def deliberation_annulled(state: Framework, recorded: Recorded[DeliberationAnnulled]) -> Framework:
    founding = state.deliberation
    annulled = founding and replace(founding, annulled_on=recorded.data.annulled_on)
    return replace(state, deliberation=annulled, suspension_lifts=False)


@framework.evolves(FrameworkFormalised)
def framework_formalised(state: Framework, recorded: Recorded[FrameworkFormalised]) -> Framework:
    return replace(
        state,
        cycle=recorded.data.cycle,
        stage=Stage.NEEDS_IDENTIFICATION,
        stage_since=recorded.occurred_on,
    )


@framework.evolves(PolicyAdopted)
def policy_adopted(state: Framework, recorded: Recorded[PolicyAdopted]) -> Framework:
    fact = recorded.data
    return replace(state, policy=fact.policy, policy_version=fact.policy_version, policy_digest=fact.policy_digest)
