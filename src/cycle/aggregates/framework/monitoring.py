"""What becomes of the plan: progress, measures, training, incentives."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand
from cycle.aggregates.framework.committee import mandate_for_this_cycle
from cycle.aggregates.framework.meetings import closed_with_minutes
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import (
    action_is_known,
    countable,
    list_of,
    member_is_known,
    members_are_known,
    not_twice,
    put,
    runs,
    worth_is_clear,
)
from cycle.aggregates.framework.state import ActionStage, Framework, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    ActionId,
    Aspect,
    Count,
    IncentiveKind,
    MemberId,
    Method,
    Name,
    Percent,
    Quantity,
    Rhythm,
    Text,
    Worth,
)


class MonitoringStarted(Event):
    cycle: int
    checks: tuple[Check, ...] = ()
    strands = ("stage",)


class ActionStarted(Event):
    action: ActionId


class ProgressReported(Event):
    action: ActionId
    percent: Percent
    note: Text | None = None
    correctable = frozenset({"percent", "note"})


class ActionCompleted(Event):
    action: ActionId
    result: Text | None = None
    correctable = frozenset({"result"})


class ActionAbandoned(Event):
    action: ActionId
    reason: Text
    correctable = frozenset({"reason"})


class IncentiveGranted(Event):
    kind: IncentiveKind
    member: MemberId
    description: Text
    worth: Worth | None = None
    correctable = frozenset({"kind", "description", "worth"})


class TrainingHeld(Event):
    topic: Name
    days: Count
    members: tuple[MemberId, ...] = ()
    women: Count = 0
    men: Count = 0
    youth: Count = 0
    correctable = frozenset({"topic", "days", "members", "women", "men", "youth"})


class MonitoringRecorded(Event):
    aspect: Aspect
    method: Method
    rhythm: Rhythm
    subject: Text
    value: Quantity | None = None
    unit: Name | None = None
    action: ActionId | None = None
    correctable = frozenset({"subject", "value", "unit"})


WATCHERS = (Role.FACILITATOR, Role.COMMITTEE, Role.TECHNICAL_SERVICE)


class StartMonitoring(Command):
    """Hand the plan to the committee: monitoring begins."""


class StartAction(Command):
    """Note that an action has begun."""

    action: ActionId
    roles = WATCHERS


class ReportProgress(Command):
    """Note how far an action has got; it never goes back but by a correction."""

    action: ActionId
    percent: Percent
    note: Text | None = None
    roles = WATCHERS


class CompleteAction(Command):
    """Note that an action is done."""

    action: ActionId
    result: Text | None = None
    roles = WATCHERS


class AbandonAction(Command):
    """Give an action up, with the reason."""

    action: ActionId
    reason: Text
    roles = (Role.FACILITATOR, Role.COMMITTEE)


class GrantIncentive(Command):
    """Note an incentive that a member was granted."""

    kind: IncentiveKind
    member: MemberId
    description: Text
    worth: Worth | None = None
    roles = (Role.FACILITATOR, Role.MAYOR, Role.PARTNER)


class HoldTraining(Command):
    """Note a training that was held, and who came."""

    topic: Name
    days: Count
    members: tuple[MemberId, ...] = ()
    women: Count = 0
    men: Count = 0
    youth: Count = 0
    roles = (Role.FACILITATOR, Role.PARTNER, Role.TECHNICAL_SERVICE)


class RecordMonitoring(Command):
    """Note an observation or a measurement; a measurement has a value and a unit."""

    aspect: Aspect
    method: Method
    rhythm: Rhythm
    subject: Text
    value: Quantity | None = None
    unit: Name | None = None
    action: ActionId | None = None
    roles = WATCHERS


def an_action_runs(state: Framework, known: Known) -> Iterable[Finding]:
    """An action of the plan has no outcome yet."""
    yield Finding("no-action-runs", bool(state.unsettled()))


def an_action_waits(state: Framework, known: Known) -> Iterable[Finding]:
    """An action of the plan has not begun."""
    if running := state.unsettled():
        yield Finding("no-action-waits", any(action.stage is ActionStage.AGREED for action in running))


def still_time_to_monitor(state: Framework, known: Known) -> Iterable[Finding]:
    """The window of the plan is not over; afterwards its review is due."""
    ends = state.plan.window.ends_on if state.plan else None
    values = list_of(ends_on=str(ends), on=known.on.isoformat())
    yield Finding("plan-is-over", ends is not None and known.on <= ends, values=values, lift=(Role.FACILITATOR,))


def _begun(state: Framework, action: ActionId) -> Iterable[ActionStarted]:
    if state.actions[action].stage is ActionStage.AGREED:
        yield ActionStarted(action)


@framework.decides(StartMonitoring)
def start_monitoring(state: Framework, command: StartMonitoring, known: Known) -> Iterable[Event]:
    seen = checks([*mandate_for_this_cycle(state, known), *closed_with_minutes(state, known)])
    yield MonitoringStarted(state.cycle, seen)


@framework.decides(StartAction)
def start_action(state: Framework, command: StartAction, known: Known) -> Iterable[Event]:
    demand(*runs(state, command.action))
    started = state.actions[command.action].stage is ActionStage.STARTED
    demand(Finding("action-has-started", not started, values={"action": command.action}))
    yield ActionStarted(command.action)


@framework.decides(ReportProgress)
def report_progress(state: Framework, command: ReportProgress, known: Known) -> Iterable[Event]:
    demand(*runs(state, command.action))
    before = state.actions[command.action].percent
    values = list_of(action=command.action, percent=command.percent, before=before)
    demand(Finding("progress-falls", command.percent >= before, values=values))
    yield from _begun(state, command.action)
    yield ProgressReported(command.action, command.percent, command.note)


@framework.decides(CompleteAction)
def complete_action(state: Framework, command: CompleteAction, known: Known) -> Iterable[Event]:
    demand(*runs(state, command.action))
    yield from _begun(state, command.action)
    yield ActionCompleted(command.action, command.result)


@framework.decides(AbandonAction)
def abandon_action(state: Framework, command: AbandonAction, known: Known) -> Iterable[Event]:
    demand(*runs(state, command.action))
    yield ActionAbandoned(command.action, command.reason)


@framework.decides(GrantIncentive)
def grant_incentive(state: Framework, command: GrantIncentive, known: Known) -> Iterable[Event]:
    worth = [worth_is_clear(command.worth)] if command.worth is not None else []
    demand(member_is_known(state, command.member), *worth)
    yield IncentiveGranted(command.kind, command.member, command.description, command.worth)


@framework.decides(HoldTraining)
def hold_training(state: Framework, command: HoldTraining, known: Known) -> Iterable[Event]:
    held = TrainingHeld(command.topic, command.days, command.members, command.women, command.men, command.youth)
    demand(*members_are_known(state, command.members), not_twice(command.members), *people_add_up(held))
    yield held


def people_add_up(held: TrainingHeld) -> Iterable[Finding]:
    """Somebody came, and young people are counted among women and men."""
    people = held.women + held.men
    yield Finding("nobody-came", people > 0)
    yield Finding("more-youth-than-people", held.youth <= people, values={"members": held.topic})


@framework.decides(RecordMonitoring)
def record_monitoring(state: Framework, command: RecordMonitoring, known: Known) -> Iterable[Event]:
    action = command.action
    noted = MonitoringRecorded(
        command.aspect, command.method, command.rhythm, command.subject, command.value, command.unit, action
    )
    demand(*measure_is_complete(noted), *([action_is_known(state, action)] if action is not None else []))
    yield noted


def measure_is_complete(noted: MonitoringRecorded) -> Iterable[Finding]:
    """A measurement has a value and a unit; an observation may go without."""
    value, unit = noted.value, noted.unit
    complete = noted.method is Method.OBSERVATION or (value is not None and unit is not None)
    yield Finding("measurement-without-value", complete)
    if value is not None:
        yield Finding("value-is-no-number", countable(value), values={"value": str(value)})


@framework.evolves(MonitoringStarted)
def monitoring_started(state: Framework, recorded: Happened[MonitoringStarted]) -> Framework:
    return replace(state, stage=Stage.MONITORING, stage_since=recorded.occurred_on)


@framework.evolves(ActionStarted)
def action_started(state: Framework, recorded: Happened[ActionStarted]) -> Framework:
    return put(state, replace(state.actions[recorded.data.action], stage=ActionStage.STARTED))


@framework.evolves(ProgressReported)
def progress_reported(state: Framework, recorded: Happened[ProgressReported]) -> Framework:
    return put(state, replace(state.actions[recorded.data.action], percent=recorded.data.percent))


@framework.evolves(ActionCompleted)
def action_completed(state: Framework, recorded: Happened[ActionCompleted]) -> Framework:
    action = replace(state.actions[recorded.data.action], stage=ActionStage.COMPLETED, percent=100)
    return put(state, action)


@framework.evolves(ActionAbandoned)
def action_abandoned(state: Framework, recorded: Happened[ActionAbandoned]) -> Framework:
    return put(state, replace(state.actions[recorded.data.action], stage=ActionStage.ABANDONED))


framework.ignores(IncentiveGranted, TrainingHeld, MonitoringRecorded)
