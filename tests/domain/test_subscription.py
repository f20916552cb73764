"""What webhooks and consumer groups are alike in: whose they are, what may be done with them when, and by whom."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from cycle.aggregates import group as groups
from cycle.aggregates import webhook as webhooks
from cycle.aggregates.base import Aggregate, Command, Refused
from cycle.aggregates.group import ParkConsumerGroupEvent, RegisterConsumerGroup
from cycle.aggregates.known import Known
from cycle.aggregates.subscription import Act, Acts, Lane, SubscriptionStage, declare
from cycle.aggregates.webhook import ParkWebhookEvent, RegisterWebhook
from tests.domain.subscribing import AUDITOR, DHIS, ID, KADI, OTHER, WORKER, Story

TYPES = ("plan-agreed", "minutes-approved", "plan-agreed")


class Kind(NamedTuple):
    """One kind of subscriptions; ``parks`` is what sets an event aside."""

    aggregate: Aggregate[Any, Known]
    acts: Acts
    registers: Command
    parks: Command


KINDS = {
    "webhook": Kind(
        webhooks.webhook,
        webhooks.acts,
        RegisterWebhook(url="https://example.org/hook", after=7, types=TYPES),
        ParkWebhookEvent(event="e-1", of="framework-1", position=9, attempts=10, answer="500"),
    ),
    "group": Kind(
        groups.group,
        groups.acts,
        RegisterConsumerGroup(name="warehouse", after=7, types=TYPES),
        ParkConsumerGroupEvent(event="e-1", of="framework-1", position=9, attempts=1, reason="Illisible"),
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def registered(kind: Kind) -> Story:
    return Story(kind.aggregate).given(kind.registers)


def test_it_is_registered_with_whoever_says_so_as_its_owner(registered: Story) -> None:
    state = registered.state
    assert (state.owner, state.stage, state.lanes) == ("dhis", SubscriptionStage.ACTIVE, (Lane(1, 7),))
    assert (state.id, state.types) == (ID, ("minutes-approved", "plan-agreed"))


def test_types_that_there_are_not_are_named(kind: Kind) -> None:
    story = Story(kind.aggregate).when(replace(kind.registers, types=("plan-agred", "plan-agreed")))
    story.refused("subscription-type-unknown")
    assert isinstance(story.outcome, Refused)
    assert story.outcome.findings[0].values == {"types": ("plan-agred",)}


def test_what_is_not_there_is_not_paused(kind: Kind) -> None:
    Story(kind.aggregate).when(kind.acts.pauses.says(reason="?")).refused("subscription-unknown")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("pauses", {"reason": "?"}),
        ("rewinds", {"after": 3}),
        ("replays", {"after": 3, "up_to": 5}),
        ("removes", {"reason": "?"}),
    ],
)
def test_its_owner_or_an_administrator_does_what_is_to_be_done(
    kind: Kind, registered: Story, name: str, fields: dict[str, object]
) -> None:
    act: Act = getattr(kind.acts, name)
    command, fact = act.says(**fields), act.fact(ID, *fields.values())
    registered.when(command, OTHER).refused("subscription-of-another")
    registered.when(command, AUDITOR).refused("role-may-not")
    registered.when(command, WORKER).refused("role-may-not")
    Story(kind.aggregate).given(kind.registers).when(command, KADI).then(fact)
    registered.when(command).then(fact)


def test_what_is_removed_stays_so(kind: Kind, registered: Story) -> None:
    acts = kind.acts
    removes = acts.removes.says(reason="Fin")
    registered.given(removes)
    others = (acts.pauses.says(reason="?"), acts.resumes.says(), acts.rewinds.says(after=0))
    for command in (*others, removes, kind.parks):
        registered.when(command, WORKER if WORKER.role in command.roles else DHIS).refused("subscription-removed")


def test_it_is_paused_once_and_resumed_once(kind: Kind, registered: Story) -> None:
    pauses, resumes = kind.acts.pauses.says(reason="Entretien"), kind.acts.resumes.says()
    registered.when(resumes).refused("subscription-active")
    registered.given(pauses).when(pauses).refused("subscription-not-active")
    registered.when(resumes).then(kind.acts.resumes.fact(ID))
    assert registered.state.is_active


def test_what_is_parked_is_known_until_it_is_replayed_or_left_behind(kind: Kind, registered: Story) -> None:
    registered.given(kind.parks)
    assert registered.state.parked == {"framework-1": 9}
    registered.given(kind.acts.replays.says(after=9, up_to=20))
    assert registered.state.parked == {"framework-1": 9}, "it does not stand in that stretch"
    registered.given(kind.acts.replays.says(after=8, up_to=9))
    assert registered.state.parked == {}
    registered.given(kind.parks, kind.acts.rewinds.says(after=9))
    assert registered.state.parked == {}


def test_replays_stand_beside_what_follows_the_log_until_they_are_stopped(kind: Kind, registered: Story) -> None:
    stops = kind.acts.stops.says()
    registered.when(stops).refused("subscription-no-replay")
    registered.given(kind.acts.replays.says(after=0, up_to=5), kind.acts.replays.says(after=2, up_to=3))
    assert registered.state.lanes == (Lane(1, 7), Lane(2, 0, 5), Lane(3, 2, 3))
    registered.when(stops).then(kind.acts.stops.fact(ID))
    assert registered.state.lanes == (Lane(1, 7),)


@pytest.mark.parametrize(("after", "up_to"), [(5, 5), (6, 5), (0, 0)])
def test_a_stretch_without_a_position_is_none(kind: Kind, registered: Story, after: int, up_to: int) -> None:
    registered.when(kind.acts.replays.says(after=after, up_to=up_to)).refused("subscription-nothing-between")


def test_rewinding_ends_every_replay(kind: Kind, registered: Story) -> None:
    registered.given(kind.acts.replays.says(after=0, up_to=5), kind.acts.rewinds.says(after=2))
    assert registered.state.lanes == (Lane(3, 2),)


def test_a_fact_that_does_not_hold_what_is_said_is_no_act(kind: Kind) -> None:
    acts = kind.acts
    wrong = acts._replace(pauses=Act(acts.pauses.says, acts.resumes.fact))
    fresh: Aggregate[Any, Known] = Aggregate("fresh", kind.aggregate.initial)
    with pytest.raises(TypeError, match="does not hold what"):
        declare(fresh, type(kind.registers), wrong)
