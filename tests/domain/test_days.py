"""Days that cannot be: before the framework, before what they name, in years that nobody plans for."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from cycle.aggregates.base import Command, Event, Refused
from cycle.aggregates.framework.adjustment import ReopenNeeds
from cycle.aggregates.framework.anytime import DocumentAttached, FactCorrected
from cycle.aggregates.framework.committee import InstallCommittee, RenewCommittee
from cycle.aggregates.framework.contributions import ReceiveContribution
from cycle.aggregates.framework.council import Formalise, FrameworkFormalised
from cycle.aggregates.framework.meetings import (
    CloseMeeting,
    ConveneMeeting,
    MeetingConvened,
    MeetingOpened,
    PostponeMeeting,
)
from cycle.aggregates.framework.monitoring import MonitoringStarted, ReportProgress
from cycle.aggregates.framework.needs import NeedsIdentificationOpened
from cycle.aggregates.framework.obstacles import AgreeSolution, CommunicateObstacle, ObstacleCommunicated, RaiseObstacle
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.proposals import AmendAction, ProposeAction
from cycle.aggregates.framework.setup import AdmitMember, FrameworkProposed
from cycle.aggregates.terms import Worth
from tests.domain.dioro import (
    A1,
    C1,
    CASH,
    MET,
    O1,
    RICE,
    SEATS,
    at_the_meeting,
    convened,
    monitored,
    planned,
    proposed,
    second_cycle,
    settled,
)
from tests.domain.story import Story, correct
from tests.domain.test_anytime import PAPER
from tests.domain.test_setup import MAIRIE, adopted
from tests.domain.test_setup import RICE as RICE_COOP

JUNE = date(2026, 6, 20)
TOLD = CommunicateObstacle(obstacle=O1, members=(RICE,))


def raised() -> Story:
    return monitored().given(RaiseObstacle(description="Crue", severity=2), on=JUNE)


def test_nothing_is_said_of_an_obstacle_before_it_was_raised_unless_it_is_a_late_record() -> None:
    early = JUNE - timedelta(days=10)
    told = raised().when(TOLD, on=early).refused("before-what-it-names")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values == {"thing": "O-1", "on": "2026-06-10", "since": "2026-06-20"}
    told.when(TOLD, on=JUNE).then(ObstacleCommunicated)
    raised().know(late_record=True).when(TOLD, on=early).then(ObstacleCommunicated)


@pytest.mark.parametrize(
    ("told", "command", "thing"),
    [
        (monitored().given(CASH), ReceiveContribution(contribution=C1, worth=Worth(1)), "C-1"),
        (proposed(), AmendAction(action=A1, description="Mieux"), "A-1"),
        (second_cycle(), ConveneMeeting(held_on=date(2026, 9, 1), place="Mairie"), "cycle-2"),
        (planned().given(InstallCommittee(seats=SEATS)), RenewCommittee(seats=SEATS), "committee"),
    ],
    ids=["promise", "action", "cycle", "committee"],
)
def test_nothing_is_said_of_what_was_not_there_yet(told: Story, command: Command, thing: str) -> None:
    told.when(command, on=told.now - timedelta(days=3)).refused("before-what-it-names")
    assert isinstance(told.outcome, Refused)
    assert thing in [finding.values["thing"] for finding in told.outcome.findings]


def test_a_framework_is_not_formalised_before_its_deliberation_is_recorded() -> None:
    told = adopted().given(AdmitMember(organisation=MAIRIE), AdmitMember(organisation=RICE_COOP))
    told.when(Formalise(), on=told.now - timedelta(days=3)).refused("before-what-it-names")
    told.when(Formalise(), on=told.now + timedelta(days=3)).then(FrameworkFormalised, NeedsIdentificationOpened)


def test_a_framework_has_no_fact_before_it_was_proposed_not_even_as_a_late_record() -> None:
    told = monitored().know(late_record=True)
    told.when(PAPER, on=date(2026, 1, 5)).refused("before-the-framework")
    told.when(PAPER, on=date(1, 1, 1)).refused("too-long-ago", "before-the-framework")
    told.when(PAPER, on=date(2026, 1, 6)).then(DocumentAttached)


@pytest.mark.parametrize("day", [date(9999, 1, 1), date(1500, 1, 1), date(2031, 12, 1)])
def test_what_is_planned_is_to_come_and_in_years_for_which_people_plan(day: date) -> None:
    at_the_meeting().when(ConveneMeeting(held_on=day, place="Mairie")).refused("not-a-day-to-plan")
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    told.when(PostponeMeeting(held_on=day, reason="x")).refused("not-a-day-to-plan")
    told.when(ProposeAction(description="Pompe", due_on=day)).refused("not-a-day-to-plan")
    raised().when(AgreeSolution(obstacle=O1, solution="x", responsible=RICE, due_on=day)).refused("not-a-day-to-plan")
    monitored().when(msgspec.structs.replace(CASH, due_on=day)).refused("not-a-day-to-plan")
    settled().when(ReopenNeeds(reason="x", due_on=day)).refused("not-a-day-to-plan")


@pytest.mark.parametrize(
    ("fact", "day", "codes"),
    [
        (PlanAgreed, "1700-01-01", ["too-long-ago"]),
        (PlanAgreed, "2026-02-28", ["before-what-it-stands-on"]),
        (PlanAgreed, "2026-03-04", ["before-what-it-stands-on"]),
        (MonitoringStarted, "2026-02-28", ["before-what-it-stands-on"]),
        (MeetingConvened, "2026-03-09", ["not-a-day-to-plan"]),
        (MeetingOpened, "2026-01-07", ["before-what-it-stands-on"]),
        (FrameworkProposed, "2026-02-01", ["before-what-it-stands-on"]),
    ],
)
def test_a_corrected_day_stays_between_its_neighbours(fact: type[Event], day: str, codes: list[str]) -> None:
    correct(monitored(), fact, occurred_on=day).refused(*codes)


def test_a_wrong_week_is_set_right_from_its_end_to_its_beginning() -> None:
    """The obstacle was raised and communicated a week later than noted: the last first."""
    told = raised().given(TOLD, on=JUNE + timedelta(days=1))
    told.now = date(2026, 8, 1)
    correct(told, type(told.history[-2].data), occurred_on="2026-06-27").refused("before-what-it-stands-on")
    correct(told, ObstacleCommunicated, occurred_on="2026-06-28").then(FactCorrected)
    correct(told, type(raised().history[-1].data), occurred_on="2026-06-27").then(FactCorrected)


def test_a_late_record_that_lay_before_what_it_names_can_still_be_corrected() -> None:
    told = raised().know(late_record=True).given(TOLD, on=JUNE - timedelta(days=10))
    correct(told, ObstacleCommunicated, occurred_on="2026-06-11").then(FactCorrected)


@pytest.mark.parametrize("due_on", ["1500-01-01", "9999-01-01"])
def test_a_corrected_plan_is_one_for_days_to_come(due_on: str) -> None:
    told = monitored().given(msgspec.structs.replace(CASH, due_on=date(2026, 5, 1)))
    correct(told, type(told.history[-1].data), due_on=due_on).refused("not-a-day-to-plan")


def test_a_second_meeting_is_convened_after_the_first_has_ended() -> None:
    told = convened(at_the_meeting(), MET)
    told.given(CloseMeeting(minutes="Sans accord"), on=MET)
    again = ConveneMeeting(held_on=MET + timedelta(days=9), place="Mairie")
    told.when(again, on=MET - timedelta(days=1)).refused("before-what-it-names")
    told.when(again, on=MET).then(MeetingConvened)


def test_progress_of_a_day_in_between_may_be_told_late() -> None:
    told = raised().when(ReportProgress(action=A1, percent=20), on=JUNE - timedelta(days=30))
    assert not isinstance(told.outcome, Refused)
