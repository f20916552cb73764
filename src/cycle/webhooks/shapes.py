"""What a store keeps for webhooks alone, beside the log: sealed secrets, and whose turn it is to deliver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from cycle.aggregates.base import StreamId
from cycle.aggregates.terms import WebhookId
from cycle.vault.shapes import WrappedKey


def place(webhook: WebhookId, secret: int) -> StreamId:
    """What a sealed secret is bound to: it opens for no other webhook, and nowhere else in the vault."""
    return StreamId(f"webhook-secret-{webhook}-{secret}")


class KeptSecret(NamedTuple):
    """A sealed secret; it signs until then (seconds since 1970), or until another one takes its place (None)."""

    number: int
    sealed: WrappedKey
    until: float | None


class WebhookStore(ABC):
    """The table of secrets. Every call is one transaction."""

    @abstractmethod
    def keep_secret(self, webhook: WebhookId, secret: KeptSecret, old_until: float) -> None:
        """Keep a secret; those before it sign until then. What is kept under its number already stays."""

    @abstractmethod
    def secrets(self, webhook: WebhookId) -> Sequence[KeptSecret]:
        """The newest first."""

    @abstractmethod
    def forget(self, webhook: WebhookId) -> None:
        """Destroy the secrets of a webhook."""

    @abstractmethod
    def sweep(self, before: float) -> None:
        """Forget secrets that signed until then."""
