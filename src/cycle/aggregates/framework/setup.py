"""What a framework is made of: its title and policy, its sectors and actors, its members."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, refusal, ruled
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, member_is_known, not_twice, policy_of
from cycle.aggregates.framework.state import Framework, Member, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    Code,
    CommuneCode,
    Constituency,
    Count,
    FrameworkId,
    MemberId,
    Name,
    OrganisationId,
    PolicyId,
    Sha256,
    Text,
)


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
    strands = ("stage",)


class SectorsPrioritised(Event):
    sectors: tuple[Code, ...]
    checks: tuple[Check, ...] = ()
    strands = ("deliberation",)


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
    makes = FrameworkProposed


class PrioritiseSectors(Command):
    """Name the growth sectors that the commune puts first; again replaces the list."""

    sectors: tuple[Code, ...]
    roles = (Role.FACILITATOR, Role.MAYOR)
    restates = {"sectors": "sectors"}


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
    makes = MemberAdmitted


class WithdrawMember(Command):
    """Record that a member leaves; its promises are decided at the next review."""

    member: MemberId
    reason: Text
    roles = (Role.FACILITATOR, Role.ORGANISATION)


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


def sectors_are_named(state: Framework, known: Known) -> Iterable[Finding]:
    """The growth sectors are named."""
    yield Finding("no-sectors", bool(state.sectors), lift=(Role.FACILITATOR, Role.MAYOR))


def a_newer_policy(state: Framework, known: Known) -> Iterable[Finding]:
    """A policy is published that is not the one in force."""
    others = [p for p in known.policies if (p.id, p.version) != (state.policy, state.policy_version)]
    values = {"policy": f"{state.policy}-{state.policy_version}"}
    yield Finding("policy-in-force", bool(others), values=values, lift=(Role.PROGRAMME,))


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
    new = (command.sector, command.actor) not in state.actors
    demand(
        Finding("sector-not-prioritised", known_sector, values=list_of(sector=command.sector, known=state.sectors)),
        Finding("actor-already", new, values={"actor": command.actor, "sector": command.sector}),
    )
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


@framework.decides(AdoptPolicy)
def adopt_policy(state: Framework, command: AdoptPolicy, known: Known) -> Iterable[Event]:
    policy = next((policy for policy in known.policies if policy.id == command.policy), None)
    if policy is None:
        raise refusal("policy-unknown", lift=(Role.PROGRAMME,))
    newer = (policy.id, policy.version) != (state.policy, state.policy_version)
    demand(Finding("policy-in-force", newer, values={"policy": policy.name}, lift=(Role.PROGRAMME,)))
    yield PolicyAdopted(PolicyId(policy.id), policy.version, policy.digest)


@framework.evolves(FrameworkProposed)
def framework_proposed(state: Framework, recorded: Happened[FrameworkProposed]) -> Framework:
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
        proposed_on=recorded.occurred_on,
        stage=Stage.DELIBERATION,
        stage_since=recorded.occurred_on,
    )


@framework.evolves(SectorsPrioritised)
def sectors_prioritised(state: Framework, recorded: Happened[SectorsPrioritised]) -> Framework:
    return replace(state, sectors=recorded.data.sectors)


@framework.evolves(ActorIdentified)
def actor_identified(state: Framework, recorded: Happened[ActorIdentified]) -> Framework:
    return replace(state, actors=state.actors | {(recorded.data.sector, recorded.data.actor)})


@framework.evolves(MemberAdmitted)
def member_admitted(state: Framework, recorded: Happened[MemberAdmitted]) -> Framework:
    fact = recorded.data
    member = Member(
        fact.member,
        fact.organisation,
        fact.constituency,
        fact.name,
        fact.sector,
        fact.may_invest,
        recorded.occurred_on,
    )
    return replace(state, members={**state.members, fact.member: member}, members_counted=state.members_counted + 1)


@framework.evolves(MemberWithdrew)
def member_withdrew(state: Framework, recorded: Happened[MemberWithdrew]) -> Framework:
    left = recorded.data.member
    return replace(
        state,
        members={id: member for id, member in state.members.items() if id != left},
        spoken=state.spoken - {left},
    )


@framework.evolves(PolicyAdopted)
def policy_adopted(state: Framework, recorded: Happened[PolicyAdopted]) -> Framework:
    fact = recorded.data
    return replace(state, policy=fact.policy, policy_version=fact.policy_version, policy_digest=fact.policy_digest)
