"""Webhooks of one engine, with their secrets: the fact through the one door, the secret sealed beside the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from secrets import token_bytes
from typing import NamedTuple, cast

from cycle.aggregates.base import PLATFORM, Recorded
from cycle.aggregates.terms import SubscriptionId, WebhookId
from cycle.aggregates.webhook import (
    OVERLAP_HOURS,
    RegisterWebhook,
    RotateWebhookSecret,
    Webhook,
    WebhookRegistered,
    WebhookSecretRotated,
    acts,
    demand_tls,
    webhook,
)
from cycle.engine import Engine
from cycle.failures import UNAVAILABLE, Failure
from cycle.settings import WEBHOOK_NETWORKS
from cycle.subscriptions.known import Subscriptions, identity_of
from cycle.vault.shapes import WrappedKey
from cycle.watching import Done
from cycle.webhooks.shapes import KeptSecret, place
from cycle.webhooks.signing import new_secret, written


class CannotSign(Failure):
    """Nothing is kept that could sign: nothing is sent."""

    kind = "webhook"
    code = "webhook-cannot-sign"
    exit_code = UNAVAILABLE


class Secret(NamedTuple):
    """A webhook's secret as it is handed to its owner, and the receipt of the command that made it."""

    webhook: WebhookId
    secret: str
    done: Done

    def __repr__(self) -> str:
        return f"Secret({self.webhook})"


class Webhooks(Subscriptions[Webhook]):
    """All webhooks, as the platform log says.

    Args:
        now: seconds since 1970.
        random_bytes: makes secrets.
    """

    aggregate = webhook
    lists = "list-webhooks"
    acts = acts

    def __init__(
        self,
        engine: Engine,
        now: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = token_bytes,
    ) -> None:
        super().__init__(engine, now)
        self._random_bytes = random_bytes
        self.store = engine.store.webhooks

    def add(
        self,
        actor: str,
        url: str,
        types: Iterable[str] = (),
        territory: str = "/",
        after: int | None = None,
        key: str | None = None,
    ) -> Secret:
        """Register a webhook; without ``after`` it is sent what comes from now on.

        Sent again with its key it answers the same, the secret too.

        Raises:
            BadInput: it is no address, or a type is none.
            Refused: the address is none of https, no right there, or no such type.
            VaultError: there is no key to seal the secret with; nothing is recorded.
        """
        if not WEBHOOK_NETWORKS.given():
            demand_tls(url)
        self.engine.vault.outside_key  # noqa: B018 - asked for before anything is recorded
        before, on = cast("Recorded[WebhookRegistered] | None", self.begun_before(key)), self.engine.today()
        if before is not None and after is None:
            after, on = before.data.after, before.occurred_on
        if after is None:
            after = self.engine.store.head().position
        fields = {"url": url, "types": list(types), "territory": territory, "after": after}
        done = self.say(actor, RegisterWebhook.type, fields, key=key, on=on)
        identity = WebhookId(identity_of(done.receipt.stream))
        return Secret(identity, self._kept(identity, 1, self.now()), done)

    def rotate(
        self,
        actor: str,
        identity: WebhookId,
        overlap_hours: int = OVERLAP_HOURS,
        key: str | None = None,
        version: int | None = None,
    ) -> Secret:
        """Have another secret sign; the one before it signs as well for some hours.

        Raises:
            Refused: no right to it, or there is no such webhook.
            VersionMoved: it is not in the version that was looked at.
            VaultError: there is no key to seal the secret with; nothing is recorded.
        """
        self.engine.vault.outside_key  # noqa: B018 - asked for before anything is recorded
        done = self.say(
            actor, RotateWebhookSecret.type, {"overlap_hours": overlap_hours}, identity, key, version=version
        )
        fact = cast("WebhookSecretRotated", self.engine.fact(done.receipt.events[-1]).data)
        until = self.now() + fact.overlap_hours * 3_600
        return Secret(identity, self._kept(identity, fact.secret, until), done)

    def forget(self, identity: SubscriptionId) -> None:
        super().forget(identity)
        self.store.forget(WebhookId(identity))

    def _kept(self, identity: WebhookId, number: int, old_until: float) -> str:
        """The secret of this number; a new one where none is kept: whoever was killed between fact and secret."""
        key = self.engine.vault.outside_key
        bare = WrappedKey(place(identity, number), PLATFORM, "", b"")
        sealed = key.wrapped(bare, new_secret(self._random_bytes), self._random_bytes)
        self.store.keep_secret(identity, KeptSecret(number, sealed, None), old_until)
        kept = next(each for each in self.store.secrets(identity) if each.number == number)
        return written(key.unwrapped(kept.sealed))

    def signing(self, identity: WebhookId) -> list[bytes]:
        """The secrets that sign now, the newest first.

        Raises:
            CannotSign: none is kept, as after a restore.
            VaultError: there is no key to open them with.
        """
        now = self.now()
        kept = [each for each in self.store.secrets(identity) if each.until is None or each.until > now]
        if not kept:
            raise CannotSign("no-secret", id=identity)
        return [self.engine.vault.outside_key.unwrapped(each.sealed) for each in kept]
