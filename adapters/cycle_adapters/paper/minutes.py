"""The minutes of a meeting, on a paper that is a witness of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from cycle.aggregates.framework.attendance import came
from cycle.aggregates.framework.meetings import MeetingAdjourned, MeetingClosed, MeetingConvened
from cycle.aggregates.terms import Presence
from cycle.naming import Names
from cycle.projections.frameworks import MemberRow
from cycle.projections.meetings import MeetingRow, meetings
from cycle.projections.obstacles import obstacles
from cycle.projections.plans import needs
from cycle.telling import sentence
from cycle_adapters.paper.attendance import about, meeting_named
from cycle_adapters.paper.basis import Basis, CannotPrint
from cycle_adapters.paper.session import Session, sessions
from cycle_adapters.paper.typesetting import typeset
from cycle_adapters.paper.witness import Foot, foot
from cycle_adapters.paper.wording import Group, Pair, Wording, grouped


class Came(Struct, frozen=True):
    """``counts`` is empty for a member that stayed away."""

    number: str
    name: str
    counts: tuple[str, ...] = ()


class PlanLine(Struct, frozen=True):
    number: str
    description: str
    responsible: str
    due: str


class Section(Struct, frozen=True):
    title: str
    words: str


class MinutesSheet(Struct, frozen=True):
    """What the template ``minutes.typ`` shows."""

    lang: str
    title: str
    place: str
    page: str
    pairs: tuple[Pair, ...]
    came_title: str
    came_columns: tuple[str, ...]
    came_unknown: str
    absent: str
    groups: tuple[Group[Came], ...]
    needs_title: str
    needs: tuple[str, ...]
    obstacles_title: str
    obstacles: tuple[str, ...]
    decisions_title: str
    decisions: tuple[str, ...]
    nothing_decided: str
    plan_title: str
    plan_words: str
    plan_columns: tuple[str, ...]
    plan: tuple[PlanLine, ...]
    sections: tuple[Section, ...]
    objections_title: str
    objections: tuple[str, ...]
    next_title: str
    next: str
    next_blank: bool
    signatures: tuple[str, ...]
    signature_hint: str
    witness_title: str
    witness_words: str
    foot: Foot


def minutes_sheet(of: Basis, words: Wording, meeting: str | None, note: bytes | None) -> bytes:
    """The minutes of a meeting (None: the last that has ended).

    Raises:
        CannotPrint: no such meeting has ended.
    """
    row, session = _chosen(of, meeting)
    handled_needs, handled_obstacles = session.handled("needs"), session.handled("obstacles")
    agreed = session.plan
    following = session.following[0] if session.following else None
    sheet = MinutesSheet(
        lang=words.language,
        title=words.say("minutes", meeting=row.meeting),
        place=words.place(of),
        page=words.raw("page"),
        pairs=words.head(of, *about(row, words), *_ending(session, words)),
        came_title=words.say("who-came"),
        came_columns=words.columns("number", "member", "women", "men", "youth", "proxies"),
        came_unknown=words.say("attendance-unknown"),
        absent=words.say("absent"),
        groups=_groups(of.members, session.attendance, words),
        needs_title=words.say("handled-needs"),
        needs=tuple(f"{n.need} {n.description}" for n in of.rows(needs) if n.need in handled_needs),
        obstacles_title=words.say("handled-obstacles"),
        obstacles=tuple(f"{o.obstacle} {o.description}" for o in of.rows(obstacles) if o.obstacle in handled_obstacles),
        decisions_title=words.say("decisions"),
        decisions=_decisions(of, session, words),
        nothing_decided=words.say("nothing-decided"),
        plan_title=words.say("plan-agreed"),
        plan_words=words.say("no-plan-agreed")
        if agreed is None
        else words.say("days", starts_on=agreed.window.starts_on, ends_on=agreed.window.ends_on),
        plan_columns=words.columns("number", "action", "responsible", "due"),
        plan=tuple(
            PlanLine(a.action, a.description, of.member(a.responsible), words.word(a.due_on))
            for a in (agreed.actions if agreed is not None else ())
        ),
        sections=tuple(_sections(session, words)),
        objections_title=words.say("objections"),
        objections=session.objections,
        next_title=words.say("next-meeting"),
        next=words.say("next-unknown") if following is None else _next(of, following, words),
        next_blank=following is None,
        signatures=words.columns("chair", "secretary"),
        signature_hint=words.say("name-date-signature"),
        witness_title=words.say("witness"),
        witness_words=words.say("how-to-check"),
        foot=foot(of, note, words),
    )
    return typeset("minutes", sheet, of.recorded_at)


def _chosen(of: Basis, number: str | None) -> tuple[MeetingRow, Session]:
    found = {row.meeting: row for row in of.rows(meetings)}
    ended = sessions(of.facts)
    if number is None:
        if not ended:
            raise CannotPrint("none-held")
        number = list(ended)[-1]
    row = meeting_named(list(found.values()), number)
    if number not in ended:
        raise CannotPrint("not-held", meeting=number)
    return row, ended[number]


def _next(of: Basis, convened: MeetingConvened, words: Wording) -> str:
    """The day may have moved since it was convened."""
    row = meeting_named(of.rows(meetings), convened.meeting)
    return words.say("next-on", meeting=row.meeting, day=row.held_on, place=row.place)


def _ending(session: Session, words: Wording) -> tuple[Pair, ...]:
    """How it ended, and whether enough had come."""
    match session.ended.recorded.data:
        case MeetingAdjourned(reason=reason):
            pairs = [words.pair("outcome", words.say("adjourned", reason=words.word(reason)))]
        case _:
            pairs = [words.pair("outcome", words.say("closed"))]
    if session.opened is not None:
        seen = session.opened.quorum
        members = seen.of or len(session.opened.attendance)
        key = "quorum-waived" if seen.waived else "quorum-seen"
        values = {"present": seen.present, "members": members, "required": seen.required}
        pairs.append(words.pair("quorum", words.say(key, **values)))
    return tuple(pairs)


def _groups(
    members: Mapping[str, MemberRow], attendance: Iterable[Presence], words: Wording
) -> tuple[Group[Came], ...]:
    """Those who were counted, as they sit."""
    counted: dict[str, Presence] = {presence.member: presence for presence in attendance}

    def line(row: MemberRow) -> Came:
        there = counted[row.member]
        numbers = (there.women, there.men, there.youth, there.proxies)
        return Came(row.member, row.name, tuple(map(words.word, numbers)) if came(there) else ())

    return grouped([row for number, row in members.items() if number in counted], line, words)


def _decisions(of: Basis, session: Session, words: Wording) -> tuple[str, ...]:
    """What was recorded between the opening and the end, in sentences with names beside the numbers."""
    names = Names(words.language)
    for fact in of.facts:
        names.learn(fact.recorded)
    return tuple(names.beside(fact.recorded, sentence(fact.recorded, words.language)) for fact in session.facts)


def _sections(session: Session, words: Wording) -> Iterable[Section]:
    match session.ended.recorded.data:
        case MeetingAdjourned(explanation=explanation):
            yield Section(words.say("why-adjourned"), explanation)
        case MeetingClosed(minutes=minutes, document=document):
            more = "" if document is None else f"\n{words.say('document', document=document)}"
            yield Section(words.say("in-short"), minutes + more)
            approved = session.approved
            on = None if approved is None else approved.recorded.occurred_on
            said = words.say("not-approved") if on is None else words.say("approved-on", on=on)
            yield Section(words.say("approval"), said)
