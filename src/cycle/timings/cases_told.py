"""The cases of shares in a line each, for people."""

from __future__ import annotations

from decimal import Decimal

from cycle.catalogue import Language, text
from cycle.timings.cases import ActionCase, AnyCase, MeetingCase, NeedCase, PromiseCase, RecordingCase
from cycle.timings.telling import unit_told


def case_told(case: AnyCase, language: Language) -> str:
    """What a case is, and what became of it."""
    match case:
        case ActionCase():
            return _action(case, language)
        case PromiseCase():
            return _promise(case, language)
        case NeedCase():
            return _need(case, language)
        case MeetingCase():
            return _meeting(case, language)
        case RecordingCase():
            values = {"month": case.month, "facts": case.facts, "slowest": case.slowest.lag}
            return text("timing-case.recording", language, "", **values)


def _action(case: ActionCase, language: Language) -> str:
    ended = case.ended
    return text(
        "timing-case.action",
        language,
        "",
        cycle=case.cycle,
        action=case.action,
        due_on=case.due_on,
        outcome=case.outcome if ended else None,
        ended_on=ended and ended.on,
        added=text("timing-case.added", language) if case.added else None,
    )


def _promise(case: PromiseCase, language: Language) -> str:
    due = case.due_promises > 0
    return text(
        "timing-case.promise",
        language,
        "",
        member=case.member,
        nature=case.nature,
        unit=unit_told(case.unit, language),
        received=Decimal(case.received),
        pledged=Decimal(case.pledged),
        received_by_due=Decimal(case.received_by_due) if due else None,
        due=Decimal(case.due) if due else None,
    )


def _need(case: NeedCase, language: Language) -> str:
    return text(
        "timing-case.need",
        language,
        "",
        need=case.need,
        cycle=case.cycle,
        planned_in=case.planned_in,
        completed_on=case.completed and case.completed.on,
        withdrawn_on=case.withdrawn and case.withdrawn.on,
        waited=case.waited or None,
    )


def _meeting(case: MeetingCase, language: Language) -> str:
    listed = case.listed
    return text(
        "timing-case.meeting",
        language,
        "",
        meeting=case.meeting,
        cycle=case.cycle,
        women=case.women if listed else None,
        men=case.men if listed else None,
        youth=case.youth if listed else None,
        present=case.present if listed else None,
        members=case.members if listed else None,
        unlisted=None if listed else text("timing-case.unlisted", language),
    )
