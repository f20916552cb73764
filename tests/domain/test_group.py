"""What a consumer group has of its own as facts: its name, and who sets an event aside."""

from __future__ import annotations

from cycle.aggregates.group import (
    ConsumerGroupEventParked,
    ConsumerGroupRegistered,
    ParkConsumerGroupEvent,
    RegisterConsumerGroup,
    group,
)
from cycle.aggregates.terms import GroupId, SubscriptionId
from tests.domain.subscribing import AUDITOR, ID, KADI, OTHER, Story

G = GroupId(SubscriptionId(ID))
REGISTER = RegisterConsumerGroup(name="warehouse", after=7)
PARK = ParkConsumerGroupEvent(event="e-1", of="framework-1", position=9, attempts=1, reason="Illisible")


def test_it_is_registered_with_a_name() -> None:
    story = Story(group).when(REGISTER).then(ConsumerGroupRegistered(G, "warehouse", "dhis", (), "/", 7))
    assert story.state.name == "warehouse"  # type: ignore[attr-defined]


def test_its_owner_or_an_administrator_sets_an_event_aside() -> None:
    story, fact = Story(group).given(REGISTER), ConsumerGroupEventParked(G, "e-1", "framework-1", 9, 1, "Illisible")
    story.when(PARK, OTHER).refused("subscription-of-another")
    story.when(PARK, AUDITOR).refused("role-may-not")
    story.when(PARK, KADI).then(fact)
    story.when(PARK).then(fact)
