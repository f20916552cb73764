"""What ``next`` says of an option that is refused, or allowed with a warning, is true where it is said."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cycle.aggregates.framework.anytime import RecordDeadlinePassed, Suspend
from cycle.aggregates.framework.monitoring import StartAction
from cycle.aggregates.framework.obstacles import RaiseObstacle
from cycle.aggregates.framework.plan import RegisterInPdesc
from cycle.aggregates.terms import DeadlineKind
from tests.domain.dioro import A1, A2, ENDED, at_the_meeting, in_session, monitored, planned, with_committee
from tests.domain.story import Story
from tests.domain.test_anytime import at_the_needs
from tests.domain.test_setup import adopted, submitted
from tests.domain.walks import tale_begun


def suspended() -> Story:
    return monitored().given(Suspend(reason="Insécurité"))


def begun() -> Story:
    return monitored().given(StartAction(action=A1), StartAction(action=A2))


def registered() -> Story:
    return monitored().given(*(RegisterInPdesc(action=a, reference=f"PDESC-{a}") for a in (A1, A2)))


@pytest.mark.parametrize(
    ("told", "command", "codes", "somebody_can_lift_it"),
    [
        (planned(), "close-meeting", {"meeting-closed-already"}, False),
        (at_the_meeting(), "close-meeting", {"no-meeting-pending"}, True),
        (in_session(), "send-invitations", {"in-session-already"}, False),
        (suspended(), "record-deliberation", {"founding-stands"}, False),
        (adopted(), "record-deliberation", {"adopted-already"}, False),
        (tale_begun(), "record-deliberation", {"nothing-before-the-council"}, True),
        (submitted(), "submit-to-council", {"submitted-already"}, True),
        (tale_begun(), "formalise", {"not-adopted", "constituency-missing"}, True),
        (adopted(), "follow-deliberation", {"nothing-new"}, True),
        (tale_begun(), "follow-deliberation", {"no-deliberation"}, False),
        (tale_begun(), "adopt-policy", {"policy-in-force"}, True),
        (tale_begun(), "identify-actor", {"no-sectors"}, True),
        (with_committee(), "install-committee", {"committee-installed-already"}, False),
        (with_committee(), "keep-committee", {"committee-kept-already"}, False),
        (at_the_needs(), "validate-needs", {"no-needs"}, True),
        (begun(), "start-action", {"no-action-waits"}, False),
        (registered(), "register-in-pdesc", {"all-registered"}, False),
        (monitored(), "record-deadline-passed", {"no-deadline-passed"}, False),
        (planned(), "open-review", {"not-monitored-yet"}, True),
    ],
)
def test_what_is_certain_to_be_refused_is_said_before(
    told: Story, command: str, codes: set[str], somebody_can_lift_it: bool
) -> None:
    told.know(on=told.now)
    option = told.options()[command]
    assert {finding.code for finding in option.refused_by} == codes
    assert all(bool(finding.lift) == somebody_can_lift_it for finding in option.refused_by)


def reviews(told: Story, on: date) -> dict[str, object]:
    told.know(on=on)
    return {finding.code: finding.values for finding in told.options()["open-review"].warnings}


def test_the_kinds_of_review_that_hold_today_are_listed() -> None:
    assert reviews(monitored(), date(2026, 4, 1)) == {"review-kinds": {"kinds": ("mid-term",)}}
    assert reviews(monitored(), ENDED + timedelta(days=1)) == {"review-kinds": {"kinds": ("end", "overdue")}}
    told = monitored().given(RaiseObstacle(description="Pompe volée", severity=3))
    assert reviews(told, date(2026, 4, 1)) == {"review-kinds": {"kinds": ("mid-term", "end")}}


def test_the_end_of_a_plan_is_announced_as_long_before_as_the_policy_says() -> None:
    assert "plan-ends-soon" not in reviews(monitored(), ENDED - timedelta(days=15))
    assert reviews(monitored(), ENDED - timedelta(days=14))["plan-ends-soon"] == {"ends_on": "2026-05-31", "days": 14}


def test_a_deadline_that_has_passed_waits_to_be_recorded() -> None:
    told = monitored().know(on=date(2026, 4, 16))
    assert told.options()["record-deadline-passed"].allowed
    told.given(RecordDeadlinePassed(kind=DeadlineKind.ACTION, about="A-1"), on=date(2026, 4, 16))
    assert not told.options()["record-deadline-passed"].allowed


def test_a_dissolution_says_what_it_asks_for() -> None:
    option = monitored().options()["dissolve"]
    assert option.allowed
    assert [finding.code for finding in option.warnings] == ["dissolution-asks"]
