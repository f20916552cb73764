"""What a webhook has of its own as facts: its secret, its receiver, and the worker that finds out about it."""

from __future__ import annotations

import pytest

from cycle.aggregates.base import Refused
from cycle.aggregates.subscription import SubscriptionStage
from cycle.aggregates.terms import SubscriptionId, WebhookId
from cycle.aggregates.webhook import (
    DisableWebhook,
    ParkWebhookEvent,
    RegisterWebhook,
    ResumeWebhook,
    RotateWebhookSecret,
    WebhookDisabled,
    WebhookRegistered,
    WebhookSecretRotated,
    demand_tls,
    webhook,
)
from cycle.catalogue import LANGUAGES
from cycle.telling import refusal_lines
from tests.domain.subscribing import AUDITOR, ID, KADI, OTHER, WORKER, Story

W = WebhookId(SubscriptionId(ID))
URL = "https://example.org/hook"
REGISTER = RegisterWebhook(url=URL, after=7)
PARK = ParkWebhookEvent(event="e-1", of="framework-1", position=9, attempts=10, answer="500")


@pytest.fixture
def registered() -> Story:
    return Story(webhook).given(REGISTER)


def test_it_is_registered_with_an_address_and_its_first_secret() -> None:
    Story(webhook).when(REGISTER).then(WebhookRegistered(W, "dhis", URL, (), "/", 7, 1))


def test_an_address_without_tls_is_refused() -> None:
    demand_tls(URL)
    with pytest.raises(Refused) as caught:
        demand_tls("http://example.org/")
    assert all(refusal_lines(caught.value, language) for language in LANGUAGES)


def test_its_owner_or_an_administrator_changes_its_secret(registered: Story) -> None:
    rotates = RotateWebhookSecret()
    registered.when(rotates, OTHER).refused("subscription-of-another")
    registered.when(rotates, AUDITOR).refused("role-may-not")
    registered.when(rotates, KADI).then(WebhookSecretRotated(W, 2, 24))
    registered.when(rotates).then(WebhookSecretRotated(W, 3, 24))


def test_a_receiver_that_is_gone_is_sent_nothing_until_it_is_resumed(registered: Story) -> None:
    registered.when(DisableWebhook(event="e-1"), WORKER).then(WebhookDisabled(W, "e-1"))
    registered.when(DisableWebhook(event="e-2"), WORKER).refused("subscription-not-active")
    registered.given(ResumeWebhook())
    assert registered.state.stage is SubscriptionStage.ACTIVE


def test_only_the_worker_parks_and_disables(registered: Story) -> None:
    for command in (PARK, DisableWebhook(event="e-1")):
        registered.when(command, KADI).refused("role-may-not")
        registered.when(command).refused("role-may-not")
