"""The monitoring committee: who sits in it, for which cycle, with what mandate."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import Command, Refused
from cycle.aggregates.framework.committee import (
    AmendMandate,
    CommitteeInstalled,
    CommitteeKept,
    CommitteeMemberReplaced,
    CommitteeRenewed,
    DefineMandate,
    InstallCommittee,
    KeepCommittee,
    MandateAmended,
    MandateDefined,
    RenewCommittee,
    ReplaceCommitteeMember,
)
from cycle.aggregates.framework.meetings import CloseMeeting
from cycle.aggregates.framework.monitoring import MonitoringStarted, StartMonitoring
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import MandateCause, Seat, Window
from cycle.policy import sample
from tests.domain.dioro import (
    A1,
    FISH,
    MAIRIE,
    NOBODY,
    PUMP,
    RICE,
    SEATS,
    SERVICE,
    agreed,
    convened,
    monitored,
    planned,
    second_cycle,
    with_committee,
)
from tests.domain.story import Story


def second_plan() -> Story:
    """The plan of cycle 2 is agreed and its meeting closed."""
    told = convened(second_cycle(), day := second_cycle().now.replace(day=28))
    action = replace(PUMP, needs=(), continues=A1, due_on=day)
    window = Window(day, day.replace(month=day.month + 1))
    return told.given(action, AgreePlan(window=window), CloseMeeting(minutes="PV"), on=day)


def test_an_inclusive_committee_is_installed() -> None:
    told = planned().when(InstallCommittee(seats=SEATS)).then(CommitteeInstalled, cycle=1, seats=SEATS)
    assert {check.code for check in told.outcome[0].checks} >= {"committee-too-small", "too-few-women"}


@pytest.mark.parametrize(
    ("seats", "codes"),
    [
        (SEATS[:2], ["committee-too-small", "too-few-young-people"]),
        ((SEATS[0], replace(SEATS[1], woman=False), SEATS[2]), ["too-few-women"]),
        ((SEATS[0], SEATS[1], replace(SEATS[2], youth=False)), ["too-few-young-people"]),
        ((replace(SEATS[0], member=SERVICE), *SEATS[1:]), ["constituency-not-seated"]),
        ((*SEATS, replace(SEATS[0], member=RICE)), ["named-twice"]),
        ((*SEATS, Seat(NOBODY, "person-9")), ["unknown-member", "seat-of-no-member"]),
        (
            (),
            ["committee-too-small", "too-few-women", "too-few-young-people", "constituency-not-seated"],
        ),
    ],
)
def test_the_policy_says_who_must_sit(seats: tuple[Seat, ...], codes: list[str]) -> None:
    told = planned().when(InstallCommittee(seats=seats)).refused(*codes)
    told.given(InstallCommittee(seats=SEATS)).when(RenewCommittee(seats=seats)).refused(*codes)


def test_a_large_committee_is_advised_against_but_allowed() -> None:
    crowd = tuple(Seat(MAIRIE, f"person-{n}") for n in range(4, 20))
    told = planned().when(InstallCommittee(seats=(*SEATS, *crowd))).then(CommitteeInstalled)
    assert [check.code for check in told.outcome[0].checks if not check.met] == ["committee-too-large"]


def test_one_woman_and_young_person_may_be_the_same() -> None:
    seats = (SEATS[0], Seat(RICE, "person-2", woman=True, youth=True), Seat(FISH, "person-3"))
    planned().when(InstallCommittee(seats=seats)).then(CommitteeInstalled)


def test_a_committee_is_installed_once_then_kept_or_renewed() -> None:
    with_committee().when(InstallCommittee(seats=SEATS)).refused("committee-installed-already")
    second_plan().when(KeepCommittee()).then(CommitteeKept, cycle=2, seats=SEATS)
    second_plan().when(RenewCommittee(seats=SEATS[::-1])).then(CommitteeRenewed, cycle=2, seats=SEATS[::-1])


def test_only_a_committee_of_an_earlier_cycle_is_kept() -> None:
    planned().when(KeepCommittee()).refused("no-committee-to-keep")
    with_committee().when(KeepCommittee()).refused("committee-kept-already")


def test_only_a_committee_that_exists_is_renewed() -> None:
    planned().when(RenewCommittee(seats=SEATS)).refused("no-committee-to-renew")


def test_a_committee_is_not_kept_when_a_member_has_left() -> None:
    told = second_plan().given(WithdrawMember(member=MAIRIE, reason="Conflit"))
    told.when(KeepCommittee()).refused("seat-of-no-member", "constituency-not-seated")
    assert isinstance(told.outcome, Refused)
    assert {f.values.get("persons") for f in told.outcome.findings} == {None, ("person-1",)}


def test_somebody_takes_the_seat_of_somebody_who_leaves() -> None:
    seat = Seat(RICE, "person-7", woman=True)
    told = monitored().when(ReplaceCommitteeMember(leaves="person-2", seat=seat, reason="Voyage"))
    told.then(CommitteeMemberReplaced, leaves="person-2", seat=seat, cycle=1)
    assert [s.person for s in told.state.committee.seats] == ["person-1", "person-7", "person-3"]


@pytest.mark.parametrize(
    ("leaves", "seat", "code"),
    [
        ("person-9", Seat(RICE, "person-7", woman=True), "not-in-the-committee"),
        ("person-2", Seat(RICE, "person-7"), "too-few-women"),
        ("person-2", Seat(RICE, "person-3", woman=True), "named-twice"),
    ],
)
def test_a_replacement_leaves_the_committee_inclusive(leaves: str, seat: Seat, code: str) -> None:
    monitored().when(ReplaceCommitteeMember(leaves=leaves, seat=seat, reason="Voyage")).refused(code)


@pytest.mark.parametrize(
    "command",
    [
        ReplaceCommitteeMember(leaves="person-2", seat=SEATS[1], reason="?"),
        DefineMandate(tasks=("Suivre",)),
    ],
)
def test_without_a_committee_there_is_nobody_to_ask(command: Command) -> None:
    planned().when(command).refused("no-committee")


def test_a_mandate_is_defined_then_evolves_with_results_and_new_needs() -> None:
    told = planned().given(InstallCommittee(seats=SEATS))
    told.when(DefineMandate(tasks=("Suivre",))).then(MandateDefined, mandate_version=1, cause=MandateCause.INSTALLATION)
    told.when(AmendMandate(tasks=("Suivre", "Former"), cause=MandateCause.NEW_NEEDS))
    told.then(MandateAmended, cycle=1, mandate_version=2)


def test_a_mandate_must_say_something() -> None:
    told = planned().given(InstallCommittee(seats=SEATS))
    told.when(DefineMandate(tasks=())).refused("no-task-named")
    told.when(AmendMandate(tasks=("Suivre",), cause=MandateCause.RESULTS)).refused("no-mandate")
    told.given(DefineMandate(tasks=("Suivre",)))
    told.when(DefineMandate(tasks=("Encore",))).refused("mandate-defined-already")
    told.when(AmendMandate(tasks=(), cause=MandateCause.RESULTS)).refused("no-task-named")
    told.when(AmendMandate(tasks=("x",), cause=MandateCause.INSTALLATION)).refused("cause-of-amendment")


def test_monitoring_starts_with_a_committee_a_mandate_and_minutes() -> None:
    told = agreed()
    told.when(StartMonitoring()).refused("no-committee-this-cycle", "no-mandate-this-cycle", "no-minutes")
    told.given(InstallCommittee(seats=SEATS)).when(StartMonitoring()).refused("no-mandate-this-cycle", "no-minutes")
    told.given(DefineMandate(tasks=("Suivre",))).when(StartMonitoring()).refused("no-minutes")
    told.given(CloseMeeting(minutes="PV")).when(StartMonitoring()).then(MonitoringStarted, cycle=1)
    assert told.state.stage is Stage.MONITORING


def test_committee_and_mandate_are_confirmed_for_each_cycle() -> None:
    told = second_plan().when(StartMonitoring()).refused("no-committee-this-cycle", "no-mandate-this-cycle")
    told.given(KeepCommittee(), AmendMandate(tasks=("Suivre mieux",), cause=MandateCause.RESULTS))
    told.when(StartMonitoring()).then(MonitoringStarted, cycle=2)


def test_a_policy_may_do_without_a_mandate_for_each_cycle() -> None:
    policy = sample()
    policy = replace(policy, mandate_per_cycle=replace(policy.mandate_per_cycle, value=False))
    told = second_plan().know(policy=policy).given(KeepCommittee())
    told.when(StartMonitoring()).then(MonitoringStarted)
