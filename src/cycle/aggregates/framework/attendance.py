"""Who came to a meeting and who stayed away, and whether they were enough."""

from __future__ import annotations

from collections.abc import Iterable

from cycle.aggregates.base import Finding, Role, ruled
from cycle.aggregates.framework.rules import list_of, members_are_known, not_twice, policy_of
from cycle.aggregates.framework.state import Framework, Quorum
from cycle.aggregates.known import Known
from cycle.aggregates.terms import MemberId, Presence
from cycle.policy import at_least


def came(presence: Presence) -> bool:
    """Somebody of a member was there, or somebody who held its proxy."""
    return bool(presence.women or presence.men or presence.proxies)


def with_the_absent(attendance: tuple[Presence, ...], members: Iterable[MemberId]) -> tuple[Presence, ...]:
    """The attendance with a line of zeros for each member that has none: who stays away is seen."""
    named = {presence.member for presence in attendance}
    return (*attendance, *(Presence(member) for member in members if member not in named))


def present(state: Framework, attendance: tuple[Presence, ...]) -> tuple[MemberId, ...]:
    """The members of now for whom somebody came or holds a proxy."""
    there = {presence.member for presence in attendance if came(presence)}
    return tuple(member for member in state.members if member in there)


def quorum_of(state: Framework, attendance: tuple[Presence, ...], call: int, known: Known) -> Quorum:
    """What the policy's quorum makes of an attendance."""
    policy = policy_of(known)
    required = at_least(policy.meeting_quorum.value, len(state.members))
    count = len(present(state, attendance))
    waived = call > 1 and policy.second_call_waives_quorum.value and count < required
    members = len(state.members)
    return Quorum(policy.article(policy.meeting_quorum), required, count, waived or count >= required, waived, members)


def quorum_finding(state: Framework, quorum: Quorum, attendance: tuple[Presence, ...], known: Known) -> Finding:
    policy = policy_of(known)
    there = present(state, attendance)
    absent = tuple(f"{m.id} {m.name}" for m in state.members.values() if m.id not in there)
    values = list_of(required=quorum.required, present=quorum.present, members=len(state.members), absent=absent)
    lift = (Role.FACILITATOR, Role.ORGANISATION)
    return ruled("no-quorum", policy, policy.meeting_quorum, quorum.met, lift=lift, **values)


def quorum_now(state: Framework, known: Known) -> Iterable[Finding]:
    """The quorum holds among those who are members now (policy)."""
    if state.meeting is None or not state.in_session():
        return
    quorum = quorum_of(state, state.meeting.attendance, state.meeting.call, known)
    yield quorum_finding(state, quorum, state.meeting.attendance, known)


def attendance_holds(state: Framework, attendance: tuple[Presence, ...]) -> tuple[Finding, ...]:
    members = [p.member for p in attendance]
    youth = tuple(p.member for p in attendance if p.youth > p.women + p.men)
    return (
        *members_are_known(state, members),
        not_twice(members),
        Finding("more-youth-than-people", not youth, values=list_of(members=youth)),
    )
