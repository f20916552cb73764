"""What becomes of the plan: progress, measures, training."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cycle.aggregates.base import Command, Refused
from cycle.aggregates.framework.monitoring import (
    AbandonAction,
    ActionAbandoned,
    ActionCompleted,
    ActionStarted,
    CompleteAction,
    GrantIncentive,
    HoldTraining,
    IncentiveGranted,
    MonitoringRecorded,
    ProgressReported,
    RecordMonitoring,
    ReportProgress,
    StartAction,
    TrainingHeld,
)
from cycle.aggregates.framework.state import ActionStage
from cycle.aggregates.terms import Aspect, IncentiveKind, MemberId, Method, Rhythm, Worth
from tests.domain.dioro import A1, A2, A9, FISH, NOBODY, RICE, monitored, reviewed


def test_an_action_is_started_once() -> None:
    told = monitored().when(StartAction(action=A1)).then(ActionStarted, action=A1)
    assert told.state.actions[A1].stage is ActionStage.STARTED
    told.when(StartAction(action=A1)).refused("action-has-started")


def test_progress_starts_an_action_that_nobody_has_noted_as_begun() -> None:
    told = monitored().when(ReportProgress(action=A1, percent=30)).then(ActionStarted, ProgressReported)
    told.when(ReportProgress(action=A1, percent=60)).then(ProgressReported, percent=60)
    assert told.state.actions[A1].percent == 60


def test_progress_falls_only_by_a_correction() -> None:
    told = monitored().given(ReportProgress(action=A1, percent=60))
    told.when(ReportProgress(action=A1, percent=40)).refused("progress-falls")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values == {"action": A1, "percent": 40, "before": 60}
    told.when(ReportProgress(action=A1, percent=60, note="Rien de neuf")).then(ProgressReported)


def test_a_hundred_percent_is_not_done_before_somebody_says_so() -> None:
    told = monitored().given(ReportProgress(action=A1, percent=100))
    assert told.state.actions[A1].stage is ActionStage.STARTED
    told.when(CompleteAction(action=A1, result="La pompe tourne")).then(ActionCompleted)
    assert told.state.actions[A1].stage is ActionStage.COMPLETED


def test_an_action_may_be_done_before_anybody_noted_its_beginning() -> None:
    told = monitored().when(CompleteAction(action=A1)).then(ActionStarted, ActionCompleted)
    assert told.state.actions[A1].percent == 100


def test_an_action_is_given_up_with_a_reason() -> None:
    monitored().when(AbandonAction(action=A1, reason="Crue")).then(ActionAbandoned, reason="Crue")


def said_of(action: str) -> list[Command]:
    return [
        StartAction(action=action),
        ReportProgress(action=action, percent=100),
        CompleteAction(action=action),
        AbandonAction(action=action, reason="?"),
    ]


@pytest.mark.parametrize("command", said_of(A1), ids=lambda c: c.type)
@pytest.mark.parametrize("end", [CompleteAction(action=A1), AbandonAction(action=A1, reason="Crue")])
def test_an_outcome_is_final(command: Command, end: Command) -> None:
    monitored().given(end).when(command).refused("action-is-final")


@pytest.mark.parametrize("command", said_of(A9), ids=lambda c: c.type)
def test_only_actions_of_the_plan_are_spoken_of(command: Command) -> None:
    told = monitored().when(command).refused("unknown-action")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values["known"] == (A1, A2)


@pytest.mark.parametrize("command", said_of(A1), ids=lambda c: c.type)
def test_when_every_action_has_its_outcome_none_runs(command: Command) -> None:
    told = monitored().given(CompleteAction(action=A1), CompleteAction(action=A2))
    told.when(command).refused("no-action-runs")


def test_an_incentive_goes_to_a_member() -> None:
    told = monitored().when(GrantIncentive(kind=IncentiveKind.LAND_ACCESS, member=RICE, description="Deux hectares"))
    told.then(IncentiveGranted, worth=None)


@pytest.mark.parametrize(
    ("member", "worth", "codes"),
    [
        (NOBODY, None, ["unknown-member"]),
        (RICE, Worth(), ["worth-unclear"]),
        (RICE, Worth(0), ["worth-unclear"]),
        (RICE, Worth(5_000, Decimal(1), "ha"), ["worth-unclear"]),
        (RICE, Worth(None, Decimal("NaN"), "ha"), ["worth-unclear"]),
        (NOBODY, Worth(None, Decimal(2)), ["unknown-member", "worth-unclear"]),
    ],
)
def test_an_incentive_says_clearly_what_it_is_worth(member: MemberId, worth: Worth | None, codes: list[str]) -> None:
    grant = GrantIncentive(kind=IncentiveKind.TRAINING_SUPPORT, member=member, description="Appui", worth=worth)
    monitored().when(grant).refused(*codes)


def test_a_training_counts_who_came() -> None:
    held = HoldTraining(topic="Comptabilité", days=2, members=(RICE, FISH), women=12, men=8, youth=20)
    monitored().when(held).then(TrainingHeld, women=12, members=(RICE, FISH))


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({}, ["nobody-came"]),
        ({"women": 2, "youth": 3}, ["more-youth-than-people"]),
        ({"women": 2, "members": (NOBODY,)}, ["unknown-member"]),
        ({"women": 2, "members": (RICE, RICE)}, ["named-twice"]),
    ],
)
def test_a_training_is_counted_sensibly(said: dict[str, object], codes: list[str]) -> None:
    monitored().when(HoldTraining(**{"topic": "Semis", "days": 1, **said})).refused(*codes)


def noted(method: Method, **said: object) -> RecordMonitoring:
    fixed = {"aspect": Aspect.ECONOMIC, "rhythm": Rhythm.REGULAR, "subject": "Rendement du riz"}
    return RecordMonitoring(**{**fixed, "method": method, **said})


def test_a_measurement_has_value_and_unit_an_observation_may_go_without() -> None:
    told = monitored().when(noted(Method.MEASUREMENT, value=Decimal("4.2"), unit="t/ha", action=A1))
    told.then(MonitoringRecorded, value=Decimal("4.2"))
    told.when(noted(Method.OBSERVATION)).then(MonitoringRecorded, value=None)


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (noted(Method.MEASUREMENT), ["measurement-without-value"]),
        (noted(Method.MEASUREMENT, value=Decimal(4)), ["measurement-without-value"]),
        (noted(Method.MEASUREMENT, unit="t/ha"), ["measurement-without-value"]),
        (noted(Method.MEASUREMENT, value=Decimal("NaN"), unit="t/ha"), ["value-is-no-number"]),
        (noted(Method.OBSERVATION, value=Decimal("-Infinity")), ["value-is-no-number"]),
        (noted(Method.OBSERVATION, action=A9), ["unknown-action"]),
    ],
)
def test_a_measure_that_says_nothing_is_refused(command: RecordMonitoring, codes: list[str]) -> None:
    monitored().when(command).refused(*codes)


def test_work_goes_on_while_the_review_measures() -> None:
    reviewed().when(ReportProgress(action=A1, percent=80)).then(ActionStarted, ProgressReported)
