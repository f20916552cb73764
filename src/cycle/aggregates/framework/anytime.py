"""What may happen at any time: papers, corrections, deadlines, suspension, the end."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Struct

from cycle.aggregates.base import Event
from cycle.aggregates.terms import Count, DeadlineKind, DeliberationId, Name, Reference, Sha256, Text


class DocumentAttached(Event):
    """A paper by its digest; the paper itself is kept elsewhere. ``about`` is an id such as ``M-1``."""

    title: Name
    sha256: Sha256
    bytes: Count
    media: Name
    about: Reference | None = None
    correctable = frozenset({"title", "about"})


class Change(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field set right: canonical JSON of what was recorded and of what holds (absent: no value)."""

    field: Name
    was: msgspec.Raw | None = None
    now: msgspec.Raw | None = None


class FactCorrected(Event):
    """Sets right an earlier fact of the same stream; the wrong fact stays visible.

    ``fact_version`` is that fact's version in the stream; ``occurred_on`` is a field too.
    """

    fact: str
    fact_version: int
    fact_type: str
    changes: tuple[Change, ...]
    reason: Text


class DeadlinePassed(Event):
    """Recorded once. ``about`` is the id of what was due: an action, a contribution, a meeting, a plan."""

    kind: DeadlineKind
    about: Reference
    due_on: date


class FrameworkSuspended(Event):
    """``stage`` is the stage it left."""

    stage: str
    reason: Text
    correctable = frozenset({"reason"})


class FrameworkResumed(Event):
    """``stage`` is the stage it comes back to."""

    stage: str
    reason: Text
    correctable = frozenset({"reason"})


class FrameworkDissolved(Event):
    deliberation: DeliberationId
    seconded_by: Reference
    reason: Text
    correctable = frozenset({"reason"})
