"""Rulebook: the published versions of one policy. Its stream is in the ``platform`` log."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cycle.aggregates.base import Event
from cycle.aggregates.terms import PolicyId, Sha256
from cycle.policy import Policy


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
