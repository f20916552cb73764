"""A consumer group's life as facts: whose it is, what may be done with it when, and by whom."""

from __future__ import annotations

from datetime import date

import pytest

from cycle.aggregates.base import By, Command, Event, Happened, Refused, Role
from cycle.aggregates.group import (
    ConsumerGroup,
    ConsumerGroupEventParked,
    ConsumerGroupPaused,
    ConsumerGroupRegistered,
    ConsumerGroupRemoved,
    ConsumerGroupReplayed,
    ConsumerGroupReplayStopped,
    ConsumerGroupResumed,
    ConsumerGroupRewound,
    ParkConsumerGroupEvent,
    PauseConsumerGroup,
    RegisterConsumerGroup,
    RemoveConsumerGroup,
    ReplayConsumerGroup,
    ResumeConsumerGroup,
    RewindConsumerGroup,
    StopConsumerGroupReplay,
    group,
)
from cycle.aggregates.known import Known
from cycle.aggregates.subscription import Lane, SubscriptionStage
from cycle.aggregates.terms import GroupId, SubscriptionId
from cycle.catalogue import LANGUAGES
from cycle.telling import refusal_lines

DAY = date(2026, 3, 1)
DHIS, OTHER = By("dhis", Role.INTEGRATOR), By("other", Role.INTEGRATOR)
KADI = By("kadi", Role.ADMINISTRATOR)
G = GroupId(SubscriptionId("g-1"))
REGISTER = RegisterConsumerGroup(name="warehouse", after=7, types=("plan-agreed", "minutes-approved", "plan-agreed"))
PARK = ParkConsumerGroupEvent(event="e-1", of="framework-1", position=9, attempts=1, reason="Illisible")


class Story:
    """One group, command by command."""

    def __init__(self) -> None:
        self.state: ConsumerGroup = group.initial
        self.outcome: tuple[Event, ...] | Refused = ()

    def when(self, command: Command, by: By = DHIS) -> Story:
        try:
            self.outcome = group.decide(self.state, command, Known(on=DAY, today=DAY, by=by, new_id="g-1"))
        except Refused as refused:
            self.outcome = refused
        else:
            facts = [Happened(fact, DAY, n) for n, fact in enumerate(self.outcome, self.state.version + 1)]
            self.state = group.fold(self.state, facts)
        return self

    def given(self, *commands: Command) -> Story:
        for command in commands:
            self.when(command)
            assert not isinstance(self.outcome, Refused), self.outcome
        return self

    def then(self, *facts: Event) -> Story:
        assert self.outcome == facts
        return self

    def refused(self, *codes: str) -> Story:
        assert isinstance(self.outcome, Refused), self.outcome
        assert {finding.code for finding in self.outcome.findings if finding.refuses} == set(codes)
        assert all(refusal_lines(self.outcome, language) for language in LANGUAGES)
        return self


@pytest.fixture
def registered() -> Story:
    return Story().given(REGISTER)


def test_it_is_registered_with_whoever_says_so_as_its_owner() -> None:
    fact = ConsumerGroupRegistered(G, "warehouse", "dhis", ("minutes-approved", "plan-agreed"), "/", 7)
    state = Story().when(REGISTER).then(fact).state
    assert (state.owner, state.stage, state.lanes) == ("dhis", SubscriptionStage.ACTIVE, (Lane(1, 7),))


def test_types_that_there_are_not_are_named() -> None:
    Story().when(RegisterConsumerGroup(name="w", after=0, types=("plan-agred",))).refused("subscription-type-unknown")


def test_what_is_not_there_is_not_paused() -> None:
    Story().when(PauseConsumerGroup(reason="?")).refused("subscription-unknown")


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (PauseConsumerGroup(reason="?"), ConsumerGroupPaused(G, "?")),
        (RewindConsumerGroup(after=3), ConsumerGroupRewound(G, 3)),
        (ReplayConsumerGroup(after=3, up_to=5), ConsumerGroupReplayed(G, 3, 5)),
        (RemoveConsumerGroup(reason="?"), ConsumerGroupRemoved(G, "?")),
        (PARK, ConsumerGroupEventParked(G, "e-1", "framework-1", 9, 1, "Illisible")),
    ],
)
def test_its_owner_or_an_administrator_does_what_is_to_be_done(
    registered: Story, command: Command, fact: Event
) -> None:
    registered.when(command, OTHER).refused("subscription-of-another")
    registered.when(command, By("auditor", Role.AUDITOR)).refused("role-may-not")
    Story().given(REGISTER).when(command, KADI).then(fact)
    registered.when(command).then(fact)


def test_what_is_removed_stays_so(registered: Story) -> None:
    registered.given(RemoveConsumerGroup(reason="Fin"))
    for command in (PauseConsumerGroup(reason="?"), ResumeConsumerGroup(), RewindConsumerGroup(after=0), PARK):
        registered.when(command).refused("subscription-removed")


def test_it_is_paused_once_and_resumed_once(registered: Story) -> None:
    registered.when(ResumeConsumerGroup()).refused("subscription-active")
    registered.given(PauseConsumerGroup(reason="?")).when(PauseConsumerGroup(reason="?"))
    registered.refused("subscription-not-active")
    registered.when(ResumeConsumerGroup()).then(ConsumerGroupResumed(G))


def test_what_is_parked_is_known_until_it_is_replayed_or_left_behind(registered: Story) -> None:
    registered.given(PARK)
    assert registered.state.parked == {"framework-1": 9}
    registered.given(ReplayConsumerGroup(after=8, up_to=9))
    assert registered.state.parked == {}
    registered.given(PARK, RewindConsumerGroup(after=9))
    assert registered.state.parked == {}


def test_replays_stand_beside_what_follows_the_log_until_they_are_stopped(registered: Story) -> None:
    registered.when(StopConsumerGroupReplay()).refused("subscription-no-replay")
    registered.when(ReplayConsumerGroup(after=5, up_to=5)).refused("subscription-nothing-between")
    registered.given(ReplayConsumerGroup(after=0, up_to=5))
    assert registered.state.lanes == (Lane(1, 7), Lane(2, 0, 5))
    registered.when(StopConsumerGroupReplay()).then(ConsumerGroupReplayStopped(G))
    assert registered.state.lanes == (Lane(1, 7),)
