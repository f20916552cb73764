"""The review that measures, the plan that is adjusted, the cycle that closes and the next that opens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand
from cycle.aggregates.framework.contributions import released
from cycle.aggregates.framework.needs import NeedsReopened
from cycle.aggregates.framework.obstacles import ObstacleCarriedOver
from cycle.aggregates.framework.plan import AgreedAction, agreed, as_agreed
from cycle.aggregates.framework.review import severe_obstacle, why_not
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import (
    list_of,
    member_is_known,
    need_is_open,
    not_twice,
    obstacle_is_open,
    put,
    runs,
)
from cycle.aggregates.framework.state import Action, ActionStage, Framework, Obstacle, ObstacleStage, Plan, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ActionId, ActionOutcome, MemberId, NeedId, ObstacleId, Planned, ReviewKind, Text


class ReviewOpened(Event):
    """``due_on`` is the last day of the plan: opened after it, the review is late by the difference."""

    cycle: int
    kind: ReviewKind
    due_on: date
    checks: tuple[Check, ...] = ()
    strands = ("stage",)


class PlanReviewed(Event):
    """What the meeting measured."""

    cycle: int
    findings: Text
    lessons: tuple[Text, ...] = ()
    correctable = frozenset({"findings", "lessons"})


class PlanAdjusted(Event):
    """The plan as it stands from now on, in the same window; ``dropped`` actions were withdrawn."""

    cycle: int
    plan_version: int
    causes: tuple[Text, ...]
    actions: tuple[AgreedAction, ...]
    dropped: tuple[ActionId, ...] = ()
    correctable = frozenset({"causes"})
    strands = ("stage",)


class ActionCarriedOver(Event):
    """Unfinished when cycle ``cycle`` closed; an action of a later plan may continue it."""

    action: ActionId
    cycle: int
    reason: Text
    correctable = frozenset({"reason"})


class Settled(Struct, frozen=True, gc=False):
    """How an action of a closed plan ended."""

    action: ActionId
    outcome: ActionOutcome


class CycleClosed(Event):
    cycle: int
    actions: tuple[Settled, ...]
    carried_obstacles: tuple[ObstacleId, ...] = ()
    strands = ("stage",)


class CycleOpened(Event):
    cycle: int
    strands = ("stage",)


class OpenReview(Command):
    """Open the review of the plan: in the middle, at its end, or when that is overdue."""

    kind: ReviewKind
    roles = (Role.FACILITATOR, Role.COMMITTEE)


class RecordReview(Command):
    """Note what the review measured and what was learnt."""

    findings: Text
    lessons: tuple[Text, ...] = ()


class ActionChange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What changes about an action of the plan; fields that are left out stay."""

    action: ActionId
    description: Text | None = None
    responsible: MemberId | None = None
    due_on: date | None = None


