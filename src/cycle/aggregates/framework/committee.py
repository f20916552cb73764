"""The monitoring committee and its evolving mandate."""

from __future__ import annotations

from cycle.aggregates.base import Check, Event
from cycle.aggregates.terms import MandateCause, Reference, Seat, Text


class CommitteeInstalled(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()


class CommitteeKept(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()


class CommitteeRenewed(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()


class CommitteeMemberReplaced(Event):
    cycle: int
    leaves: Reference
    seat: Seat
    reason: Text
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"reason"})


class MandateDefined(Event):
    cycle: int
    mandate_version: int
    tasks: tuple[Text, ...]
    cause: MandateCause


class MandateAmended(Event):
    cycle: int
    mandate_version: int
    tasks: tuple[Text, ...]
    cause: MandateCause
