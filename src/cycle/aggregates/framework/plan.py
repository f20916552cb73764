"""The negotiated plan: agreed in a meeting, or not, or taken back before anything has started."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import MAXYEAR, date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import (
    Check,
    Command,
    Event,
    Finding,
    Happened,
    Role,
    Value,
    checks,
    day_is_near,
    demand,
    ruled,
)
from cycle.aggregates.framework.attendance import present, quorum_now
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import action_is_known, list_of, policy_of, put
from cycle.aggregates.framework.state import Action, ActionStage, Framework, Plan, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    ActionId,
    ContributionId,
    DecisionMode,
    MeetingId,
    MemberId,
    Name,
    NeedId,
    ObstacleId,
    Text,
    Window,
)


class AgreedAction(Struct, frozen=True, omit_defaults=True, gc=False):
    """An action as the plan states it."""

    action: ActionId
    description: Text
    responsible: MemberId
    due_on: date
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None


class PlanAgreed(Event):
    """Plan ``cycle``, ``plan_version`` 1. ``objections`` that were noted do not undo it."""

    cycle: int
    plan_version: int
    window: Window
    mode: DecisionMode
    meeting: MeetingId
    actions: tuple[AgreedAction, ...]
    contributions: tuple[ContributionId, ...] = ()
    objections: tuple[Text, ...] = ()
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"objections"})
    strands = ("stage", "meeting")


class PlanNotAgreed(Event):
    cycle: int
    meeting: MeetingId
    round: int
    objections: tuple[Text, ...]
    deadlock: bool = False
    correctable = frozenset({"objections"})
    strands = ("meeting",)


class PlanWithdrawn(Event):
    """The negotiation was reopened before anything had started."""

    cycle: int
    plan_version: int
    actions: tuple[ActionId, ...]
    reason: Text
    correctable = frozenset({"reason"})
    strands = ("stage",)


class ActionRegisteredInPdesc(Event):
    action: ActionId
    reference: Name
    correctable = frozenset({"reference"})


class RecordDisagreement(Command):
    """Record that a round of negotiation ended without agreement, with the objections."""

    objections: tuple[Text, ...]


class AgreePlan(Command):
    """Agree the proposed actions as the plan for the days of the window."""

    window: Window
    mode: DecisionMode = DecisionMode.CONSENSUS
    objections: tuple[Text, ...] = ()
    binds = True


class ReopenNegotiation(Command):
    """Go back to the meeting while nothing has started."""

    reason: Text


class RegisterInPdesc(Command):
    """Note that an action of the plan is registered in the commune's development plan."""

    action: ActionId
    reference: Name
    roles = (Role.MAYOR, Role.COUNCIL_SECRETARY, Role.FACILITATOR)


def constituencies_present(state: Framework, known: Known) -> Iterable[Finding]:
    """The constituencies that must negotiate are in the room (policy)."""
    if state.meeting is None or not state.in_session():
        return
    policy = policy_of(known)
    rule = policy.meeting_constituencies
    there = {state.members[m].constituency for m in present(state, state.meeting.attendance)}
    for wanted in rule.value:
        names = tuple(f"{m.id} {m.name}" for m in state.members.values() if m.constituency == wanted)
        values = list_of(constituency=wanted, members=names)
        yield ruled("constituency-absent", policy, rule, wanted in there, lift=(Role.FACILITATOR,), **values)


def actions_are_complete(state: Framework, known: Known) -> Iterable[Finding]:
    """Each action answers something, and has a responsible member and a due date."""
    for action in state.negotiated():
        values = {"action": action.id, "description": action.description}
        answers = bool(action.needs or action.obstacles or action.continues)
        lift = (Role.FACILITATOR, Role.ORGANISATION)
        yield Finding("action-answers-nothing", answers, values=values, lift=lift)
        held = action.responsible in state.members
        yield Finding("action-without-responsible", held, values=values, lift=lift)
        yield Finding("action-without-due-date", action.due_on is not None, values=values, lift=lift)


def no_due_date_has_passed(state: Framework, known: Known) -> Iterable[Finding]:
    """No action is due before the first day on which the plan can begin."""
    free = state.plan.free_from if state.plan else date.min
    first = free if known.late_record else max(known.on, free)
    for action in state.negotiated():
        if action.due_on is not None and action.due_on < first:
            days = {"due_on": action.due_on.isoformat(), "first": first.isoformat()}
            values = {"action": action.id, "description": action.description, **days}
            yield Finding("due-before-the-plan", values=values, lift=(Role.FACILITATOR,))


def an_action_is_not_registered(state: Framework, known: Known) -> Iterable[Finding]:
    """An action of the plan is not registered in the PDESC."""
    yield Finding("all-registered", any(action.pdesc is None for action in state.negotiated()))


def nothing_started(state: Framework, known: Known) -> Iterable[Finding]:
    """No action of the plan has started and nothing pledged to it has arrived."""
    started = tuple(a.id for a in state.negotiated() if a.stage is not ActionStage.AGREED)
    what = (*started, *state.delivered)
    yield Finding("plan-has-started", not what, values=list_of(what=what))


