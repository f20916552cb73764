"""What is asked of every command before its own rules: the stage, the role, the dates, the policy."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cycle.aggregates.base import By, Refused, Role
from cycle.aggregates.framework.adjustment import NextMeeting, OpenReview
from cycle.aggregates.framework.monitoring import MonitoringStarted, ReportProgress, StartMonitoring
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.terms import ReviewKind
from tests.domain.dioro import A1, MET, WINDOW, monitored, proposed, with_committee
from tests.domain.story import DIORO, TODAY, story

PROPOSE = ProposeFramework(commune=DIORO.code, title="Cadre de Dioro")


def test_a_command_of_another_stage_is_told_where_it_belongs() -> None:
    told = monitored().when(AgreePlan(window=WINDOW)).refused("wrong-stage")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values["wanted"] == ("meeting",)


def test_what_does_not_exist_has_to_be_proposed_and_what_exists_not_again() -> None:
    story().when(NextMeeting()).refused("framework-unknown")
    monitored().when(PROPOSE).refused("framework-exists")


def test_somebody_else_has_to_say_it_and_the_guards_answer_at_the_same_time() -> None:
    told = proposed().when(AgreePlan(window=WINDOW), on=MET, by=By("somebody", Role.PARTNER)).refused("role-may-not")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].lift == (Role.FACILITATOR,)
    told = with_committee().when(NextMeeting(), by=By("somebody", Role.PARTNER)).refused("wrong-stage")


def test_what_has_not_happened_yet_is_not_recorded() -> None:
    monitored().when(ReportProgress(action=A1, percent=10), on=TODAY + timedelta(days=1)).refused("not-happened-yet")


def test_a_move_is_not_dated_before_the_last_one_unless_it_is_known_to_be_late() -> None:
    early = MET - timedelta(days=1)
    told = with_committee().when(StartMonitoring(), on=early).refused("before-the-last-move")
    told.know(late_record=True).when(StartMonitoring(), on=early).then(MonitoringStarted)


def test_what_does_not_move_the_framework_may_be_told_late() -> None:
    told = monitored().when(ReportProgress(action=A1, percent=10), on=date(2026, 3, 2))
    assert not isinstance(told.outcome, Refused)


@pytest.mark.parametrize("command", [AgreePlan(window=WINDOW), PROPOSE, OpenReview(kind=ReviewKind.MID_TERM)])
def test_no_rule_is_applied_without_its_policy(command: AgreePlan) -> None:
    told = {AgreePlan: proposed, ProposeFramework: story, OpenReview: monitored}[type(command)]()
    told.know(policy=None).when(command, on=told.now).refused("policy-unknown")
