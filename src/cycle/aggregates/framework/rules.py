"""What several areas ask: is it known, is the policy there, does an amount say something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from cycle.aggregates.base import Finding, Role, Value, refusal
from cycle.aggregates.framework.state import Action, Framework
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ActionId, MemberId, Nature, NeedId, ObstacleId, Worth
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


def runs(state: Framework, action: ActionId) -> list[Finding]:
    """The action is one of this plan and has no outcome."""
    found = [action_is_known(state, action)]
    if found[0].met:
        stage = state.actions[action].stage
        found.append(Finding("action-is-final", not stage.final, values={"action": action, "stage": stage.value}))
    return found


def obstacle_is_open(state: Framework, obstacle: ObstacleId) -> Finding:
    known = tuple(o.id for o in state.open_obstacles())
    return Finding("unknown-obstacle", obstacle in known, values=list_of(obstacle=obstacle, known=known))


def not_twice(what: Iterable[str]) -> Finding:
    given = tuple(what)
    twice = tuple(sorted({item for item in given if given.count(item) > 1}))
    return Finding("named-twice", not twice, values=list_of(twice=twice))


def countable(quantity: Decimal) -> bool:
    """A number that people could have counted: JSON would let ``NaN`` and ``1E+999999`` through."""
    return quantity.is_finite() and abs(quantity) < 10**12 and quantity == round(quantity, 6)


def worth_is_clear(worth: Worth) -> Finding:
    """Either whole XOF, or a quantity with its unit, and more than nothing."""
    if worth.amount_xof is not None:
        met = worth.amount_xof > 0 and worth.quantity is None and worth.unit is None
    else:
        quantity = worth.quantity
        met = quantity is not None and countable(quantity) and quantity > 0 and worth.unit is not None
    return Finding("worth-unclear", met)


def worth_fits(nature: Nature, worth: Worth) -> Finding:
    """Cash is whole XOF and nothing else; everything else is a quantity with its unit."""
    met = worth_is_clear(worth).met and (nature is Nature.CASH) == (worth.amount_xof is not None)
    return Finding("worth-does-not-fit", met, values={"nature": nature.value})


def put(state: Framework, action: Action) -> Framework:
    """The state with one action changed."""
    return replace(state, actions={**state.actions, action.id: action})
