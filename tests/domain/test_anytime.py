"""What may happen at any time: papers, corrections, deadlines, suspension, the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from cycle.aggregates.base import By, Command, Event, Refused, Role
from cycle.aggregates.framework.adjustment import CarryOverAction, NextMeeting, OpenReview, ReviewOpened
from cycle.aggregates.framework.anytime import (
    NO_VALUE,
    AttachDocument,
    CorrectFact,
    DeadlinePassed,
    Dissolve,
    DocumentAttached,
    FactCorrected,
    FrameworkDissolved,
    FrameworkResumed,
    FrameworkSuspended,
    RecordDeadlinePassed,
    Resume,
    Suspend,
    deadlines,
)
from cycle.aggregates.framework.contributions import ContributionPledged, ContributionReceived, ReceiveContribution
from cycle.aggregates.framework.council import CouncilDeliberated, FollowDeliberation, Formalise, RecordDeliberation
from cycle.aggregates.framework.meetings import (
    ConveneMeeting,
    InvitationSent,
    MeetingOpened,
    PostponeMeeting,
    SendInvitations,
)
from cycle.aggregates.framework.monitoring import (
    AbandonAction,
    CompleteAction,
    IncentiveGranted,
    MonitoringRecorded,
    MonitoringStarted,
    ProgressReported,
    ReportProgress,
    StartMonitoring,
    TrainingHeld,
)
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.proposals import ActionProposed
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import Quorum, Stage
from cycle.aggregates.terms import (
    Aspect,
    CommuneCode,
    DeadlineKind,
    DeliberationId,
    IncentiveKind,
    MeetingId,
    Method,
    Outcome,
    ReviewKind,
    Rhythm,
    Worth,
)
from cycle.history import believed
from tests.domain.dioro import (
    A1,
    A2,
    C1,
    CASH,
    ENDED,
    EVERYBODY,
    FISH,
    MET,
    RICE,
    at_the_meeting,
    in_session,
    monitored,
    planned,
    proposed,
    reviewed,
    with_committee,
)
from tests.domain.dioro import second_cycle as at_the_second_meeting
from tests.domain.story import Story, correct
from tests.domain.walks import DELIBERATIONS, tale_begun

JUNE = date(2026, 6, 1)
PAPER = AttachDocument(title="Liste de présence", sha256="0" * 64, bytes=20_480, media="application/pdf", about="M-1")


def test_a_paper_is_attached_by_its_digest() -> None:
    in_session().when(PAPER).then(DocumentAttached, sha256="0" * 64, about="M-1")


# Corrections


def changed(told: Story) -> list[tuple[str, object, object]]:
    [correction] = told.outcome
    return [(change.field, plain(change.was), plain(change.now)) for change in correction.changes]


def plain(raw: msgspec.Raw) -> object:
    return None if raw is NO_VALUE else msgspec.json.decode(raw)


def test_a_correction_says_what_was_and_what_holds() -> None:
    told = monitored().given(ReportProgress(action=A1, percent=80, note="Presque"))
    correct(told, ProgressReported, percent=50, note=None).then(FactCorrected, fact_type="progress-reported")
    assert changed(told) == [("note", "Presque", None), ("percent", 80, 50)]
    assert framework.fold(framework.initial, believed(told.history)).actions[A1].percent == 50


def test_a_date_is_set_right() -> None:
    told = correct(monitored(), MonitoringStarted, occurred_on="2026-03-02").then(FactCorrected)
    assert changed(told) == [("occurred_on", "2026-03-03", "2026-03-02")]
    assert believed(told.history)[told.outcome[0].fact_version - 1].occurred_on == date(2026, 3, 2)


def test_what_was_corrected_wrongly_is_corrected_again() -> None:
    told = monitored().given(ReportProgress(action=A1, percent=80))
    correct(correct(told, ProgressReported, percent=50), ProgressReported, percent=60)
    assert changed(told) == [("percent", 50, 60)]
    assert framework.fold(framework.initial, believed(told.history)).actions[A1].percent == 60


def test_a_correction_itself_is_not_corrected() -> None:
    told = correct(monitored().given(ReportProgress(action=A1, percent=80)), ProgressReported, percent=50)
    correct(told, FactCorrected, occurred_on="2026-01-01").refused("not-correctable")


@pytest.mark.parametrize(
    ("fact", "changes", "codes"),
    [
        (ProgressReported, {"action": "A-2"}, ["not-correctable"]),
        (PlanAgreed, {"window": {"starts_on": "2026-03-02", "ends_on": "2026-05-01"}}, ["not-correctable"]),
        (ProgressReported, {"colour": "red"}, ["not-correctable"]),
        (ProgressReported, {}, ["nothing-corrected"]),
        (ProgressReported, {"percent": 80}, ["nothing-corrected"]),
        (ProgressReported, {"note": None}, ["nothing-corrected"]),
        (ProgressReported, {"percent": 101}, ["correction-does-not-fit"]),
        (ProgressReported, {"percent": "beaucoup"}, ["correction-does-not-fit"]),
        (ProgressReported, {"percent": None}, ["correction-does-not-fit"]),
        (ProgressReported, {"occurred_on": "hier"}, ["correction-does-not-fit"]),
        (ProgressReported, {"occurred_on": None}, ["correction-does-not-fit"]),
        (ProgressReported, {"occurred_on": "2030-01-02"}, ["not-happened-yet"]),
        (ActionProposed, {"description": ""}, ["correction-does-not-fit"]),
    ],
)
def test_only_measures_dates_and_words_are_corrected(
    fact: type[Event], changes: dict[str, object], codes: list[str]
) -> None:
    correct(monitored().given(ReportProgress(action=A1, percent=80)), fact, **changes).refused(*codes)


def test_an_unreadable_value_is_refused() -> None:
    told = monitored()
    broken = CorrectFact(fact_version=len(told.history), changes={"occurred_on": msgspec.Raw(b"{")}, reason="?")
    told.when(broken).refused("correction-does-not-fit")


def test_a_fact_that_nobody_knows_is_not_corrected() -> None:
    wrong = CorrectFact(fact_version=999, changes={"note": msgspec.Raw(b'"x"')}, reason="?")
    monitored().when(wrong).refused("no-such-fact")


@pytest.mark.parametrize(
    ("fact", "changes", "codes"),
    [
        (ContributionPledged, {"worth": {"quantity": "3", "unit": "jour"}}, ["worth-does-not-fit"]),
        (ContributionPledged, {"worth": {"amount_xof": 0}}, ["worth-does-not-fit"]),
        (ContributionReceived, {"worth": {"quantity": "3", "unit": "jour"}}, ["another-unit", "worth-does-not-fit"]),
        (IncentiveGranted, {"worth": {"quantity": "NaN", "unit": "ha"}}, ["worth-unclear"]),
        (MonitoringRecorded, {"unit": None}, ["measurement-without-value"]),
        (MonitoringRecorded, {"value": "Infinity"}, ["value-is-no-number"]),
        (TrainingHeld, {"women": 0}, ["nobody-came", "more-youth-than-people"]),
        (TrainingHeld, {"members": ["MB-9"]}, ["unknown-member"]),
        (MeetingOpened, {"attendance": [{"member": "MB-9", "women": 1}]}, ["unknown-member"]),
        (MeetingOpened, {"attendance": [{"member": "MB-1", "youth": 1}]}, ["more-youth-than-people"]),
        (MeetingOpened, {"attendance": [{"member": "MB-1"}, {"member": "MB-1"}]}, ["named-twice"]),
        (InvitationSent, {"members": []}, ["nobody-named"]),
        (InvitationSent, {"members": ["MB-1", "MB-1"]}, ["named-twice"]),
        (CouncilDeliberated, {"votes": {"in_office": 5, "present": 9, "in_favour": 3}}, ["present-exceed-office"]),
        (
            CouncilDeliberated,
            {"votes": {"in_office": 23, "present": 20, "in_favour": 3, "against": 9}},
            ["adopted-without-majority"],
        ),
    ],
)
def test_a_corrected_fact_must_hold_in_itself(fact: type[Event], changes: dict[str, object], codes: list[str]) -> None:
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"), SendInvitations(members=(RICE,)))
    told.given_facts(
        MeetingOpened(MeetingId("M-1"), 1, 1, EVERYBODY, Quorum("wocat-pact-1/7", 3, 5, True)),
        ContributionPledged(C1, 1, RICE, CASH.ledger, CASH.nature, CASH.use, Worth(50_000)),
        ContributionReceived(C1, Worth(20_000)),
        IncentiveGranted(IncentiveKind.LAND_ACCESS, RICE, "Deux hectares", Worth(None, Decimal(2), "ha")),
        MonitoringRecorded(Aspect.ECONOMIC, Method.MEASUREMENT, Rhythm.REGULAR, "Rendement", Decimal(4), "t/ha"),
        TrainingHeld("Semis", 1, (RICE,), 4, 0, 2),
    )
    correct(told, fact, **changes).refused(*codes)


def test_a_number_written_otherwise_is_no_correction() -> None:
    noted = MonitoringRecorded(Aspect.ECONOMIC, Method.MEASUREMENT, Rhythm.REGULAR, "Rendement", Decimal("1.5"), "t/ha")
    correct(monitored().given_facts(noted), MonitoringRecorded, value="1.50").refused("nothing-corrected")


def test_who_was_a_member_then_stays_on_the_attendance_list() -> None:
    told = monitored().given(WithdrawMember(member=FISH, reason="Scission"))
    correct(told, MeetingOpened, attendance=[{"member": "MB-3", "women": 9}]).then(FactCorrected)


def test_a_promise_that_was_written_down_too_high_is_kept_after_all() -> None:
    told = monitored().given(CASH, ReceiveContribution(contribution=C1, worth=Worth(20_000)))
    correct(told, ContributionPledged, worth={"amount_xof": 20_000}).then(FactCorrected)
    assert not framework.fold(framework.initial, believed(told.history)).contributions


# Deadlines


def test_a_deadline_that_has_passed_is_recorded_once() -> None:
    late = RecordDeadlinePassed(kind=DeadlineKind.ACTION, about="A-1")
    told = monitored().when(late, on=date(2026, 4, 16)).then(DeadlinePassed, about="A-1", due_on=date(2026, 4, 15))
    told.when(late).refused("no-deadline-passed")
    told.when(late, on=date(2026, 5, 11)).refused("deadline-recorded-already")


def test_what_is_put_off_has_another_deadline() -> None:
    late = RecordDeadlinePassed(kind=DeadlineKind.MEETING, about="M-1")
    told = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    told.when(late, on=date(2026, 3, 3)).then(DeadlinePassed, about="M-1", due_on=MET)
    told.given(PostponeMeeting(held_on=date(2026, 3, 20), reason="Crue"), on=date(2026, 3, 4))
    told.when(late, on=date(2026, 3, 20)).refused("no-deadline-passed")
    told.when(late, on=date(2026, 3, 21)).then(DeadlinePassed, about="M-1", due_on=date(2026, 3, 20))
    told.when(late, on=date(2026, 3, 22)).refused("no-deadline-passed")


def test_a_deadline_has_not_passed_on_its_own_day() -> None:
    late = RecordDeadlinePassed(kind=DeadlineKind.PLAN, about="plan-1")
    told = monitored().when(late, on=ENDED).refused("deadline-ahead")
    told.when(late, on=JUNE).then(DeadlinePassed, due_on=ENDED)


@pytest.mark.parametrize(("kind", "about"), [(DeadlineKind.ACTION, "A-9"), (DeadlineKind.MEETING, "A-1")])
def test_only_deadlines_that_exist_pass(kind: DeadlineKind, about: str) -> None:
    monitored().when(RecordDeadlinePassed(kind=kind, about=about), on=JUNE).refused("no-such-deadline")


def test_what_is_done_has_no_deadline() -> None:
    told = monitored().given(CompleteAction(action=A1), AbandonAction(action=A2, reason="Crue"))
    assert [kind for kind, _, _ in deadlines(told.state)] == [DeadlineKind.PLAN]


def test_each_stage_has_its_deadlines() -> None:
    needs = at_the_needs(due_on=date(2026, 3, 1))
    assert list(deadlines(needs.state)) == [(DeadlineKind.NEEDS, "cycle-1", date(2026, 3, 1))]
    meeting = at_the_meeting().given(ConveneMeeting(held_on=MET, place="Mairie"))
    assert list(deadlines(meeting.state)) == [(DeadlineKind.MEETING, "M-1", MET)]
    assert not list(deadlines(proposed().state))
    assert [about for _, about, _ in deadlines(planned().state)] == ["A-1", "A-2", "plan-1"]


def at_the_needs(due_on: date | None = None) -> Story:
    """A framework whose needs are being identified."""
    history = at_the_meeting().history
    opened = next(n for n, r in enumerate(history) if r.command == Formalise.type)
    told = tale_begun()
    told.history, told.now = history[:opened], history[opened].occurred_on
    told.state = framework.fold(framework.initial, told.history)
    return told.given(Formalise(needs_due_on=due_on))


def test_a_late_promise_is_recorded_once_also_over_several_cycles() -> None:
    late = RecordDeadlinePassed(kind=DeadlineKind.CONTRIBUTION, about=C1)
    told = (
        monitored().given(replace(CASH, due_on=date(2026, 4, 1))).when(late, on=date(2026, 4, 2)).then(DeadlinePassed)
    )
    told.given(OpenReview(kind=ReviewKind.END), on=ENDED)
    told.given(*(CarryOverAction(action=action, reason="Pas fini") for action in (A1, A2)), NextMeeting())
    told.when(late).refused("no-deadline-passed")


# Suspension and the end


@pytest.mark.parametrize("told", [at_the_needs, at_the_meeting, planned, monitored, reviewed])
def test_a_framework_is_taken_up_again_where_it_was_left(told: Callable[[], Story]) -> None:
    left = told()
    stage = left.state.stage
    left.when(Suspend(reason="Insécurité")).then(FrameworkSuspended, stage=stage)
    assert left.state.stage is Stage.SUSPENDED
    left.when(Resume(reason="Le calme est revenu")).then(FrameworkResumed, stage=stage)
    assert left.state.stage is stage


def test_after_the_window_a_suspended_plan_is_taken_up_in_its_review() -> None:
    told = monitored().given(Suspend(reason="Insécurité"))
    told.when(Resume(reason="Calme"), on=ENDED).then(FrameworkResumed, stage="monitoring")
    told = monitored().given(Suspend(reason="Insécurité"))
    told.when(Resume(reason="Calme"), on=JUNE).then(FrameworkResumed, stage="adjustment")


def test_while_suspended_only_papers_corrections_and_the_end_are_possible() -> None:
    told = monitored().given(Suspend(reason="Insécurité"))
    told.when(ReportProgress(action=A1, percent=50)).refused("wrong-stage")
    told.when(PAPER).then(DocumentAttached)


FOUNDING = DeliberationId("d-adopted")
SECOND = DeliberationId("d-second")


def annulled() -> Story:
    """The supervising authority has annulled the founding deliberation; the council has decided anew."""
    founding = DELIBERATIONS[FOUNDING]
    gone = replace(founding, annulled_on=date(2026, 4, 1), ended_because="Vice de forme")
    anew = replace(founding, id=SECOND, decided_on=date(2026, 4, 20))
    return monitored().know(deliberations={FOUNDING: gone, SECOND: anew}).given(FollowDeliberation())


def test_an_annulled_framework_resumes_on_a_new_deliberation() -> None:
    told = annulled().when(Resume(reason="?")).refused("still-annulled")
    assert told.state.stage is Stage.SUSPENDED
    told.given(RecordDeliberation(deliberation=SECOND), on=date(2026, 4, 25))
    told.when(Resume(reason="Nouvelle délibération")).then(FrameworkResumed, stage="monitoring")


END = Dissolve(deliberation=SECOND, reason="Le conseil l'a décidé")


def dissolving(**changes: object) -> Story:
    """The council has decided to dissolve; the changes say how this decision differs."""
    anew = replace(DELIBERATIONS[FOUNDING], id=SECOND, decided_on=date(2026, 3, 1), **changes)
    return monitored().know(deliberations={**DELIBERATIONS, SECOND: anew}, seconded_by="second")


@pytest.mark.parametrize("suspend", [False, True])
def test_an_adopted_deliberation_and_two_people_dissolve_a_framework(suspend: bool) -> None:
    told = dissolving()
    if suspend:
        told.given(Suspend(reason="Insécurité"))
    told.when(END).then(FrameworkDissolved, deliberation=SECOND, seconded_by="second")
    assert told.state.stage is Stage.DISSOLVED
    told.when(PAPER).refused("wrong-stage")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"outcome": Outcome.REJECTED}, ["dissolution-not-adopted"]),
        ({"annulled_on": date(2026, 3, 2)}, ["dissolution-not-adopted"]),
        ({"commune": CommuneCode("ML-4-01-02")}, ["deliberation-elsewhere"]),
        ({"decided_on": date(2026, 9, 1)}, ["deliberated-after"]),
    ],
)
def test_a_dissolution_rests_on_a_decision_of_this_council(changes: dict[str, object], codes: list[str]) -> None:
    anew = replace(DELIBERATIONS[FOUNDING], id=SECOND, **{"decided_on": date(2026, 3, 1), **changes})
    monitored().know(deliberations={SECOND: anew}).when(END).refused(*codes)


def test_what_founds_a_framework_does_not_dissolve_it() -> None:
    dissolving().when(replace(END, deliberation=FOUNDING)).refused("founds-the-framework")


def test_nobody_dissolves_on_a_decision_that_nobody_knows() -> None:
    dissolving().when(replace(END, deliberation=DeliberationId("d-9"))).refused("deliberation-unknown")


@pytest.mark.parametrize(
    "command",
    [
        CorrectFact(fact_version=1, changes={}, reason="?"),
        Suspend(reason="?"),
        Resume(reason="?"),
        END,
        RecordDeadlinePassed(kind=DeadlineKind.PLAN, about="plan-1"),
        PAPER,
    ],
    ids=lambda command: command.type,
)
def test_not_everybody_may_say_everything(command: Command) -> None:
    told = monitored()
    if isinstance(command, Resume):
        told.given(Suspend(reason="Insécurité"))
    told.when(command, by=By("somebody", Role.PARTNER))
    assert isinstance(told.outcome, Refused)
    assert "role-may-not" in {finding.code for finding in told.outcome.findings}


def test_a_plan_that_ended_while_it_was_suspended_goes_to_its_review_also_before_it_was_monitored() -> None:
    told = planned().given(Suspend(reason="Insécurité"))
    told.when(Resume(reason="Calme"), on=JUNE).then(FrameworkResumed, stage="adjustment")
    told = planned().given(Suspend(reason="Insécurité"))
    told.when(Resume(reason="Calme"), on=ENDED).then(FrameworkResumed, stage="plan")
    told = at_the_second_meeting().given(Suspend(reason="Insécurité"))
    told.when(Resume(reason="Calme"), on=date(2027, 1, 1)).then(FrameworkResumed, stage="meeting")


def test_a_plan_that_is_over_is_reviewed_and_no_longer_monitored() -> None:
    told = with_committee().when(StartMonitoring(), on=JUNE).refused("plan-is-over")
    told.when(OpenReview(kind=ReviewKind.MID_TERM), on=ENDED).refused("too-late-for-mid-term")
    with_committee().when(OpenReview(kind=ReviewKind.MID_TERM), on=MET).refused("not-monitored-yet")
    told.when(OpenReview(kind=ReviewKind.OVERDUE), on=JUNE).then(ReviewOpened, kind=ReviewKind.OVERDUE)
