"""Webhook: where events are sent to as they are recorded, as a thing of its owner's; facts of the ``platform`` log.

Its secret is no fact: it lies sealed beside the log (``cycle.webhooks``), and facts say its number. What is sent
is what its owner may read when it is sent, whatever he could read when he registered it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import replace

from cycle.aggregates.account import path_of, territory_of
from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.subscription import (
    MANAGES,
    Act,
    Acts,
    Lane,
    Position,
    Subscription,
    SubscriptionStage,
    declare,
    demand_active,
    types_in_order,
)
from cycle.aggregates.terms import Code, Count, Reference, SubscriptionId, Territory, Text, WebhookId

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

ENDPOINT = r'^https?://[A-Za-z0-9.:_\[\]-]+(/[!-"$-\[\]-~]*)?$'
Endpoint = Annotated[str, Meta(min_length=10, max_length=1000, pattern=ENDPOINT)]
"""An address without a name and password in it: it stands in the log for ever, and so does its query."""
Overlap = Annotated[int, Meta(ge=0, le=168)]
OVERLAP_HOURS = 24
"""As long both secrets sign, where nobody says otherwise."""
DELIVERS = (Role.WORKER,)


class WebhookRegistered(Event):
    """Events behind the position ``after`` are sent to ``url``: of some ``types`` (none: of all), in a territory.

    ``owner`` is the account whose rights count; ``secret`` the number of what signs.
    """

    webhook: WebhookId
    owner: Reference
    url: Endpoint
    types: tuple[Code, ...]
    territory: Territory
    after: Position
    secret: Count


class WebhookSecretRotated(Event):
    """The secret ``secret`` signs from now on, and the one before it as well for so many hours."""

    webhook: WebhookId
    secret: Count
    overlap_hours: Overlap


class WebhookPaused(Event):
    webhook: WebhookId
    reason: Text


class WebhookResumed(Event):
    webhook: WebhookId


class WebhookRewound(Event):
    """What stands behind the position is sent, again where it was before; whatever waited waits no longer."""

    webhook: WebhookId
    after: Position


class WebhookReplayed(Event):
    """What stands behind ``after`` up to ``up_to`` is sent again, beside what is new."""

    webhook: WebhookId
    after: Position
    up_to: Position


class WebhookReplayStopped(Event):
    """What a replay has not sent yet it sends no more."""

    webhook: WebhookId


class WebhookParked(Event):
    """An event was not taken after the last attempt: it waits for a replay, and what follows in its stream with it."""

    webhook: WebhookId
    event: str
    of: str
    position: Position
    attempts: Count
    answer: Text


class WebhookDisabled(Event):
    """The receiver says that it is gone (410): nothing is sent until it is resumed."""

    webhook: WebhookId
    event: str


class WebhookRemoved(Event):
    """For good, with its secrets and all that waited."""

    webhook: WebhookId
    reason: Text


class Webhook(Subscription, frozen=True):
    """The state of a webhook. ``secret``: the number of the one that signs."""

    id: WebhookId = WebhookId(SubscriptionId(""))
    url: str = ""
    secret: int = 0


webhook: Aggregate[Webhook, Known] = Aggregate("webhook", Webhook())


class RegisterWebhook(Command):
    """Have events behind a position sent to an address, as they are recorded."""

    url: Endpoint
    after: Position
    types: tuple[Code, ...] = ()
    territory: Territory = "/"
    roles = MANAGES


class RotateWebhookSecret(Command):
    """Have another secret sign what is sent; the one before it signs as well for some hours."""

    overlap_hours: Overlap = OVERLAP_HOURS
    roles = MANAGES


class PauseWebhook(Command):
    """Send nothing for a while; what comes waits."""

    reason: Text
    roles = MANAGES


class ResumeWebhook(Command):
    """Send again, from where it stopped."""

    roles = MANAGES


class RewindWebhook(Command):
    """Go on behind a position, back or ahead: whatever waited waits no longer."""

    after: Position
    roles = MANAGES


class ReplayWebhook(Command):
    """Send a stretch of the log again, beside what is new; what is parked in it is tried anew."""

    after: Position
    up_to: Position
    roles = MANAGES


class StopWebhookReplay(Command):
    """Stop every replay that is under way."""

    roles = MANAGES


class RemoveWebhook(Command):
    """Remove a webhook for good."""

    reason: Text
    roles = MANAGES


class ParkWebhookEvent(Command):
    """Set aside an event that the receiver has not taken after the last attempt, and what follows in its stream."""

    event: str
    of: str
    position: Position
    attempts: Count
    answer: Text
    roles = DELIVERS


class DisableWebhook(Command):
    """Send nothing to a receiver that says that it is gone."""

    event: str
    roles = DELIVERS


def demand_tls(url: str) -> None:
    """Raises:
    Refused: what is sent there, anybody on the way could read and change.
    """
    demand(Finding("webhook-without-tls", url.startswith("https://"), values={"url": url}))


@webhook.decides(RegisterWebhook)
def register_webhook(state: Webhook, command: RegisterWebhook, known: Known) -> Iterable[Event]:
    yield WebhookRegistered(
        WebhookId(SubscriptionId(known.new_id)),
        known.by.actor,
        command.url,
        types_in_order(command.types),
        territory_of(path_of(command.territory)),
        command.after,
        1,
    )


@webhook.decides(RotateWebhookSecret)
def rotate_webhook_secret(state: Webhook, command: RotateWebhookSecret, known: Known) -> Iterable[Event]:
    yield WebhookSecretRotated(state.id, state.secret + 1, command.overlap_hours)


@webhook.decides(DisableWebhook)
def disable_webhook(state: Webhook, command: DisableWebhook, known: Known) -> Iterable[Event]:
    demand_active(state, command)
    yield WebhookDisabled(state.id, command.event)


@webhook.evolves(WebhookRegistered)
def webhook_registered(state: Webhook, recorded: Happened[WebhookRegistered]) -> Webhook:
    fact = recorded.data
    return replace(
        state,
        id=fact.webhook,
        owner=fact.owner,
        url=fact.url,
        types=fact.types,
        territory=path_of(fact.territory),
        secret=fact.secret,
        lanes=(Lane(recorded.version, fact.after),),
    )


@webhook.evolves(WebhookSecretRotated)
def webhook_secret_rotated(state: Webhook, recorded: Happened[WebhookSecretRotated]) -> Webhook:
    return replace(state, secret=recorded.data.secret)


@webhook.evolves(WebhookDisabled)
def webhook_disabled(state: Webhook, recorded: Happened[WebhookDisabled]) -> Webhook:
    return replace(state, stage=SubscriptionStage.DISABLED)


acts = Acts(
    pauses=Act(PauseWebhook, WebhookPaused),
    resumes=Act(ResumeWebhook, WebhookResumed),
    replays=Act(ReplayWebhook, WebhookReplayed),
    stops=Act(StopWebhookReplay, WebhookReplayStopped),
    rewinds=Act(RewindWebhook, WebhookRewound),
    removes=Act(RemoveWebhook, WebhookRemoved),
    parks=Act(ParkWebhookEvent, WebhookParked),
)
declare(webhook, RegisterWebhook, acts)
