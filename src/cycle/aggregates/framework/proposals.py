"""The actions that are proposed for the plan, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cycle.aggregates.base import Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.framework.contributions import released
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import (
    action_is_known,
    list_of,
    member_is_known,
    need_is_open,
    not_twice,
    obstacle_is_open,
    put,
)
from cycle.aggregates.framework.state import Action, ActionStage, Framework
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ActionId, Code, MemberId, NeedId, ObstacleId, Planned, Text


class ActionProposed(Event):
    action: ActionId
    cycle: int
    description: Text
    sector: Code | None = None
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None
    responsible: MemberId | None = None
    due_on: Planned | None = None
    correctable = frozenset({"description", "due_on"})


class ActionAmended(Event):
    """Absent fields stay as they were."""

    action: ActionId
    description: Text | None = None
    needs: tuple[NeedId, ...] | None = None
    obstacles: tuple[ObstacleId, ...] | None = None
    responsible: MemberId | None = None
    due_on: Planned | None = None
    correctable = frozenset({"description", "due_on"})


class ActionWithdrawn(Event):
    action: ActionId
    reason: Text
    correctable = frozenset({"reason"})


class ActionsRanked(Event):
    ranked: tuple[ActionId, ...]


class ProposeAction(Command):
    """Propose a priority action that answers a need, an obstacle, or continues an unfinished action."""

    description: Text
    sector: Code | None = None
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None
    responsible: MemberId | None = None
    due_on: Planned | None = None
    roles = (Role.FACILITATOR, Role.ORGANISATION, Role.MAYOR)
    makes = ActionProposed


class AmendAction(Command):
    """Change a proposed action; fields that are left out stay."""

    action: ActionId
    description: Text | None = None
    needs: tuple[NeedId, ...] | None = None
    obstacles: tuple[ObstacleId, ...] | None = None
    responsible: MemberId | None = None
    due_on: Planned | None = None
    restates = {
        field: f"actions.{{action}}.{field}" for field in ("description", "needs", "obstacles", "responsible", "due_on")
    }


class WithdrawAction(Command):
    """Take a proposed action back; what was promised for it is waived."""

    action: ActionId
    reason: Text


class RankActions(Command):
    """Put the proposed actions in order, the most important first."""

    ranked: tuple[ActionId, ...]
    restates = {"ranked": "ranking"}


def an_action_is_proposed(state: Framework, known: Known) -> Iterable[Finding]:
    """At least one action is proposed."""
    yield Finding("no-action-proposed", bool(state.negotiated()), lift=(Role.FACILITATOR, Role.ORGANISATION))


def _answers_are_known(
    state: Framework, needs: Iterable[NeedId] | None, obstacles: Iterable[ObstacleId] | None
) -> list[Finding]:
    needs, obstacles = tuple(needs or ()), tuple(obstacles or ())
    found = [need_is_open(state, need) for need in needs]
    found += [obstacle_is_open(state, obstacle) for obstacle in obstacles]
    return [*found, not_twice(needs), not_twice(obstacles)]


@framework.decides(ProposeAction)
def propose_action(state: Framework, command: ProposeAction, known: Known) -> Iterable[Event]:
    found = _answers_are_known(state, command.needs, command.obstacles)
    if command.sector is not None:
        values = list_of(sector=command.sector, known=state.sectors)
        found.append(Finding("sector-not-prioritised", command.sector in state.sectors, values=values))
    if command.responsible is not None:
        found.append(member_is_known(state, command.responsible))
    if command.continues is not None:
        carried = tuple(a.id for a in state.actions.values() if a.stage is ActionStage.CARRIED_OVER)
        values = list_of(action=command.continues, known=carried)
        found.append(Finding("not-carried-over", command.continues in carried, values=values))
    demand(*found)
    yield ActionProposed(
        ActionId(f"A-{state.actions_counted + 1}"),
        state.cycle,
        command.description,
        command.sector,
        command.needs,
        command.obstacles,
        command.continues,
        command.responsible,
        command.due_on,
    )


@framework.decides(AmendAction)
def amend_action(state: Framework, command: AmendAction, known: Known) -> Iterable[Event]:
    said = (command.description, command.needs, command.obstacles, command.responsible, command.due_on)
    found = [
        action_is_known(state, command.action),
        Finding("nothing-amended", any(x is not None for x in said)),
        *_answers_are_known(state, command.needs, command.obstacles),
    ]
    if command.responsible is not None:
        found.append(member_is_known(state, command.responsible))
    demand(*found)
    yield ActionAmended(command.action, *said)


@framework.decides(WithdrawAction)
def withdraw_action(state: Framework, command: WithdrawAction, known: Known) -> Iterable[Event]:
    demand(action_is_known(state, command.action))
    yield ActionWithdrawn(command.action, command.reason)
    yield from released(state, (command.action,), command.reason)


@framework.decides(RankActions)
def rank_actions(state: Framework, command: RankActions, known: Known) -> Iterable[Event]:
    missing = tuple(a.id for a in state.negotiated() if a.id not in command.ranked)
    demand(
        not_twice(command.ranked),
        *(action_is_known(state, action) for action in command.ranked),
        Finding("actions-not-ranked", not missing, values=list_of(actions=missing)),
    )
    yield ActionsRanked(command.ranked)


@framework.evolves(ActionProposed)
def action_proposed(state: Framework, recorded: Happened[ActionProposed]) -> Framework:
    fact = recorded.data
    action = Action(
        fact.action,
        fact.cycle,
        fact.description,
        needs=fact.needs,
        obstacles=fact.obstacles,
        continues=fact.continues,
        responsible=fact.responsible,
        due_on=fact.due_on,
        since=recorded.occurred_on,
    )
    return replace(state, actions={**state.actions, action.id: action}, actions_counted=state.actions_counted + 1)


@framework.evolves(ActionAmended)
def action_amended(state: Framework, recorded: Happened[ActionAmended]) -> Framework:
    fact, before = recorded.data, state.actions[recorded.data.action]
    return put(
        state,
        replace(
            before,
            description=fact.description or before.description,
            needs=before.needs if fact.needs is None else fact.needs,
            obstacles=before.obstacles if fact.obstacles is None else fact.obstacles,
            responsible=fact.responsible or before.responsible,
            due_on=fact.due_on or before.due_on,
        ),
    )


@framework.evolves(ActionWithdrawn)
def action_withdrawn(state: Framework, recorded: Happened[ActionWithdrawn]) -> Framework:
    gone = recorded.data.action
    return replace(state, actions={id: action for id, action in state.actions.items() if id != gone})


@framework.evolves(ActionsRanked)
def actions_ranked(state: Framework, recorded: Happened[ActionsRanked]) -> Framework:
    return replace(state, ranking=recorded.data.ranked)
