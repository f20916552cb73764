"""The state table of a framework: the one place that says what may happen when, and what follows.

A row without ``to`` stays where it is; a row whose ``to`` is a function goes where that says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from transitions import Machine

from cycle.aggregates.base import Command, Finding
from cycle.aggregates.framework import (
    adjustment,
    anytime,
    attendance,
    committee,
    contributions,
    council,
    meetings,
    monitoring,
    needs,
    obstacles,
    plan,
    proposals,
    review,
    setup,
)
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.known import Known

Guard = Callable[[Framework, Known], Iterable[Finding]]
"""A rule on the state; its name is the rule, its findings say what it saw. Never looks at a command."""


class Row(Struct, frozen=True):
    """From these stages this command leads there, unless a guard refuses."""

    command: type[Command]
    stages: tuple[Stage | None, ...]
    to: tuple[Stage, ...] = ()
    guards: tuple[Guard, ...] = ()


D, N, M, P, O, A = (  # noqa: E741
    Stage.DELIBERATION,
    Stage.NEEDS_IDENTIFICATION,
    Stage.MEETING,
    Stage.PLAN,
    Stage.MONITORING,
    Stage.ADJUSTMENT,
)
S, X = Stage.SUSPENDED, Stage.DISSOLVED
ACTIVE = (D, N, M, P, O, A)
AFTER_SETUP = (N, M, P, O, A)
LIVING = (*ACTIVE, S)

TABLE: tuple[Row, ...] = (
    Row(setup.ProposeFramework, (None,), (D,), (setup.commune_is_known, setup.active_frameworks_below_maximum)),
    Row(setup.PrioritiseSectors, (D,), (), (council.not_before_the_council,)),
    Row(setup.IdentifyActor, (D, N), (), (setup.sectors_are_named,)),
    Row(setup.AdmitMember, (D, N, M, A)),
    Row(
        council.SubmitToCouncil,
        (D,),
        (),
        (council.not_before_the_council, setup.enough_sectors, setup.an_actor_per_sector),
    ),
    Row(council.RecordDeliberation, (D, S), (), (council.a_text_awaits_the_council,)),
    Row(council.FollowDeliberation, LIVING, (), (council.something_to_follow,)),
    Row(
        council.Formalise,
        (D,),
        (N,),
        (
            council.deliberation_adopted,
            council.deliberation_stands,
            council.deliberation_executory,
            council.founders_are_members,
            setup.an_actor_per_sector,
        ),
    ),
    Row(needs.IdentifyNeed, (N,), (), (needs.a_profession_is_represented,)),
    Row(needs.AmendNeed, (N,), (), (needs.a_need_is_open,)),
    Row(needs.WithdrawNeed, (N,), (), (needs.a_need_is_open,)),
    Row(needs.ValidateNeeds, (N,), (), (needs.a_profession_is_represented, needs.a_profession_has_needs)),
    Row(needs.DeclareNoNeeds, (N,), (), (needs.a_profession_is_represented, needs.a_profession_without_needs)),
    Row(needs.CloseNeeds, (N,), (M,), (needs.every_profession_has_spoken, needs.at_least_one_need)),
    Row(meetings.ConveneMeeting, (M,), (), (meetings.no_other_meeting_pending,)),
    Row(meetings.SendInvitations, (M,), (), (meetings.a_meeting_is_convened,)),
    Row(meetings.ArrangeLogistics, (M,), (), (meetings.a_meeting_is_pending,)),
    Row(meetings.PostponeMeeting, (M,), (), (meetings.a_meeting_is_convened,)),
    Row(meetings.CancelMeeting, (M,), (), (meetings.a_meeting_is_convened,)),
    Row(meetings.OpenMeeting, (M,), (), (meetings.a_meeting_is_convened, meetings.its_day_has_come)),
    Row(meetings.AdjournMeeting, (M,), (), (meetings.a_meeting_is_pending,)),
    Row(proposals.ProposeAction, (M,)),
    Row(proposals.AmendAction, (M,), (), (proposals.an_action_is_proposed,)),
    Row(proposals.WithdrawAction, (M,), (), (proposals.an_action_is_proposed,)),
    Row(proposals.RankActions, (M,), (), (proposals.an_action_is_proposed,)),
    Row(contributions.PledgeContribution, (M, P, O), (), (contributions.somebody_is_member,)),
    Row(plan.RecordDisagreement, (M,), (), (meetings.in_session,)),
    Row(
        plan.AgreePlan,
        (M,),
        (P,),
        (
            meetings.in_session,
            attendance.quorum_now,
            plan.constituencies_present,
            proposals.an_action_is_proposed,
            plan.actions_are_complete,
            plan.no_due_date_has_passed,
        ),
    ),
    Row(meetings.CloseMeeting, (M, P), (), (meetings.in_session,)),
    Row(meetings.ApproveMinutes, AFTER_SETUP, (), (meetings.minutes_await_approval,)),
    Row(committee.InstallCommittee, (P,), (), (committee.none_installed_yet,)),
    Row(committee.KeepCommittee, (P,), (), (committee.one_to_keep, committee.still_inclusive)),
    Row(committee.RenewCommittee, (P,), (), (committee.one_to_renew,)),
    Row(committee.ReplaceCommitteeMember, (P, O, A), (), (committee.in_office,)),
    Row(committee.DefineMandate, (P,), (), (committee.in_office, committee.no_mandate_yet)),
    Row(committee.AmendMandate, (P, O, A), (), (committee.in_office, committee.a_mandate_to_amend)),
    Row(plan.ReopenNegotiation, (P,), (M,), (plan.nothing_started,)),
    Row(
        monitoring.StartMonitoring,
        (P,),
        (O,),
        (
            committee.in_office_for_this_cycle,
            committee.mandate_for_this_cycle,
            meetings.closed_with_minutes,
            monitoring.still_time_to_monitor,
        ),
    ),
    Row(monitoring.StartAction, (O,), (), (monitoring.an_action_runs, monitoring.an_action_waits)),
    Row(monitoring.ReportProgress, (O, A), (), (monitoring.an_action_runs,)),
    Row(monitoring.CompleteAction, (O, A), (), (monitoring.an_action_runs,)),
    Row(monitoring.AbandonAction, (O, A), (), (monitoring.an_action_runs,)),
    Row(contributions.ReceiveContribution, AFTER_SETUP, (), (contributions.a_promise_is_open,)),
    Row(contributions.WaiveContribution, AFTER_SETUP, (), (contributions.a_promise_is_open,)),
    Row(contributions.RecordRenege, AFTER_SETUP, (), (contributions.a_promise_is_open,)),
    Row(plan.RegisterInPdesc, (P, O, A), (), (plan.an_action_is_not_registered,)),
    Row(monitoring.GrantIncentive, AFTER_SETUP, (), (contributions.somebody_is_member,)),
    Row(monitoring.HoldTraining, AFTER_SETUP),
    Row(monitoring.RecordMonitoring, (O, A)),
    Row(obstacles.RaiseObstacle, (P, O, A)),
    Row(obstacles.CommunicateObstacle, (O, A), (), (obstacles.an_obstacle_is_open,)),
    Row(obstacles.AgreeSolution, (M, O, A), (), (obstacles.an_obstacle_is_open,)),
    Row(obstacles.ResolveObstacle, (M, O, A), (), (obstacles.an_obstacle_is_open,)),
    Row(obstacles.AcceptObstacle, (O, A), (), (obstacles.an_obstacle_is_open,)),
    Row(obstacles.ReopenObstacle, (O, A), (), (obstacles.an_obstacle_was_closed,)),
    Row(adjustment.OpenReview, (P, O), (A,), (review.a_review_is_due, review.the_plan_ends_soon)),
    Row(adjustment.RecordReview, (A,)),
    Row(adjustment.AdjustPlan, (A,), (O,), (adjustment.window_not_over,)),
    Row(adjustment.CarryOverAction, (A,), (), (monitoring.an_action_runs,)),
    Row(adjustment.CarryOverObstacle, (A,), (), (obstacles.an_obstacle_is_open,)),
    Row(
        adjustment.NextMeeting,
        (A,),
        (M,),
        (
            adjustment.every_action_has_an_outcome,
            adjustment.every_obstacle_has_a_decision,
            adjustment.pledges_of_the_departed_decided,
        ),
    ),
    Row(
        adjustment.ReopenNeeds,
        (A,),
        (N,),
        (
            adjustment.every_action_has_an_outcome,
            adjustment.every_obstacle_has_a_decision,
            adjustment.pledges_of_the_departed_decided,
        ),
    ),
    Row(setup.WithdrawMember, LIVING, (), (contributions.somebody_is_member,)),
    Row(setup.AdoptPolicy, LIVING, (), (setup.a_newer_policy,)),
    Row(anytime.AttachDocument, LIVING),
    Row(anytime.CorrectFact, LIVING),
    Row(anytime.RecordDeadlinePassed, LIVING, (), (anytime.a_deadline_passed,)),
    Row(anytime.Suspend, ACTIVE, (S,)),
    Row(anytime.Resume, (S,), ACTIVE, (anytime.cause_is_lifted,)),
    Row(anytime.Dissolve, LIVING, (X,), (anytime.the_council_has_decided_the_end,)),
)
"""In the order in which people meet them. ``FollowDeliberation`` of an annulment or repeal also suspends."""

NONE = "none"


def _machine() -> Machine:
    """The lifecycle in ``transitions``, built once per process: pictures and look-ups come from it."""
    machine = Machine(
        model=None,
        states=[NONE, *(stage.value for stage in Stage)],
        initial=NONE,
        auto_transitions=False,
    )
    for row in TABLE:
        for stage in row.stages:
            for to in row.to or (stage,):
                machine.add_transition(row.command.type, stage.value if stage else NONE, to.value if to else NONE)
    for stage in ACTIVE:
        machine.add_transition(council.FollowDeliberation.type, stage.value, S.value)
    return machine


MACHINE = _machine()
ROWS: dict[tuple[str, Stage | None], Row] = {(row.command.type, stage): row for row in TABLE for stage in row.stages}
MOVES: frozenset[tuple[str, str, str]] = frozenset(
    (name, transition.source, str(transition.dest))
    for name, event in MACHINE.events.items()
    for per_source in event.transitions.values()
    for transition in per_source
)
"""Every (command, from, to) that the lifecycle allows."""


def triggers(stage: Stage | None) -> tuple[Row, ...]:
    """The rows that may be tried in a stage, in table order."""
    return tuple(row for row in TABLE if stage in row.stages)


def stages_of(command: type[Command]) -> tuple[Stage | None, ...]:
    """The stages in which a command may be said."""
    return tuple(stage for row in TABLE if row.command is command for stage in row.stages)
