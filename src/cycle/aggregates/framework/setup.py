"""From a proposal to a formalised framework: sectors, actors, members, the council's decision."""

from __future__ import annotations

from datetime import date

from cycle.aggregates.base import Check, Event
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
    name: Name
    women: Count = 0
    men: Count = 0
    correctable = frozenset({"name", "women", "men"})


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
