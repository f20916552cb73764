"""One meeting as the log tells it: when it opened, what was recorded in it, how it ended, what came after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from cycle.aggregates.base import Event
from cycle.aggregates.framework.meetings import (
    MeetingAdjourned,
    MeetingCancelled,
    MeetingClosed,
    MeetingConvened,
    MeetingOpened,
    MinutesApproved,
)
from cycle.aggregates.framework.obstacles import ObstacleIdentified
from cycle.aggregates.framework.plan import PlanAgreed, PlanNotAgreed, PlanWithdrawn
from cycle.aggregates.framework.proposals import ActionAmended, ActionProposed
from cycle.aggregates.terms import Presence
from cycle.history import Fact


class Session(Struct, frozen=True):
    """``facts`` are those between the opening and the end; ``opened`` is None where it never was in session."""

    meeting: str
    facts: tuple[Fact, ...]
    ended: Fact
    opened: MeetingOpened | None = None
    approved: Fact | None = None
    following: tuple[MeetingConvened, ...] = ()
    """Later meetings that were not called off."""

    @property
    def attendance(self) -> tuple[Presence, ...]:
        """Who came, as it was counted when it opened, else when it was given up."""
        if self.opened is not None:
            return self.opened.attendance
        data = self.ended.recorded.data
        return data.attendance if isinstance(data, MeetingAdjourned) else ()

    @property
    def plan(self) -> PlanAgreed | None:
        """The plan agreed in it that was not taken back in it again."""
        found = None
        for fact in self.facts:
            match fact.recorded.data:
                case PlanAgreed() as agreed:
                    found = agreed
                case PlanWithdrawn():
                    found = None
        return found

    @property
    def objections(self) -> tuple[str, ...]:
        data = [fact.recorded.data for fact in self.facts]
        raised = [line for each in data if isinstance(each, PlanAgreed | PlanNotAgreed) for line in each.objections]
        if self.approved is not None and isinstance(self.approved.recorded.data, MinutesApproved):
            raised += self.approved.recorded.data.objections
        return tuple(dict.fromkeys(raised))

    def handled(self, kind: str) -> tuple[str, ...]:
        """The ``needs`` or ``obstacles`` that the actions of the session answer, or that were named in it."""
        found: dict[str, None] = {}
        for fact in self.facts:
            for each in _answered(fact.recorded.data, kind):
                found[each] = None
        return tuple(found)


def _answered(data: Event, kind: str) -> Iterator[str]:
    match data:
        case ActionProposed() | ActionAmended():
            yield from getattr(data, kind) or ()
        case PlanAgreed(actions=actions):
            for action in actions:
                yield from getattr(action, kind)
        case ObstacleIdentified(obstacle=number) if kind == "obstacles":
            yield number


def sessions(facts: Sequence[Fact]) -> dict[str, Session]:
    """Every meeting that has ended, by its number."""
    found: dict[str, Session] = {}
    opened: dict[str, int] = {}
    for index, fact in enumerate(facts):
        match fact.recorded.data:
            case MeetingOpened(meeting=meeting):
                opened[meeting] = index
            case MeetingClosed(meeting=meeting) | MeetingAdjourned(meeting=meeting):
                found[meeting] = _session(meeting, facts, opened.get(meeting), index)
    return found


def _session(meeting: str, facts: Sequence[Fact], begin: int | None, end: int) -> Session:
    opening = None if begin is None else facts[begin].recorded.data
    later = facts[end + 1 :]
    return Session(
        meeting=meeting,
        facts=() if begin is None else tuple(facts[begin + 1 : end]),
        ended=facts[end],
        opened=opening if isinstance(opening, MeetingOpened) else None,
        approved=next((fact for fact in later if _approves(fact, meeting)), None),
        following=tuple(_convened(later)),
    )


def _approves(fact: Fact, meeting: str) -> bool:
    return isinstance(fact.recorded.data, MinutesApproved) and fact.recorded.data.meeting == meeting


def _convened(facts: Iterable[Fact]) -> list[MeetingConvened]:
    found: dict[str, MeetingConvened] = {}
    for fact in facts:
        match fact.recorded.data:
            case MeetingConvened() as convened:
                found[convened.meeting] = convened
            case MeetingCancelled(meeting=meeting):
                found.pop(meeting, None)
    return list(found.values())
