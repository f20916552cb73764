"""What a store keeps for webhooks beside the log: sealed secrets, how far each stretch came, what waits.

All but the secrets can be lost: the log is sent again from where the webhook's own facts say, and a receiver
knows by ``webhook-id`` what it has had.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from cycle.aggregates.base import StreamId
from cycle.aggregates.terms import WebhookId
from cycle.aggregates.webhook import Lane
from cycle.vault.shapes import WrappedKey


def place(webhook: WebhookId, secret: int) -> StreamId:
    """What a sealed secret is bound to: it opens for no other webhook, and nowhere else in the vault."""
    return StreamId(f"webhook-secret-{webhook}-{secret}")


class DeliveryStage(StrEnum):
    WAITING = "waiting"
    """To be sent, now or when it is due."""
    DELIVERED = "delivered"
    PARKED = "parked"
    """Not taken after the last attempt."""
    WITHHELD = "withheld"
    """Not sent: the owner might not read it any more."""


class Answer(NamedTuple):
    """What an attempt came to, and when (seconds since 1970): a status, or the cause why there is none."""

    at: float
    what: str


class Delivery(NamedTuple):
    """One event for one webhook. ``due``: seconds since 1970, before which it is not tried."""

    webhook: WebhookId
    position: int
    event: str
    stream: str
    stage: DeliveryStage
    attempts: int
    due: float
    answers: tuple[Answer, ...]


class Found(NamedTuple):
    """An event that is to be sent, as it is found in the log."""

    position: int
    event: str
    stream: str


class KeptSecret(NamedTuple):
    """A sealed secret; it signs until then (seconds since 1970), or until another one takes its place (None)."""

    number: int
    sealed: WrappedKey
    until: float | None


class Progress(NamedTuple):
    """How far a stretch came."""

    lane: Lane
    position: int


class Counts(Struct, frozen=True):
    """How many events there are of each stage, of those that are remembered."""

    waiting: int = 0
    parked: int = 0
    delivered: int = 0
    withheld: int = 0


class Lease(Protocol):
    """The right to deliver, of one process at a time."""

    def held(self) -> bool:
        """Whether it is held still: a lost connection to the database lets go of it."""


class WebhookStore(ABC):
    """The tables beside a log. Every call is one transaction."""

    @abstractmethod
    def lease(self) -> AbstractContextManager[Lease | None]:
        """The right to deliver until the end of the block; None: another process has it. Who dies lets go of it."""

    @abstractmethod
    def keep_secret(self, webhook: WebhookId, secret: KeptSecret, old_until: float) -> None:
        """Keep a secret; those before it sign until then. What is kept under its number already stays."""

    @abstractmethod
    def secrets(self, webhook: WebhookId) -> Sequence[KeptSecret]:
        """The newest first."""

    @abstractmethod
    def forget(self, webhook: WebhookId) -> None:
        """Destroy everything that is kept of a webhook."""

    @abstractmethod
    def progress(self, webhook: WebhookId) -> Sequence[Progress]: ...

    @abstractmethod
    def follow(self, webhook: WebhookId, wanted: Sequence[Lane]) -> None:
        """Have these stretches and no others; a first one that is new takes the place of all that waited."""

    @abstractmethod
    def enqueue(self, webhook: WebhookId, lane: Lane, found: Sequence[Found], position: int) -> None:
        """Let these events wait, and note that the stretch came so far."""

    @abstractmethod
    def due(self, webhook: WebhookId, now: float, limit: int) -> Sequence[Delivery]:
        """What is due, in order of position: but for what stands in its stream behind what is parked or not due yet."""

    @abstractmethod
    def settle(self, delivery: Delivery) -> None:
        """Note what became of a delivery."""

    @abstractmethod
    def hold(self, webhook: WebhookId, until: float) -> None:
        """Send nothing to a webhook until then."""

    @abstractmethod
    def held_until(self, webhook: WebhookId) -> float: ...

    @abstractmethod
    def counts(self, webhook: WebhookId) -> Counts: ...

    @abstractmethod
    def waiting(self, webhook: WebhookId) -> int:
        """How many events wait that are not behind a parked one."""

    @abstractmethod
    def deliveries(
        self, webhook: WebhookId, *, stage: DeliveryStage | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Delivery]:
        """Deliveries, the newest position first; what was withheld from the owner is not shown to him here, either."""

    @abstractmethod
    def position_of(self, webhook: WebhookId, event: str) -> int | None:
        """Where an event stands that was once to be sent; None: none that is remembered."""

    @abstractmethod
    def sweep(self, before: float) -> None:
        """Forget deliveries that were settled before then, and secrets that signed until then."""