def add_months(day: date, months: int) -> date:
    """The same day of the month, later; the last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > MAXYEAR:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@framework.decides(RecordDisagreement)
def record_disagreement(state: Framework, command: RecordDisagreement, known: Known) -> Iterable[Event]:
    assert state.meeting is not None
    demand(Finding("no-objection-named", bool(command.objections)))
    number = state.rounds + 1
    deadlock = number >= policy_of(known).negotiation_rounds.value
    yield PlanNotAgreed(state.cycle, state.meeting.id, number, command.objections, deadlock)


@framework.decides(AgreePlan)
def agree_plan(state: Framework, command: AgreePlan, known: Known) -> Iterable[Event]:
    assert state.meeting is not None
    window, actions = command.window, _in_order(state)
    found = [*_window_holds(state, window, known)]
    for action in actions:
        inside = action.due_on is not None and window.starts_on <= action.due_on <= window.ends_on
        days = {"starts_on": window.starts_on.isoformat(), "ends_on": window.ends_on.isoformat()}
        values = {"action": action.id, "due_on": action.due_on.isoformat() if action.due_on else "—", **days}
        found.append(Finding("due-outside-window", inside, values=values, lift=(Role.FACILITATOR,)))
    demand(*found)
    pledged = tuple(c.id for c in state.contributions.values() if c.cycle == state.cycle)
    seen = checks([*quorum_now(state, known), *constituencies_present(state, known), *found])
    yield PlanAgreed(
        state.cycle,
        1,
        window,
        command.mode,
        state.meeting.id,
        tuple(agreed(action) for action in actions),
        pledged,
        command.objections,
        seen,
    )


def _window_holds(state: Framework, window: Window, known: Known) -> Iterable[Finding]:
    policy = policy_of(known)
    rule, starts, ends = policy.plan_months_max, window.starts_on, window.ends_on
    days: dict[str, Value] = {"starts_on": starts.isoformat(), "ends_on": ends.isoformat()}
    yield Finding("window-ends-before-it-starts", starts <= ends, values=days)
    latest = add_months(starts, rule.value) - timedelta(days=1)
    more: dict[str, Value] = {"months": rule.value, "latest": latest.isoformat(), **days}
    yield ruled("window-too-long", policy, rule, ends <= latest, lift=(Role.FACILITATOR,), **more)
    yield from day_is_near(ends, known.on)
    on_time = known.late_record or starts >= known.on
    yield Finding("window-begins-before", on_time, values={**days, "on": known.on.isoformat()})
    if state.plan is not None:
        free = state.plan.free_from
        values: dict[str, Value] = {**days, "plan": state.plan.cycle, "free": free.isoformat()}
        yield Finding("window-overlaps", starts >= free, values=values, lift=(Role.FACILITATOR,))


def _in_order(state: Framework) -> list[Action]:
    place = {action: n for n, action in enumerate(state.ranking)}
    return sorted(state.negotiated(), key=lambda a: (place.get(a.id, len(place)), int(a.id[2:])))


def agreed(action: Action) -> AgreedAction:
    """An action as a plan states it; the guards have seen that it is complete."""
    assert action.responsible is not None
    assert action.due_on is not None
    return AgreedAction(
        action.id,
        action.description,
        action.responsible,
        action.due_on,
        action.needs,
        action.obstacles,
        action.continues,
    )


@framework.decides(ReopenNegotiation)
def reopen_negotiation(state: Framework, command: ReopenNegotiation, known: Known) -> Iterable[Event]:
    assert state.plan is not None
    actions = tuple(a.id for a in state.negotiated())
    yield PlanWithdrawn(state.cycle, state.plan.version, actions, command.reason)


@framework.decides(RegisterInPdesc)
def register_in_pdesc(state: Framework, command: RegisterInPdesc, known: Known) -> Iterable[Event]:
    demand(action_is_known(state, command.action))
    before = state.actions[command.action].pdesc
    demand(Finding("registered-already", before is None, values={"reference": before or "—"}))
    yield ActionRegisteredInPdesc(command.action, command.reference)


@framework.evolves(PlanAgreed)
def plan_agreed(state: Framework, recorded: Happened[PlanAgreed]) -> Framework:
    fact = recorded.data
    actions = {**state.actions}
    for item in fact.actions:
        actions[item.action] = replace(as_agreed(actions[item.action], item), stage=ActionStage.AGREED)
    return replace(
        state,
        stage=Stage.PLAN,
        stage_since=recorded.occurred_on,
        actions=actions,
        previous_plan=state.plan,
        plan=Plan(fact.cycle, fact.plan_version, fact.window),
        rounds=0,
    )


def as_agreed(action: Action, item: AgreedAction) -> Action:
    """The action as the plan states it, whatever was said of it before."""
    return replace(
        action,
        description=item.description,
        needs=item.needs,
        obstacles=item.obstacles,
        responsible=item.responsible,
        due_on=item.due_on,
    )


@framework.evolves(PlanNotAgreed)
def plan_not_agreed(state: Framework, recorded: Happened[PlanNotAgreed]) -> Framework:
    return replace(state, rounds=recorded.data.round)


@framework.evolves(PlanWithdrawn)
def plan_withdrawn(state: Framework, recorded: Happened[PlanWithdrawn]) -> Framework:
    actions = {**state.actions}
    for action in recorded.data.actions:
        actions[action] = replace(actions[action], stage=ActionStage.PROPOSED)
    return replace(
        state,
        stage=Stage.MEETING,
        stage_since=recorded.occurred_on,
        actions=actions,
        plan=state.previous_plan,
    )


@framework.evolves(ActionRegisteredInPdesc)
def action_registered_in_pdesc(state: Framework, recorded: Happened[ActionRegisteredInPdesc]) -> Framework:
    return put(state, replace(state.actions[recorded.data.action], pdesc=recorded.data.reference))
