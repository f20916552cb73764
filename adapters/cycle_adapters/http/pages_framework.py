"""One framework: where it stands, what to do in the stage that it is in, and what it holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cycle.aggregates.framework.council import FollowDeliberation
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.terms import Worth
from cycle.board import BACKWARD, Hands, days_left, nearest_first
from cycle.catalogue import Language, shown, word
from cycle.projections.frameworks import FrameworkRow
from cycle.projections.meetings import MeetingRow
from cycle.projections.plans import CommitmentRow, PlanRow
from cycle.reading import Filters
from cycle.telling import (
    brief,
    leads_to,
    option_label,
    overdue_line,
    request_lines,
    steps,
    whom_to_call,
    why_suspended,
    worth,
)
from cycle_adapters.http.pages_board import left
from cycle_adapters.http.pages_desk import AtPlace, Place
from cycle_adapters.http.pages_doing import SPECIAL, beside
from cycle_adapters.http.pages_replay import lines
from cycle_adapters.http.parameters import Position

CYCLE = (
    Stage.DELIBERATION, Stage.NEEDS_IDENTIFICATION, Stage.MEETING, Stage.PLAN, Stage.MONITORING, Stage.ADJUSTMENT,
)  # fmt: skip
"""The stages in the order in which a cycle goes through them."""
FACTS_PER_PAGE = 40
PENDING, ENDED = ("convened", "open"), ("closed", "adjourned")
"""Stages of a meeting that has a sheet to sign, and of one that has minutes."""


def framework_pages() -> APIRouter:
    """One framework, and its history."""
    router = APIRouter()

    @router.get("/frameworks/{identity}", response_class=HTMLResponse)
    def one(place: AtPlace) -> HTMLResponse:
        reader, state, language = place.desk.reader, place.state, place.desk.language
        today = reader.engine.today(state.zone)
        filters = Filters(framework=place.id)
        row = cast("list[FrameworkRow]", reader.rows("frameworks", filters))[0]
        days = days_left(row, today)
        suspended = state.stage is Stage.SUSPENDED
        return place.desk.page(
            "framework.html",
            place=place,
            why=why_suspended(reader.history(place.id), language) if suspended else "",
            stages=stepper(state, language),
            left=left(days, language),
            over=days is not None and days < 0,
            late=[overdue_line(each, state, language) for each in reader.overdue(today, filters)],
            requests=requests(place, today),
            beside=beside(place),
            today=today,
            **told_steps(place),
            **held(place),
            papers=papers(place),
        )

    @router.get("/frameworks/{identity}/history", response_class=HTMLResponse)
    def history(place: AtPlace, after: Annotated[Position, Query()] = 0) -> HTMLResponse:
        language = place.desk.language
        facts = place.desk.reader.framework_facts(place.id)
        shown_facts = [fact for fact in facts if fact.position > after]
        told = lines(shown_facts[:FACTS_PER_PAGE], facts, language)
        before = [fact.position for fact in facts if fact.position <= after]
        return place.desk.page(
            "history.html",
            place=place,
            facts=told,
            count=len(facts),
            first=len(facts) - len(shown_facts) + 1,
            corrects=place.desk.hands(place.state.commune).may("correct-fact"),
            papers=papers(place, minutes=True),
            after=told[-1]["position"] if len(shown_facts) > FACTS_PER_PAGE else None,
            before=page_before(before),
        )

    return router


def page_before(earlier: list[int]) -> int | None:
    """Behind which position the page before begins; None on the first one."""
    if not earlier:
        return None
    return earlier[-FACTS_PER_PAGE - 1] if len(earlier) > FACTS_PER_PAGE else 0


def papers(place: Place, *, minutes: bool = False) -> list[dict[str, str]]:
    """What there is to print and to take over into an agenda, for whoever may carry it out; or all minutes, no more."""
    hands, base = place.desk.hands(place.state.commune), f"/api/v1{place.base}"
    found: list[dict[str, str]] = []

    def add(name: str, path: str, **values: object) -> None:
        found.append({"name": place.desk.say(f"paper-{name}", **values), "path": path})

    if not hands.carries_out("export-paper"):
        return found
    filters = Filters(framework=place.id)
    meetings = cast("list[MeetingRow]", place.desk.reader.rows("meetings", filters))
    ended = [row for row in reversed(meetings) if row.stage in ENDED]
    if not minutes:
        for plan in cast("list[PlanRow]", place.desk.reader.rows("plans", filters)):
            if plan.in_force:
                add("plan", f"{base}/plan.pdf?cycle={plan.cycle}", cycle=plan.cycle)
        for row in meetings:
            if row.stage in PENDING:
                add("attendance", f"{base}/attendance.pdf?meeting={row.meeting}", meeting=row.meeting)
    for row in ended if minutes else ended[:1]:
        about = {"meeting": row.meeting, "day": shown(row.held_on, place.desk.language)}
        add("minutes", f"{base}/minutes.pdf?meeting={row.meeting}", **about)
    if not minutes and hands.carries_out("export-calendar"):
        add("days", f"/api/v1/calendar.ics?framework={place.id}")
    return found


def stepper(state: Framework, language: Language) -> list[dict[str, str]]:
    """Every stage of the cycle: done, current or to come; of a framework that rests, where it rested.

    None of one that is dissolved: it goes through no stage any more, and had not gone through all.
    """
    if state.stage is Stage.DISSOLVED:
        return []
    now = state.suspended_from if state.stage is Stage.SUSPENDED else state.stage
    at = CYCLE.index(now) if now in CYCLE else len(CYCLE)
    return [
        {
            "name": word(stage, language),
            "how": "done" if number < at else "current" if number == at else "to-come",
        }
        for number, stage in enumerate(CYCLE)
    ]


def told_steps(place: Place) -> dict[str, Any]:
    """What may happen next: moves first, each with what it waits for; what the reader can do has a link."""
    state, language = place.state, place.desk.language
    hands = place.desk.hands(state.commune)
    today = place.desk.engine.today(state.zone)
    found = steps(place.desk.reader.options(place.id))

    def option(each: Option) -> dict[str, Any]:
        to = leads_to(each, state, today)
        label = option_label(each, language)
        return {
            "command": each.command,
            "label": f"{label} → {shown(to, language)}" if to else label,
            "mine": each.allowed and each.command not in SPECIAL and hands.may(each.command),
            "roles": whom_to_call(each.roles, language),
            "reasons": [brief(finding, state.members, language) for finding in each.refused_by],
            "warnings": [brief(finding, state.members, language) for finding in each.warnings],
        }

    missing = [
        {
            "moves": [option(move) for move in each.moves],
            "reasons": [brief(finding, state.members, language) for finding in each.findings],
        }
        for each in found.missing
    ]
    # What goes back is possible, and stands behind what one more often comes for.
    onward = [move for move in found.moves if move.command not in BACKWARD]
    back = [move for move in found.moves if move.command in BACKWARD]
    moves, possible = ([option(each) for each in some] for some in (onward, (*nearest_first(found.possible), *back)))
    return {
        "moves": moves,
        "missing": missing,
        "tasks": [each for each in possible if each["mine"]],
        "others": [each for each in possible if not each["mine"]],
        "not_yet": [option(each) for each in found.not_yet],
        "any_time": _any_time([option(each) for each in found.any_time], hands),
        "idle": not (moves or missing or possible),
    }


def _any_time(options: list[dict[str, Any]], hands: Hands) -> list[dict[str, Any]]:
    """What belongs to no stage: only what the reader may do, and what the deliberation brings."""
    wanted = [each for each in options if each["command"] not in SPECIAL]
    return [each for each in wanted if hands.may(each["command"]) or each["command"] == FollowDeliberation.type]


def requests(place: Place, today: Any) -> list[dict[str, Any]]:
    """What waits for a second person."""
    hands = place.desk.hands(place.state.commune)
    rows = place.desk.reader.requests(place.id, today)
    return [
        {"id": row.request, "lines": request_lines(row, place.desk.language), "mine": hands.confirms(row)}
        for row in rows
    ]


def _number(name: str) -> int:
    """The number in ``N-10``, which comes after ``N-9``."""
    return int(name.rpartition("-")[2])


def _worth(value: Decimal, unit: str) -> Worth:
    return Worth(amount_xof=int(value)) if unit == "XOF" else Worth(quantity=value, unit=unit)


def held(place: Place) -> dict[str, Any]:
    """What a framework holds: plan, actions, obstacles, contributions in two ledgers, members, needs."""
    reader, filters = place.desk.reader, Filters(framework=place.id)

    def rows(name: str, numbered: str = "") -> list[Any]:
        found = list(reader.rows(name, filters))
        return sorted(found, key=lambda row: _number(getattr(row, numbered))) if numbered else found

    plans = [plan for plan in rows("plans") if plan.in_force]
    cycles = {plan.cycle for plan in plans} | {place.state.cycle}
    promises = cast("list[CommitmentRow]", rows("commitments", "contribution"))
    ledgers: dict[str, list[CommitmentRow]] = {}
    for promise in promises:
        if promise.cycle in cycles:
            ledgers.setdefault(promise.ledger, []).append(promise)
    return {
        "plans": plans,
        "actions": [action for action in rows("actions", "action") if action.cycle in cycles],
        "obstacles": [obstacle for obstacle in rows("obstacles", "obstacle") if obstacle.closed_on is None],
        "ledgers": ledgers,
        "members": list(place.state.members.values()),
        "amount": lambda value, unit: worth(_worth(value, unit), place.desk.language),
        "names": {member.member: member.name for member in rows("members")},
        "needs": [need for need in rows("needs", "need") if need.status == "open"],
    }
