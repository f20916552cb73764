"""Meetings: convened, prepared, opened with quorum, adjourned to a second call, closed with minutes."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import (
    AdjournReason,
    AmountXof,
    LogisticsKind,
    MeetingId,
    MemberId,
    Name,
    Presence,
    Reference,
    Text,
)


class Quorum(Struct, frozen=True, omit_defaults=True, gc=False):
    """How many members had to be there and how many were. ``rule`` is the policy's article."""

    rule: str
    required: int
    present: int
    met: bool
    waived: bool = False


class MeetingConvened(Event):
    meeting: MeetingId
    cycle: int
    held_on: date
    place: Name
    call: int
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"held_on", "place"})


class InvitationSent(Event):
    meeting: MeetingId
    members: tuple[MemberId, ...]
    channel: Name | None = None
    correctable = frozenset({"members", "channel"})


class LogisticsArranged(Event):
    meeting: MeetingId
    kind: LogisticsKind
    description: Text | None = None
    cost_xof: AmountXof = 0
    payer: MemberId | None = None
    correctable = frozenset({"kind", "description", "cost_xof", "payer"})


class MeetingPostponed(Event):
    meeting: MeetingId
    held_on: date
    reason: Text
    correctable = frozenset({"held_on", "reason"})


class MeetingCancelled(Event):
    meeting: MeetingId
    reason: Text
    correctable = frozenset({"reason"})


class MeetingOpened(Event):
    meeting: MeetingId
    cycle: int
    call: int
    attendance: tuple[Presence, ...]
    quorum: Quorum
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"attendance"})


class MeetingAdjourned(Event):
    meeting: MeetingId
    reason: AdjournReason
    explanation: Text
    attendance: tuple[Presence, ...] = ()
    correctable = frozenset({"explanation", "attendance"})


class MeetingClosed(Event):
    meeting: MeetingId
    minutes: Text
    document: Reference | None = None
    correctable = frozenset({"minutes", "document"})


class MinutesApproved(Event):
    meeting: MeetingId
    objections: tuple[Text, ...] = ()
    correctable = frozenset({"objections"})
