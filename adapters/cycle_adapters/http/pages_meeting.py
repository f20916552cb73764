"""The meeting, one step after the other, with targets that a thumb hits: each a form over a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from msgspec import Struct

from cycle.aggregates.base import Finding
from cycle.aggregates.framework.state import Framework, Stage
from cycle.catalogue import pair, shown, text, word
from cycle.telling import brief, members_named, what_helps, worth
from cycle_adapters.http.pages_desk import READ_FIRST, AtPlace, Fields, Place, Typed
from cycle_adapters.http.pages_doing import form_of
from cycle_adapters.http.pages_form import fresh
from cycle_adapters.http.pages_sent import carried_out, given_back

TICK = "_came."


class Step(Struct, frozen=True):
    """One page of the meeting: the commands that are said on it, the first one with its form open."""

    name: str
    commands: tuple[str, ...]


STEPS = (
    Step(
        "invitation",
        ("convene-meeting", "send-invitations", "arrange-logistics", "postpone-meeting", "cancel-meeting"),
    ),
    Step("attendance", ("open-meeting", "adjourn-meeting")),
    Step("needs", ("identify-need", "validate-needs")),
    Step("obstacles", ("agree-solution", "resolve-obstacle", "raise-obstacle")),
    Step("proposals", ("propose-action", "amend-action", "withdraw-action", "rank-actions")),
    Step("pledges", ("pledge-contribution",)),
    Step("decision", ("agree-plan", "record-disagreement", "adjourn-meeting")),
    Step("committee", ("install-committee", "keep-committee", "renew-committee", "define-mandate")),
    Step("minutes", ("close-meeting", "approve-minutes")),
)
NAMES = {step.name: step for step in STEPS}


def meeting_pages() -> APIRouter:
    """The steps of a meeting."""
    router = APIRouter()

    @router.get("/frameworks/{identity}/meeting", response_class=HTMLResponse)
    def meeting(place: AtPlace, step: str = "") -> HTMLResponse:
        return page(place, NAMES.get(step) or current(place.state))

    @router.post("/frameworks/{identity}/meeting/attendance", dependencies=READ_FIRST)
    def attendance(place: AtPlace, posted: Fields) -> Response:
        return carried_out(place.desk, form_of(place, "open-meeting", ""), ticked(posted))

    @router.post("/frameworks/{identity}/meeting/attendance/again", dependencies=READ_FIRST)
    def attendance_again(place: AtPlace, typed: Typed) -> Response:
        return given_back(form_of(place, "open-meeting", ""), ticked(typed))

    return router


def current(state: Framework) -> Step:
    """The step at which a framework is."""
    if state.stage is not Stage.MEETING:
        return NAMES["minutes"] if state.in_session() else NAMES["invitation"]
    if state.meeting is None or state.meeting.stage in ("closed", "adjourned"):
        return NAMES["invitation"]
    return NAMES["proposals"] if state.in_session() else NAMES["attendance"]


def ticked(posted: Fields) -> dict[str, Any]:
    """The attendance list with those members only who are ticked; whoever is, came with somebody."""
    rows = sorted({name.split(".")[1] for name in posted if name.startswith("attendance.")})
    away = [row for row in rows if TICK + row not in posted]
    left_out = tuple(f"attendance.{row}." for row in away)
    return {name: values for name, values in posted.items() if not name.startswith((*left_out, TICK))}


def page(place: Place, step: Step) -> HTMLResponse:
    """One step: what is there already, what can be said here, and why what cannot be yet."""
    desk, language, state = place.desk, place.desk.language, place.state
    hands, here = desk.hands(state.commune), [command for command in step.commands if command in place.options]
    # What is not possible yet is there, too: where there is no line, it will be when it is sent.
    offered = [
        (command, text(f"command.{command}", language), not place.not_yet(command))
        for command in step.commands
        if hands.may(command)
    ]
    number = STEPS.index(step)
    form = None
    if offered and offered[0][0] == "open-meeting" and not state.in_session():
        form = form_of(place, "open-meeting", "")
    begun = fresh(form.act, form.today, form.subject.version, {}) if form else None
    return desk.page(
        "meeting.html",
        place=place,
        step=step.name,
        steps=[(each.name, text(f"message.meeting-{each.name}", language)) for each in STEPS],
        number=number + 1,
        back=STEPS[number - 1].name if number else None,
        onward=STEPS[number + 1].name if number + 1 < len(STEPS) else None,
        offered=offered,
        here=here,
        why=what_is_missing(place, here),
        lines=LINES[step.name](place),
        form=form,
        filled=begun,
        members=list(state.members.values()),
        **(form.envelope(begun) if form and begun else {}),
    )


def what_is_missing(place: Place, commands: Sequence[str]) -> list[str]:
    """Why something cannot be said yet: one line where the same would help the same people."""
    language, members = place.desk.language, place.state.members
    found: dict[tuple[str, ...], Finding] = {}
    for command in commands:
        for finding in place.options[command].refused_by:
            found.setdefault((what_helps(finding, language), *members_named(finding, members)), finding)
    return [brief(finding, members, language) for finding in found.values()]


def _actions(place: Place) -> list[str]:
    state, language = place.state, place.desk.language
    found = []
    for action in state.negotiated():
        owner = state.members.get(action.responsible) if action.responsible else None
        parts = [owner.name if owner else text("message.nobody-yet", language)]
        if action.due_on:
            parts.append(_word(place, action.due_on))
        found.append(f"{action.id} · {action.description} ({', '.join(parts)})")
    return found


def _word(place: Place, value: object) -> str:
    return str(shown(value, place.desk.language))


def _pledges(place: Place) -> list[str]:
    state, language = place.state, place.desk.language
    return [
        f"{each.id} · {state.members[each.member].name if each.member in state.members else each.member}, "
        f"{word(each.nature, language)} {worth(each.pledged, language)}" + (f" → {each.action}" if each.action else "")
        for each in state.contributions.values()
    ]


def _needs(place: Place) -> list[str]:
    return [f"{each.id} · {each.description}" for each in place.state.needs.values()]


def _obstacles(place: Place) -> list[str]:
    return [
        f"{each.id} · {each.description} ({word(each.stage, place.desk.language)})"
        for each in place.state.open_obstacles()
    ]


def _meeting(place: Place) -> list[str]:
    meeting = place.state.meeting
    if meeting is None:
        return []
    return [f"{meeting.id} · {_word(place, meeting.held_on)} ({_word(place, meeting.stage)})"]


def _attendance(place: Place) -> list[str]:
    meeting, members = place.state.meeting, place.state.members
    if meeting is None or not meeting.attendance:
        return _meeting(place)
    say = place.desk.say
    return [
        pair(
            members[each.member].name if each.member in members else each.member,
            ", ".join(f"{say(part).lower()} {getattr(each, part)}" for part in ("women", "men", "youth")),
            place.desk.language,
        )
        for each in meeting.attendance
    ]


def _committee(place: Place) -> list[str]:
    committee, members = place.state.committee, place.state.members
    return [
        pair(members[seat.member].name if seat.member in members else seat.member, seat.person, place.desk.language)
        for seat in (committee.seats if committee else ())
    ]


LINES = {
    "invitation": _meeting,
    "attendance": _attendance,
    "needs": _needs,
    "obstacles": _obstacles,
    "proposals": _actions,
    "pledges": _pledges,
    "decision": _actions,
    "committee": _committee,
    "minutes": _meeting,
}
"""What each step shows of what is there already."""
