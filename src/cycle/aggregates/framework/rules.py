"""What several areas ask: is it known, is the policy there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cycle.aggregates.base import Event, Finding, Recorded, Role, Value, refusal
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ActionId, MemberId, NeedId, ObstacleId
from cycle.policy import Policy

CALL_FACILITATOR = (Role.FACILITATOR,)


def policy_of(known: Known) -> Policy:
    """The policy that the framework runs under.

    Raises:
        Refused: ``policy-unknown``: it is not published in this log.
    """
    if known.policy is None:
        raise refusal("policy-unknown", lift=(Role.PROGRAMME,))
    return known.policy


def list_of(**values: Value) -> Mapping[str, Value]:
    """Values of a finding in which an empty list reads as a dash."""
    return {name: value if value != () else ("—",) for name, value in values.items()}


def member_is_known(state: Framework, member: MemberId) -> Finding:
    known = tuple(f"{m.id} {m.name}" for m in state.members.values())
    return Finding("unknown-member", member in state.members, values=list_of(member=member, known=known))


def members_are_known(state: Framework, members: Iterable[MemberId]) -> tuple[Finding, ...]:
    return tuple(member_is_known(state, member) for member in members)


def need_is_open(state: Framework, need: NeedId) -> Finding:
    return Finding("unknown-need", need in state.needs, values=list_of(need=need, known=tuple(state.needs)))


def action_is_known(state: Framework, action: ActionId) -> Finding:
    """An action of the plan of this cycle, proposed or agreed."""
    known = tuple(a.id for a in state.negotiated())
    return Finding("unknown-action", action in known, values=list_of(action=action, known=known))


def obstacle_is_open(state: Framework, obstacle: ObstacleId) -> Finding:
    known = tuple(o.id for o in state.open_obstacles())
    return Finding("unknown-obstacle", obstacle in known, values=list_of(obstacle=obstacle, known=known))


def not_twice(what: Iterable[str]) -> Finding:
    given = tuple(what)
    twice = tuple(sorted({item for item in given if given.count(item) > 1}))
    return Finding("named-twice", not twice, values=list_of(twice=twice))


def unchanged(state: Framework, recorded: Recorded[Event]) -> Framework:
    """Facts that no decision depends on."""
    return state
