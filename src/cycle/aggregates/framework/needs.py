"""What each profession needs, before the first meeting and whenever needs are reopened."""

from __future__ import annotations

from datetime import date

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import AmountXof, MemberId, NeedId, NeedKind, Text


class NeedsIdentificationOpened(Event):
    cycle: int
    due_on: date | None = None
    correctable = frozenset({"due_on"})


class NeedIdentified(Event):
    need: NeedId
    cycle: int
    profession: MemberId
    kind: NeedKind
    description: Text
    estimate_xof: AmountXof | None = None
    correctable = frozenset({"kind", "description", "estimate_xof"})


class NeedAmended(Event):
    need: NeedId
    kind: NeedKind | None = None
    description: Text | None = None
    estimate_xof: AmountXof | None = None
    correctable = frozenset({"kind", "description", "estimate_xof"})


class NeedWithdrawn(Event):
    need: NeedId
    reason: Text
    correctable = frozenset({"reason"})


class ProfessionNeedsValidated(Event):
    profession: MemberId
    ranked: tuple[NeedId, ...]


class ProfessionDeclaredNoNeeds(Event):
    profession: MemberId


class NeedsIdentificationClosed(Event):
    cycle: int
    needs: tuple[NeedId, ...]
    checks: tuple[Check, ...] = ()


class NeedsReopened(Event):
    cycle: int
    reason: Text
    due_on: date | None = None
    correctable = frozenset({"reason", "due_on"})
