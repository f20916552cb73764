"""A webhook's life as facts: whose it is, what may be done with it when, and by whom."""

from __future__ import annotations

from datetime import date

import pytest

from cycle.aggregates.base import By, Command, Event, Happened, Refused, Role
from cycle.aggregates.known import Known
from cycle.aggregates.subscription import Lane, SubscriptionStage
from cycle.aggregates.webhook import (
    DisableWebhook,
    ParkWebhookEvent,
    PauseWebhook,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    ResumeWebhook,
    RewindWebhook,
    RotateWebhookSecret,
    StopWebhookReplay,
    Webhook,
    WebhookDisabled,
    WebhookPaused,
    WebhookRegistered,
    WebhookRemoved,
    WebhookReplayed,
    WebhookReplayStopped,
    WebhookResumed,
    WebhookRewound,
    WebhookSecretRotated,
    demand_tls,
    webhook,
)
from cycle.catalogue import LANGUAGES
from cycle.telling import refusal_lines

DAY = date(2026, 3, 1)
DHIS, OTHER = By("dhis", Role.INTEGRATOR), By("other", Role.INTEGRATOR)
KADI, WORKER = By("kadi", Role.ADMINISTRATOR), By("worker", Role.WORKER)
URL = "https://example.org/hook"
REGISTER = RegisterWebhook(url=URL, after=7, types=("plan-agreed", "minutes-approved", "plan-agreed"))
PARK = ParkWebhookEvent(event="e-1", of="framework-1", position=9, attempts=10, answer="500")


class Story:
    """One webhook, command by command."""

    def __init__(self) -> None:
        self.state: Webhook = webhook.initial
        self.outcome: tuple[Event, ...] | Refused = ()

    def when(self, command: Command, by: By = DHIS) -> Story:
        known = Known(on=DAY, today=DAY, by=by, new_id="w-1")
        try:
            self.outcome = webhook.decide(self.state, command, known)
        except Refused as refused:
            self.outcome = refused
        else:
            facts = [Happened(fact, DAY, n) for n, fact in enumerate(self.outcome, self.state.version + 1)]
            self.state = webhook.fold(self.state, facts)
        return self

    def given(self, *commands: Command, by: By = DHIS) -> Story:
        for command in commands:
            self.when(command, WORKER if command.roles == (Role.WORKER,) else by)
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
    fact = WebhookRegistered("w-1", "dhis", URL, ("minutes-approved", "plan-agreed"), "/", 7, 1)  # type: ignore[arg-type]
    story = Story().when(REGISTER).then(fact)
    assert (story.state.owner, story.state.stage, story.state.lanes) == (
        "dhis",
        SubscriptionStage.ACTIVE,
        (Lane(1, 7),),
    )


def test_types_that_there_are_not_are_named() -> None:
    story = Story().when(RegisterWebhook(url=URL, after=0, types=("plan-agred", "plan-agreed")))
    story.refused("subscription-type-unknown")
    assert isinstance(story.outcome, Refused)
    assert story.outcome.findings[0].values == {"types": ("plan-agred",)}


def test_an_address_without_tls_is_refused() -> None:
    demand_tls(URL)
    with pytest.raises(Refused) as caught:
        demand_tls("http://example.org/")
    assert all(refusal_lines(caught.value, language) for language in LANGUAGES)


def test_what_is_not_there_is_not_paused() -> None:
    Story().when(PauseWebhook(reason="?")).refused("subscription-unknown")


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (RotateWebhookSecret(), WebhookSecretRotated("w-1", 2, 24)),  # type: ignore[arg-type]
        (PauseWebhook(reason="?"), WebhookPaused("w-1", "?")),  # type: ignore[arg-type]
        (RewindWebhook(after=3), WebhookRewound("w-1", 3)),  # type: ignore[arg-type]
        (ReplayWebhook(after=3, up_to=5), WebhookReplayed("w-1", 3, 5)),  # type: ignore[arg-type]
        (RemoveWebhook(reason="?"), WebhookRemoved("w-1", "?")),  # type: ignore[arg-type]
    ],
)
def test_its_owner_or_an_administrator_does_what_is_to_be_done(
    registered: Story, command: Command, fact: Event
) -> None:
    registered.when(command, OTHER).refused("subscription-of-another")
    registered.when(command, By("auditor", Role.AUDITOR)).refused("role-may-not")
    registered.when(command, WORKER).refused("role-may-not")
    Story().given(REGISTER).when(command, KADI).then(fact)
    registered.when(command).then(fact)


def test_what_is_removed_stays_so(registered: Story) -> None:
    registered.given(RemoveWebhook(reason="Fin"))
    for command in (PauseWebhook(reason="?"), ResumeWebhook(), RewindWebhook(after=0), RemoveWebhook(reason="?")):
        registered.when(command).refused("subscription-removed")
    registered.when(PARK, WORKER).refused("subscription-removed")


def test_it_is_paused_once_and_resumed_once(registered: Story) -> None:
    registered.when(ResumeWebhook()).refused("subscription-active")
    registered.given(PauseWebhook(reason="Entretien")).when(PauseWebhook(reason="?")).refused("subscription-not-active")
    registered.when(ResumeWebhook()).then(WebhookResumed("w-1"))  # type: ignore[arg-type]


def test_a_receiver_that_is_gone_is_sent_nothing_until_it_is_resumed(registered: Story) -> None:
    registered.when(DisableWebhook(event="e-1"), WORKER).then(WebhookDisabled("w-1", "e-1"))  # type: ignore[arg-type]
    registered.when(DisableWebhook(event="e-2"), WORKER).refused("subscription-not-active")
    registered.given(ResumeWebhook())
    assert registered.state.stage is SubscriptionStage.ACTIVE


def test_only_the_worker_parks_and_disables(registered: Story) -> None:
    for command in (PARK, DisableWebhook(event="e-1")):
        registered.when(command, KADI).refused("role-may-not")
        registered.when(command).refused("role-may-not")


def test_what_is_parked_is_known_until_it_is_replayed_or_left_behind(registered: Story) -> None:
    registered.given(PARK)
    assert registered.state.parked == {"framework-1": 9}
    registered.given(ReplayWebhook(after=9, up_to=20))
    assert registered.state.parked == {"framework-1": 9}, "it does not stand in that stretch"
    registered.given(ReplayWebhook(after=8, up_to=9))
    assert registered.state.parked == {}
    registered.given(PARK, RewindWebhook(after=9))
    assert registered.state.parked == {}


def test_replays_stand_beside_what_follows_the_log_until_they_are_stopped(registered: Story) -> None:
    registered.when(StopWebhookReplay()).refused("subscription-no-replay")
    registered.given(ReplayWebhook(after=0, up_to=5), ReplayWebhook(after=2, up_to=3))
    assert registered.state.lanes == (Lane(1, 7), Lane(2, 0, 5), Lane(3, 2, 3))
    registered.when(StopWebhookReplay()).then(WebhookReplayStopped("w-1"))  # type: ignore[arg-type]
    assert registered.state.lanes == (Lane(1, 7),)


@pytest.mark.parametrize(("after", "up_to"), [(5, 5), (6, 5), (0, 0)])
def test_a_stretch_without_a_position_is_none(registered: Story, after: int, up_to: int) -> None:
    registered.when(ReplayWebhook(after=after, up_to=up_to)).refused("subscription-nothing-between")


def test_rewinding_ends_every_replay(registered: Story) -> None:
    registered.given(ReplayWebhook(after=0, up_to=5), RewindWebhook(after=2))
    assert registered.state.lanes == (Lane(3, 2),)
