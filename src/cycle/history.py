"""Histories on two time axes: what was held on a day, what was believed at a moment.

*Believed* history is the history in which every correction stands in the fact that it corrects. The
correction stays in its own place, and so does the order: recorded order, never the date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.corrections import Change, FactCorrected, applied
from cycle.aggregates.standing import held


class Fact(Struct, frozen=True, gc=False):
    """A recorded event where it stands in the store."""

    position: int
    recorded: Recorded[Event]


class Cutoffs(Struct, frozen=True):
    """Which part of a history to look at.

    ``at``: up to this global position. ``known_at``: recorded at or before this moment. ``as_of``:
    held on this day, corrections applied: it happened by then, and so did all that it stands on
    (``cycle.aggregates.standing``). Absent: everything.
    """

    as_of: date | None = None
    known_at: datetime | None = None
    at: int | None = None

    def cut(self, history: Iterable[Fact], *, corrected: bool = True) -> list[Fact]:
        """The history inside the cut-offs: as it was believed there, or (not ``corrected``) as it was recorded.

        Which facts are held on a day is the same either way.
        """
        facts = [
            fact
            for fact in history
            if (self.at is None or fact.position <= self.at)
            and (self.known_at is None or fact.recorded.recorded_at <= self.known_at)
        ]
        right = believed([fact.recorded for fact in facts])
        shown = [Fact(f.position, r) for f, r in zip(facts, right, strict=True)] if corrected else facts
        if self.as_of is None:
            return shown
        return [fact for fact, since in zip(shown, held(right), strict=True) if since.since <= self.as_of]


EVERYTHING = Cutoffs()


class Corrected(Exception):  # noqa: N818
    """A history holds a correction: it cannot be folded before it is whole."""


def believed(history: Sequence[Recorded[Event]]) -> Sequence[Recorded[Event]]:
    """The history with every correction applied to its fact; the same object when there is none.

    Several streams may be mixed; a correction is about its own stream.
    """
    corrections: dict[tuple[str, int], list[Change]] = {}
    for recorded in history:
        if type(recorded.data) is FactCorrected:
            key = recorded.stream, recorded.data.fact_version
            corrections.setdefault(key, []).extend(recorded.data.changes)
    if not corrections:
        return history
    return [
        applied(recorded, corrections[key]) if (key := (recorded.stream, recorded.version)) in corrections else recorded
        for recorded in history
    ]
