"""A state of a framework in lines that a reader can compare: what ``replay`` ends with, what ``diff`` compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Action, Contribution, Framework, Member, Obstacle
from cycle.aggregates.terms import MemberId
from cycle.catalogue import Language, has, joined, listed, pair, shown, text
from cycle.history import Fact
from cycle.telling import corrected, fact_as_json, worth


class Line(Struct, frozen=True):
    """One thing that a state says. ``key`` tells lines of two states that are about the same.

    ``parts``: what it is made of, each under a key of its own. ``entry``: where it is a list, what one of it is called.
    """

    key: str
    label: str
    value: str
    parts: Mapping[str, str]
    entry: str = ""


class Changed(Struct, frozen=True):
    """A line before and after; words where there is none: a state forgets what is settled."""

    key: str
    label: str
    before: str
    after: str


def told(state: Framework, language: Language) -> list[Line]:
    """What a reader asks first, then every action, promise, obstacle and need that is open."""
    return list(_lines(state, language))


def _lines(state: Framework, language: Language) -> Iterator[Line]:
    def said(value: object) -> str:
        return str(shown(value, language))

    def label(kind: str) -> str:
        return text(f"message.{kind}", language)

    def short(kind: str, value: str) -> Line:
        return Line(kind, label(kind), value, {kind: value})

    def several(kind: str, entry: str, value: str, parts: Mapping[str, str]) -> Line:
        return Line(kind, label(kind), value, parts, label(entry))

    def one(kind: str, number: str, name: str, parts: Mapping[str, str], called: str = "") -> Line:
        told = f"{label(called or kind)} {number}, {name}"
        return Line(f"{kind} {number}", told, ", ".join(parts.values()), {"name": name, **parts})

    plan, committee, mandate, meeting = state.plan, state.committee, state.mandate, state.meeting
    yield short("stage", said(state.stage))
    yield short("cycle", said(state.cycle))
    members = {f"member {m.id}": f"{m.name} ({m.id})" for m in state.members.values()}
    yield several("members", "member", listed(members.values(), language) or "—", members)
    if plan:
        version = text("message.negotiated-in", language, "", cycle=plan.cycle, version=plan.version)
        closed = ", " + text("message.closed-on", language, "", day=plan.closed_on) if plan.closed_on else ""
        yield short("plan", f"{version} ({said(plan.window.starts_on)} – {said(plan.window.ends_on)}){closed}")
    if meeting:
        yield short("meeting", f"{meeting.id}, {said(meeting.held_on)} ({said(meeting.stage)})")
    if committee:
        seats = {f"seat {seat.person}": f"{seat.person} ({seat.member})" for seat in committee.seats}
        yield several("committee", "committee", listed(seats.values(), language), seats)
    if mandate:
        version = text("message.negotiated-in", language, "", cycle=mandate.cycle, version=mandate.version)
        tasks = {f"task {task}": task for task in mandate.tasks}
        told = f"{version} ({joined(mandate.tasks, language)})"
        yield several("mandate", "mandate", told, {"mandate version": version, **tasks})
    for action in state.actions.values():
        yield one("action", action.id, action.description, _action(action, state, language))
    for promise in state.contributions.values():
        member = _member(promise.member, state.members)
        yield one("contribution", promise.id, member, _promise(promise, language), "promise")
    for obstacle in state.obstacles.values():
        yield one("obstacle", obstacle.id, obstacle.description, _obstacle(obstacle, language))
    for need in state.needs.values():
        parts = {"kind": said(need.kind), "profession": _member(need.profession, state.members)}
        yield one("need", need.id, need.description, parts)


def _member(member: MemberId | None, members: Mapping[MemberId, Member]) -> str:
    return f"{members[member].name} ({member})" if member and member in members else (member or "—")


def _action(action: Action, state: Framework, language: Language) -> dict[str, str]:
    percent = text("message.percent-of", language, percent=action.percent)
    parts = {"stage": str(shown(action.stage, language)), "percent": percent}
    if action.due_on:
        parts["due"] = pair(text("message.due", language).lower(), str(shown(action.due_on, language)), language)
    if action.responsible:
        parts["responsible"] = _member(action.responsible, state.members)
    return parts


def _promise(promise: Contribution, language: Language) -> dict[str, str]:
    received = promise.received
    nothing = received.amount_xof is None and received.quantity is None
    got = "0" if nothing else worth(received, language)
    pledged, came = (text(f"message.{word}", language).lower() for word in ("pledged", "received"))
    return {"pledged": f"{pledged} {worth(promise.pledged, language)}", "received": f"{came} {got}"}


def _obstacle(obstacle: Obstacle, language: Language) -> dict[str, str]:
    severity = pair(text("message.severity", language).lower(), str(obstacle.severity), language)
    return {"stage": str(shown(obstacle.stage, language)), "severity": severity}


def changed(
    before: Sequence[Line], after: Sequence[Line], between: Sequence[Fact], language: Language, *, backward: bool
) -> list[Changed]:
    """What differs between two states, in the order in which states are told: of a list entry by entry.

    ``between`` are the facts that lead from the earlier to the later: they say what became of what is
    told no longer. ``backward`` says that ``after`` is the earlier one.
    """
    was, now = ({line.key: line for line in lines} for lines in (before, after))
    not_yet = text("message.new-here", language)

    def beside(key: str, label: str, a: str | None, b: str | None, fate: str) -> Changed:
        missing = (fate, not_yet) if backward else (not_yet, fate)
        return Changed(key, label, a or missing[0], b or missing[1])

    found = []
    for key in dict.fromkeys((*was, *now)):
        a, b = was.get(key), now.get(key)
        if a is None or b is None:
            one = a or now[key]
            fate = became(key, between, language)
            found.append(beside(key, one.label, a.value if a else None, b.value if b else None, fate))
            continue
        differing = [part for part in dict.fromkeys((*a.parts, *b.parts)) if a.parts.get(part) != b.parts.get(part)]
        if a.entry:
            gone = text("message.gone-here", language)
            found += [beside(part, a.entry, a.parts.get(part), b.parts.get(part), gone) for part in differing]
        elif differing:
            old, new = (", ".join(line.parts[part] for part in differing if part in line.parts) for line in (a, b))
            found.append(Changed(key, b.label, old or "—", new or "—"))
    return found


def became(key: str, facts: Sequence[Fact], language: Language) -> str:
    """How something that a state tells no longer came to its end: kept, waived, not kept, withdrawn …"""
    kind, _, number = key.partition(" ")
    if not number:
        # Of these a framework has one or none: a meeting that is over is not settled.
        return text("message.none-now", language)
    for fact in reversed(facts):
        data = fact.recorded.data
        own, _, end = data.type.partition("-")
        key = f"word.{kind}-{end}" if has(f"word.{kind}-{end}") else f"word.{end}"
        if own == kind and getattr(data, kind, None) == number and has(key):
            return text(key, language)
    return text("word.need-answered" if kind == "need" else "message.no-longer-open", language)


class Compared(Struct, frozen=True):
    """Two moments of a framework: the facts of the later one, those of them between the two, and what differs."""

    facts: Sequence[Fact]
    between: Sequence[Fact]
    changes: Sequence[Changed]


def compared(before: Sequence[Fact], after: Sequence[Fact], language: Language) -> Compared:
    """What changed between two moments, forward or back."""
    was, now = (
        told(framework.fold(framework.initial, (fact.recorded for fact in facts)), language)
        for facts in (before, after)
    )
    backward = len(before) > len(after)
    less, more = (after, before) if backward else (before, after)
    known = {fact.position for fact in less}
    between = [fact for fact in more if fact.position not in known]
    return Compared(more, between, changed(was, now, between, language, backward=backward))


def compared_as_json(found: Compared, language: Language) -> dict[str, object]:
    """The same for programs."""
    corrections_of = corrected(found.facts)
    return {
        "facts": [fact_as_json(fact, language, corrections_of) for fact in found.between],
        "changes": [
            {"what": each.key, "label": each.label, "before": each.before, "after": each.after}
            for each in found.changes
        ],
    }