class ActionAdded(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An action that the plan gains."""

    description: Text
    responsible: MemberId
    due_on: date
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()


class AdjustPlan(Command):
    """Change the plan inside its window, and go on monitoring."""

    causes: tuple[Text, ...]
    changes: tuple[ActionChange, ...] = ()
    added: tuple[ActionAdded, ...] = ()
    dropped: tuple[ActionId, ...] = ()


class CarryOverAction(Command):
    """Decide that an unfinished action goes on in the next plan."""

    action: ActionId
    reason: Text


class CarryOverObstacle(Command):
    """Decide that an open obstacle goes on into the next cycle."""

    obstacle: ObstacleId
    reason: Text | None = None


class NextMeeting(Command):
    """Close this cycle and go to the meeting of the next."""


class ReopenNeeds(Command):
    """Close this cycle and begin the next with a new identification of needs."""

    reason: Text
    due_on: Planned | None = None


def window_not_over(state: Framework, known: Known) -> Iterable[Finding]:
    """The window of the plan is not over; afterwards there is a next plan, not an adjusted one."""
    ends = state.plan.window.ends_on if state.plan else None
    values = list_of(ends_on=str(ends), on=known.on.isoformat())
    yield Finding("window-is-over", ends is not None and known.on <= ends, values=values, lift=(Role.FACILITATOR,))


def every_action_has_an_outcome(state: Framework, known: Known) -> Iterable[Finding]:
    """Every action of the plan is completed, carried over or abandoned."""
    for action in state.unsettled():
        responsible = state.members.get(action.responsible) if action.responsible else None
        values = list_of(
            action=action.id,
            description=action.description,
            percent=action.percent,
            name=responsible.name if responsible else "—",
        )
        yield Finding("action-without-outcome", values=values, lift=(Role.FACILITATOR, Role.COMMITTEE))


def every_obstacle_has_a_decision(state: Framework, known: Known) -> Iterable[Finding]:
    """Every open obstacle is resolved, accepted or carried over."""
    for obstacle in state.open_obstacles():
        values = {"obstacle": obstacle.id, "description": obstacle.description}
        yield Finding("obstacle-without-decision", values=values, lift=(Role.FACILITATOR, Role.COMMITTEE))


def pledges_of_the_departed_decided(state: Framework, known: Known) -> Iterable[Finding]:
    """What members promised who have left is received, waived or recorded as not kept."""
    for promise in state.contributions.values():
        if promise.member not in state.members:
            values = {"contribution": promise.id, "member": promise.member}
            yield Finding("pledge-of-departed-member", values=values, lift=(Role.FACILITATOR,))


@framework.decides(OpenReview)
def open_review(state: Framework, command: OpenReview, known: Known) -> Iterable[Event]:
    assert state.plan is not None
    demand(*why_not(state, command.kind, known))
    severe = severe_obstacle(state, known)
    seen = checks([severe]) if severe.met else ()
    yield ReviewOpened(state.cycle, command.kind, state.plan.window.ends_on, seen)


@framework.decides(RecordReview)
def record_review(state: Framework, command: RecordReview, known: Known) -> Iterable[Event]:
    yield PlanReviewed(state.cycle, command.findings, command.lessons)


@framework.decides(AdjustPlan)
def adjust_plan(state: Framework, command: AdjustPlan, known: Known) -> Iterable[Event]:
    assert state.plan is not None
    window = state.plan.window
    touched = [change.action for change in command.changes]
    found = [
        Finding("no-cause-named", bool(command.causes)),
        Finding("nothing-adjusted", bool(command.changes or command.added or command.dropped)),
        not_twice([*touched, *command.dropped]),
    ]
    for action in (*touched, *command.dropped):
        found += runs(state, action)
    for new in command.added:
        found.append(Finding("added-answers-nothing", bool(new.needs or new.obstacles)))
        found += [need_is_open(state, need) for need in new.needs]
        found += [obstacle_is_open(state, obstacle) for obstacle in new.obstacles]
    items: tuple[ActionChange | ActionAdded, ...] = (*command.changes, *command.added)
    for item in items:
        if item.responsible is not None:
            found.append(member_is_known(state, item.responsible))
        if item.due_on is not None:
            days = {"starts_on": window.starts_on.isoformat(), "ends_on": window.ends_on.isoformat()}
            name = item.action if isinstance(item, ActionChange) else item.description
            inside = window.starts_on <= item.due_on <= window.ends_on
            values = {"action": name, "due_on": item.due_on.isoformat(), **days}
            found.append(Finding("due-outside-window", inside, values=values, lift=(Role.FACILITATOR,)))
    demand(*found)
    changes = {change.action: change for change in command.changes}
    actions = [
        agreed(_changed(action, changes.get(action.id)))
        for action in state.negotiated()
        if action.id not in command.dropped
    ]
    demand(Finding("nothing-left-of-the-plan", bool(actions or command.added)))
    actions += [
        AgreedAction(ActionId(f"A-{number}"), new.description, new.responsible, new.due_on, new.needs, new.obstacles)
        for number, new in enumerate(command.added, state.actions_counted + 1)
    ]
    yield PlanAdjusted(state.cycle, state.plan.version + 1, command.causes, tuple(actions), command.dropped)
    yield from released(state, command.dropped, command.causes[0])


def _changed(action: Action, change: ActionChange | None) -> Action:
    if change is None:
        return action
    return replace(
        action,
        description=change.description or action.description,
        responsible=change.responsible or action.responsible,
        due_on=change.due_on or action.due_on,
    )


@framework.decides(CarryOverAction)
def carry_over_action(state: Framework, command: CarryOverAction, known: Known) -> Iterable[Event]:
    demand(*runs(state, command.action))
    yield ActionCarriedOver(command.action, state.cycle, command.reason)


@framework.decides(CarryOverObstacle)
def carry_over_obstacle(state: Framework, command: CarryOverObstacle, known: Known) -> Iterable[Event]:
    demand(obstacle_is_open(state, command.obstacle))
    yield ObstacleCarriedOver(command.obstacle, state.cycle, command.reason)


@framework.decides(NextMeeting)
def next_meeting(state: Framework, command: NextMeeting, known: Known) -> Iterable[Event]:
    yield _cycle_closed(state)
    yield CycleOpened(state.cycle + 1)


@framework.decides(ReopenNeeds)
def reopen_needs(state: Framework, command: ReopenNeeds, known: Known) -> Iterable[Event]:
    yield _cycle_closed(state)
    yield CycleOpened(state.cycle + 1)
    yield NeedsReopened(state.cycle + 1, command.reason, command.due_on)


_OUTCOMES = {
    ActionStage.COMPLETED: ActionOutcome.COMPLETED,
    ActionStage.ABANDONED: ActionOutcome.ABANDONED,
    ActionStage.CARRIED_OVER: ActionOutcome.CARRIED_OVER,
}


def _cycle_closed(state: Framework) -> CycleClosed:
    settled = tuple(Settled(action.id, _OUTCOMES[action.stage]) for action in state.negotiated())
    carried = tuple(o.id for o in state.obstacles.values() if o.stage is ObstacleStage.CARRIED_OVER)
    return CycleClosed(state.cycle, settled, carried)


@framework.evolves(ReviewOpened)
def review_opened(state: Framework, recorded: Happened[ReviewOpened]) -> Framework:
    return replace(state, stage=Stage.ADJUSTMENT, stage_since=recorded.occurred_on)


framework.ignores(PlanReviewed)


@framework.evolves(PlanAdjusted)
def plan_adjusted(state: Framework, recorded: Happened[PlanAdjusted]) -> Framework:
    fact = recorded.data
    assert state.plan is not None
    actions = {id: action for id, action in state.actions.items() if id not in fact.dropped}
    added = 0
    for item in fact.actions:
        before = actions.get(item.action)
        if before is None:
            added += 1
            before = Action(
                item.action,
                fact.cycle,
                item.description,
                ActionStage.AGREED,
                continues=item.continues,
                since=recorded.occurred_on,
            )
        actions[item.action] = as_agreed(before, item)
    return replace(
        state,
        stage=Stage.MONITORING,
        stage_since=recorded.occurred_on,
        actions=actions,
        actions_counted=state.actions_counted + added,
        plan=Plan(fact.cycle, fact.plan_version, state.plan.window),
    )


@framework.evolves(ActionCarriedOver)
def action_carried_over(state: Framework, recorded: Happened[ActionCarriedOver]) -> Framework:
    return put(state, replace(state.actions[recorded.data.action], stage=ActionStage.CARRIED_OVER))


@framework.evolves(CycleClosed)
def cycle_closed(state: Framework, recorded: Happened[CycleClosed]) -> Framework:
    """What is left is what the fact says, also where a day is looked at on which less was held."""
    fact = recorded.data
    ended = {settled.action: settled.outcome for settled in fact.actions}
    answered = {
        need for id, outcome in ended.items() if outcome is ActionOutcome.COMPLETED for need in state.actions[id].needs
    }
    return replace(
        state,
        actions={
            id: replace(state.actions[id], stage=ActionStage.CARRIED_OVER)
            for id, outcome in ended.items()
            if outcome is ActionOutcome.CARRIED_OVER
        },
        obstacles={id: _goes_on(state.obstacles[id], fact.cycle + 1) for id in fact.carried_obstacles},
        needs={id: need for id, need in state.needs.items() if id not in answered},
        plan=state.plan and replace(state.plan, closed_on=recorded.occurred_on),
        ranking=(),
        rounds=0,
        meeting=None,
        delivered=(),
        # A promise may stay open for several cycles; that it is late is recorded once.
        deadlines_passed=frozenset(passed for passed in state.deadlines_passed if passed[1] in state.contributions),
    )


def _goes_on(obstacle: Obstacle, cycle: int) -> Obstacle:
    carried = obstacle.stage is ObstacleStage.CARRIED_OVER
    stage = obstacle.before or ObstacleStage.IDENTIFIED if carried else obstacle.stage
    return replace(obstacle, stage=stage, before=None, cycle=cycle)


@framework.evolves(CycleOpened)
def cycle_opened(state: Framework, recorded: Happened[CycleOpened]) -> Framework:
    day = recorded.occurred_on
    return replace(state, cycle=recorded.data.cycle, cycle_since=day, stage=Stage.MEETING, stage_since=day)
