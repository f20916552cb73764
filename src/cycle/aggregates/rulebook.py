"""Rulebook: the published versions of one policy. Its stream is in the ``platform`` log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Role, Value, demand
from cycle.aggregates.terms import PolicyId, Sha256
from cycle.policy import Policy

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class PolicyPublished(Event):
    """The whole document: an auditor reads the rules where they were published."""

    policy: PolicyId
    policy_version: int
    policy_digest: Sha256
    document: Policy


class Rulebook(Struct, frozen=True):
    """The state of one policy: its documents by version."""

    version: int = 0
    id: PolicyId = PolicyId("")
    versions: Mapping[int, Policy] = {}


rulebook: Aggregate[Rulebook, Known] = Aggregate("policy", Rulebook())


class PublishPolicy(Command):
    """Publish a policy, or its next version; frameworks adopt it by a decision of their own."""

    document: Policy
    roles = (Role.PROGRAMME,)


@rulebook.decides(PublishPolicy)
def publish_policy(state: Rulebook, command: PublishPolicy, known: Known) -> Iterable[Event]:
    policy, newest = command.document, max(state.versions, default=0)
    values: dict[str, Value] = {"policy": policy.name, "newest": newest}
    demand(Finding("policy-version-taken", policy.version == newest + 1, values=values, lift=(Role.PROGRAMME,)))
    yield PolicyPublished(PolicyId(policy.id), policy.version, policy.digest, policy)


@rulebook.evolves(PolicyPublished)
def policy_published(state: Rulebook, recorded: Happened[PolicyPublished]) -> Rulebook:
    fact = recorded.data
    return replace(state, id=fact.policy, versions={**state.versions, fact.policy_version: fact.document})
