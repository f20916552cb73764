"""What may happen at any time: papers, corrections, deadlines, suspension, the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec.structs import replace

from cycle.aggregates.base import Command, Event, Finding, Happened, Recorded, Role, demand
from cycle.aggregates.corrections import NO_VALUE as NO_VALUE
from cycle.aggregates.corrections import Change as Change
from cycle.aggregates.corrections import Correction, corrected, stays_visible
from cycle.aggregates.corrections import FactCorrected as FactCorrected
from cycle.aggregates.deliberation import vote_holds
from cycle.aggregates.framework.contributions import promise_holds
from cycle.aggregates.framework.meetings import InvitationSent, MeetingAdjourned, MeetingOpened, counted_anew
from cycle.aggregates.framework.monitoring import (
    IncentiveGranted,
    MonitoringRecorded,
    TrainingHeld,
    measure_is_complete,
    people_add_up,
)
from cycle.aggregates.framework.obstacles import ObstacleCommunicated
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import (
    list_of,
    members_are_known,
    not_twice,
    worth_is_clear,
)
from cycle.aggregates.framework.state import ActionStage, Framework, MeetingStage, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    Count,
    DeadlineKind,
    DeliberationId,
    MemberId,
    Name,
    Outcome,
    Reference,
    Sha256,
    Someone,
    Text,
    Votes,
    Worth,
)
from cycle.policy import Effect


class DocumentAttached(Event):
    """A paper by its digest; the paper itself is kept elsewhere. ``about`` is an id such as ``M-1``."""

    title: Name
    sha256: Sha256
    bytes: Count
    media: Name
    about: Reference | None = None
    correctable = frozenset({"title", "about"})


class DeadlinePassed(Event):
    """Recorded once for each day on which something was due.

    ``about`` is the id of what was due: an action, a contribution, a meeting, a plan.
    """

    kind: DeadlineKind
    about: Reference
    due_on: date


class FrameworkSuspended(Event):
    """``stage`` is the stage it left."""

    stage: str
    reason: Text
    correctable = frozenset({"reason"})
    strands = ("stage",)


class FrameworkResumed(Event):
    """``stage`` is the stage it comes back to."""

    stage: str
    reason: Text
    correctable = frozenset({"reason"})
    strands = ("stage",)


class FrameworkDissolved(Event):
    deliberation: DeliberationId
    seconded_by: Someone
    reason: Text
    correctable = frozenset({"reason"})
    strands = ("stage",)


class AttachDocument(Command):
    """Attach a paper by its SHA-256; keep the paper itself in a safe place."""

    title: Name
    sha256: Sha256
    bytes: Count
    media: Name
    about: Reference | None = None
    roles = (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.COMMITTEE)


class CorrectFact(Correction):
    """Set fields of an earlier fact right; the wrong fact stays visible."""

    roles = (Role.FACILITATOR, Role.COUNCIL_SECRETARY)


class RecordDeadlinePassed(Command):
    """Record once that a deadline has passed."""

    kind: DeadlineKind
    about: Reference
    roles = (Role.WORKER, Role.FACILITATOR)


class Suspend(Command):
    """Suspend the framework, with the reason."""

    reason: Text
    roles = (Role.MAYOR, Role.FACILITATOR)


class Resume(Command):
    """Take the framework up again where it was left."""

    reason: Text
    roles = (Role.MAYOR, Role.FACILITATOR)


class Dissolve(Command):
    """Dissolve the framework on an adopted deliberation; a second person confirms."""

    deliberation: DeliberationId
    reason: Text
    roles = (Role.MAYOR, Role.COUNCIL_SECRETARY)
    seconds = True
    binds = True


def cause_is_lifted(state: Framework, known: Known) -> Iterable[Finding]:
    """A founding deliberation that was annulled or repealed has been replaced by a new one."""
    founding, lift = state.deliberation, (Role.COUNCIL_SECRETARY, Role.MAYOR)
    values = {"number": founding.number if founding else ""}
    if founding is not None and founding.repealed_on is not None:
        yield Finding("still-repealed", state.suspension_lifts, values=values, lift=lift)
    else:
        yield Finding("still-annulled", state.suspension_lifts, values=values, lift=lift)


def a_deadline_passed(state: Framework, known: Known) -> Iterable[Finding]:
    """A deadline has passed that is not recorded as passed."""
    passed = [each for each in deadlines(state) if each[2] < known.on and each not in state.deadlines_passed]
    yield Finding("no-deadline-passed", bool(passed))


def the_council_has_decided_the_end(state: Framework, known: Known) -> Iterable[Finding]:
    """An adopted deliberation of its own says so, and a second person confirms (looked at when it is said)."""
    yield Finding("dissolution-asks", effect=Effect.WARN, lift=(Role.COUNCIL_SECRETARY, Role.MAYOR))


def deadlines(state: Framework) -> Iterable[tuple[DeadlineKind, str, date]]:
    """Every deadline that the framework has to keep now: kind, what it is about, the day."""
    if state.stage is Stage.NEEDS_IDENTIFICATION and state.needs_due_on is not None:
        yield DeadlineKind.NEEDS, f"cycle-{state.cycle}", state.needs_due_on
    meeting = state.meeting
    if state.stage is Stage.MEETING and meeting is not None and meeting.stage is MeetingStage.CONVENED:
        yield DeadlineKind.MEETING, meeting.id, meeting.held_on
    for action in state.negotiated():
        agreed = action.stage in (ActionStage.AGREED, ActionStage.STARTED)
        if agreed and action.due_on is not None:
            yield DeadlineKind.ACTION, action.id, action.due_on
    if state.stage in (Stage.PLAN, Stage.MONITORING) and state.plan is not None:
        yield DeadlineKind.PLAN, f"plan-{state.plan.cycle}", state.plan.window.ends_on
    for promise in state.contributions.values():
        if promise.due_on is not None:
            yield DeadlineKind.CONTRIBUTION, promise.id, promise.due_on


@framework.decides(AttachDocument)
def attach_document(state: Framework, command: AttachDocument, known: Known) -> Iterable[Event]:
    yield DocumentAttached(command.title, command.sha256, command.bytes, command.media, command.about)


@framework.decides(CorrectFact)
def correct_fact(state: Framework, command: CorrectFact, known: Known) -> Iterable[Event]:
    def holds(before: Recorded[Event], after: Recorded[Event]) -> Iterable[Finding]:
        yield from still_holds(state, before.data, after.data)
        yield from promise_holds(known.history, after)

    yield corrected(command, known, holds, counted_anew)


def still_holds(state: Framework, before: Event, after: Event) -> Iterable[Finding]:
    """What must hold inside one fact, whether it is recorded or corrected."""
    match before, after:
        case _, IncentiveGranted(worth=Worth() as worth):
            yield worth_is_clear(worth)
        case _, MonitoringRecorded() as noted:
            yield from measure_is_complete(noted)
        case MeetingOpened() | MeetingAdjourned() as held, MeetingOpened() | MeetingAdjourned() as now:
            yield from _named(state, [p.member for p in held.attendance], [p.member for p in now.attendance])
            youth = tuple(p.member for p in now.attendance if p.youth > p.women + p.men)
            yield Finding("more-youth-than-people", not youth, values=list_of(members=youth))
        case TrainingHeld(members=named), TrainingHeld() as training:
            yield from people_add_up(training)
            yield from _named(state, named, training.members)
        case (
            InvitationSent(members=named) | ObstacleCommunicated(members=named),
            InvitationSent(members=members) | ObstacleCommunicated(members=members),
        ):
            yield Finding("nobody-named", bool(members))
            yield from _named(state, named, members)
    # The fact of the council's vote belongs to an area that builds on this one.
    votes, outcome = getattr(after, "votes", None), getattr(after, "outcome", None)
    if isinstance(votes, Votes) and isinstance(outcome, Outcome):
        yield from vote_holds(votes, outcome)


def _named(state: Framework, before: Sequence[MemberId], after: Sequence[MemberId]) -> Iterable[Finding]:
    """Members of now, or those that the fact named: they were members then."""
    yield from members_are_known(state, (member for member in after if member not in before))
    yield not_twice(after)


@framework.decides(RecordDeadlinePassed)
def record_deadline_passed(state: Framework, command: RecordDeadlinePassed, known: Known) -> Iterable[Event]:
    due = {(kind, about): day for kind, about, day in deadlines(state)}
    day = due.get((command.kind, command.about))
    names = tuple(f"{kind} {about}" for kind, about in due)
    demand(Finding("no-such-deadline", day is not None, values=list_of(about=command.about, known=names)))
    assert day is not None
    once = (command.kind, command.about, day) not in state.deadlines_passed
    demand(
        Finding("deadline-recorded-already", once, values={"about": command.about}),
        Finding("deadline-ahead", known.on > day, values={"about": command.about, "due_on": day.isoformat()}),
    )
    yield DeadlinePassed(command.kind, command.about, day)


@framework.decides(Suspend)
def suspend(state: Framework, command: Suspend, known: Known) -> Iterable[Event]:
    assert state.stage is not None
    yield FrameworkSuspended(state.stage.value, command.reason)


@framework.decides(Resume)
def resume(state: Framework, command: Resume, known: Known) -> Iterable[Event]:
    stage = state.resumes_in(known.on)
    assert stage is not None
    yield FrameworkResumed(stage.value, command.reason)


@framework.decides(Dissolve)
def dissolve(state: Framework, command: Dissolve, known: Known) -> Iterable[Event]:
    decided = known.deliberations.get(command.deliberation)
    values = {"deliberation": command.deliberation}
    lift = (Role.COUNCIL_SECRETARY, Role.MAYOR)
    demand(Finding("deliberation-unknown", decided is not None, values=values, lift=lift))
    assert decided is not None
    adopted = decided.outcome is Outcome.ADOPTED and not decided.ended
    founding = state.deliberation is not None and state.deliberation.id == decided.id
    days = {"decided": decided.decided_on.isoformat(), "on": known.on.isoformat()}
    demand(
        Finding("founds-the-framework", not founding, values={"number": decided.number}, lift=lift),
        Finding("deliberated-after", decided.decided_on <= known.on, values=days),
        Finding("deliberation-elsewhere", decided.commune == state.commune, values={"commune": decided.commune}),
        Finding("dissolution-not-adopted", adopted, values={"number": decided.number}, lift=lift),
    )
    yield FrameworkDissolved(decided.id, known.seconded_by, command.reason)


framework.ignores(DocumentAttached)
framework.evolves(FactCorrected)(stays_visible)


@framework.evolves(DeadlinePassed)
def deadline_passed(state: Framework, recorded: Happened[DeadlinePassed]) -> Framework:
    fact = recorded.data
    return replace(state, deadlines_passed=state.deadlines_passed | {(fact.kind, fact.about, fact.due_on)})


@framework.evolves(FrameworkSuspended)
def framework_suspended(state: Framework, recorded: Happened[FrameworkSuspended]) -> Framework:
    return replace(
        state,
        stage=Stage.SUSPENDED,
        stage_since=recorded.occurred_on,
        suspended_from=Stage(recorded.data.stage),
    )


@framework.evolves(FrameworkResumed)
def framework_resumed(state: Framework, recorded: Happened[FrameworkResumed]) -> Framework:
    return replace(state, stage=Stage(recorded.data.stage), stage_since=recorded.occurred_on, suspended_from=None)


@framework.evolves(FrameworkDissolved)
def framework_dissolved(state: Framework, recorded: Happened[FrameworkDissolved]) -> Framework:
    return replace(state, stage=Stage.DISSOLVED, stage_since=recorded.occurred_on)
