"""The rules as versioned documents: numbers and quotas are no code.

A policy is a small JSON document. A framework records which policy and version it runs under and
the SHA-256 of that document's canonical bytes; a new version is adopted by an event, never
retroactively.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from importlib.resources import files
from math import ceil
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from cycle.shapes import understood

V = TypeVar("V")
Natural = Annotated[int, Meta(ge=0, le=10_000)]
Share = Annotated[str, Meta(pattern=r"^[0-9]{1,3}/[1-9][0-9]{0,2}$")]
"""A fraction such as ``1/2``."""


class Source(StrEnum):
    """Where a rule comes from."""

    APPROACH = "approach"
    LAW = "law"
    DEFAULT = "default"


class Effect(StrEnum):
    """What a rule does that does not hold."""

    REFUSE = "refuse"
    WARN = "warn"


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    en: str
    fr: str


class Rule(Struct, Generic[V], frozen=True, forbid_unknown_fields=True):
    """One article: its number, its value, what it does, where it comes from, why it is there."""

    article: str
    value: V
    effect: Effect
    source: Source
    why: Words


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules that a framework runs under. The name of a rule is its code."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[int, Meta(ge=1)]
    title: Words
    sectors_min: Rule[Natural]
    sectors_max: Rule[Natural]
    active_frameworks_max: Rule[Natural]
    actor_per_sector: Rule[bool]
    founding_constituencies: Rule[tuple[str, ...]]
    council_quorum: Rule[Share]
    """Members present, as a share of those in office: more than the share."""
    executory: Rule[bool]
    """The deliberation must be executory before the framework is formalised."""
    needs_before_meeting: Rule[bool]
    """Every profession has validated its needs, or declared none, before the needs are closed."""
    meeting_notice_days: Rule[Natural]
    meeting_quorum: Rule[Share]
    """Members present, as a share of the members: at least the share."""
    second_call_waives_quorum: Rule[bool]
    meeting_constituencies: Rule[tuple[str, ...]]
    """Constituencies that must have a member for a plan to be agreed."""
    negotiation_rounds: Rule[Natural]
    """After this many rounds without agreement the negotiation is flagged a deadlock."""
    plan_months_max: Rule[Natural]
    capital_by_investors_only: Rule[bool]
    """A member that may not make capital investments pledges none."""
    committee_min: Rule[Natural]
    committee_max: Rule[Natural]
    committee_women_min: Rule[Natural]
    committee_youth_min: Rule[Natural]
    committee_constituencies: Rule[tuple[str, ...]]
    mandate_per_cycle: Rule[bool]
    """A mandate version is defined or confirmed for each cycle before monitoring starts."""
    minutes_before_monitoring: Rule[bool]
    severe_obstacle: Rule[Natural]
    """From this severity on an obstacle may open a review."""
    deadline_warning_days: Rule[Natural]

    @property
    def name(self) -> str:
        """``wocat-pact-1``: how sentences and findings call it."""
        return f"{self.id}-{self.version}"

    def article(self, rule: Rule[V]) -> str:
        """``wocat-pact-1/6``: how a finding points at one of its articles."""
        return f"{self.name}/{rule.article}"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the document's canonical bytes."""
        return sha256(document(self)).hexdigest()


class PolicyError(ValueError):
    """A policy document that cannot be used, with the place and the reason."""


def document(policy: Policy) -> bytes:
    """The canonical bytes of a policy: what its digest is taken from."""
    return msgspec.json.Encoder(order="sorted").encode(policy)


def read_policy(text: bytes) -> Policy:
    """A policy from a JSON document.

    Raises:
        PolicyError: names the rule and what is wrong with it.
    """
    try:
        return msgspec.json.decode(text, type=understood(Policy))
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise PolicyError(f"this policy cannot be used: {error}") from error


def sample() -> Policy:
    """The policy that ships: PACT's rules where the source states them, plain defaults elsewhere."""
    return read_policy((files("cycle.policy") / "wocat-pact-1.json").read_bytes())


def at_least(share: Share, of: int) -> int:
    """The smallest count that is at least ``share`` of ``of``."""
    return ceil(Fraction(share) * of)


def more_than(share: Share, of: int) -> int:
    """The smallest count that is more than ``share`` of ``of``."""
    return int(Fraction(share) * of) + 1
