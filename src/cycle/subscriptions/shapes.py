"""The queue of a subscription: how far each stretch of the log came, and what of it waits.

All of it can be lost: it is made again from the log, from where the subscription's own facts say, and whoever
takes events knows by their ids what he has had.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from cycle.aggregates.subscription import Lane
from cycle.aggregates.terms import SubscriptionId


class DeliveryStage(StrEnum):
    WAITING = "waiting"
    """To be delivered, now or when it is due."""
    DELIVERED = "delivered"
    PARKED = "parked"
    """Set aside: not taken after the last attempt."""
    WITHHELD = "withheld"
    """Not delivered: the owner might not read it any more."""


class Answer(NamedTuple):
    """What an attempt came to, and when (seconds since 1970)."""

    at: float
    what: str

    @property
    def is_taken(self) -> bool:
        """Whether it says that the event was taken: a receiver's 2xx, or a worker's acknowledgement."""
        return self.what.startswith("ack: ") or (len(self.what) == 3 and self.what.isdecimal() and self.what[0] == "2")


class Delivery(NamedTuple):
    """One event for one subscription. ``due``: seconds since 1970, before which it is not tried."""

    subscription: SubscriptionId
    position: int
    event: str
    stream: str
    stage: DeliveryStage
    attempts: int
    due: float
    answers: tuple[Answer, ...]


class Found(NamedTuple):
    """An event that is wanted, as it is found in the log."""

    position: int
    event: str
    stream: str


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


class QueueStore(ABC):
    """The tables of all queues. Every call is one transaction."""

    @abstractmethod
    def forget(self, subscription: SubscriptionId) -> None:
        """Destroy everything that is kept of a subscription."""

    @abstractmethod
    def progress(self, subscription: SubscriptionId) -> Sequence[Progress]: ...

    @abstractmethod
    def follow(self, subscription: SubscriptionId, version: int, wanted: Sequence[Lane]) -> Sequence[Progress]:
        """Have these stretches and no others; a first one that is new takes the place of all that waited.

        Whoever has seen the subscription in an earlier ``version`` than is followed already changes nothing.
        Returns how far they came.
        """

    @abstractmethod
    def enqueue(self, subscription: SubscriptionId, progress: Progress, found: Sequence[Found], position: int) -> None:
        """Let these events wait, and note that the stretch came so far; where somebody else has, nothing changes."""

    @abstractmethod
    def due(self, subscription: SubscriptionId, now: float, limit: int) -> Sequence[Delivery]:
        """What is due, in order of position: but for what stands in its stream behind what is parked or not due yet."""

    @abstractmethod
    def settle(self, settled: Sequence[Delivery]) -> None:
        """Note what became of deliveries that waited."""

    @abstractmethod
    def hold(self, subscription: SubscriptionId, until: float) -> None:
        """Deliver nothing until then."""

    @abstractmethod
    def held_until(self, subscription: SubscriptionId) -> float: ...

    @abstractmethod
    def counts(self, subscription: SubscriptionId) -> Counts: ...

    @abstractmethod
    def waiting(self, subscription: SubscriptionId) -> int:
        """How many events wait that are not behind a parked one."""

    @abstractmethod
    def unsettled(self, subscription: SubscriptionId, most: int) -> tuple[int, int | None]:
        """How many events wait, no more than ``most`` counted, and where the first of them stands."""

    @abstractmethod
    def deliveries(
        self, subscription: SubscriptionId, *, stage: DeliveryStage | None = None, before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:  # fmt: skip
        """Deliveries, the newest position first; what was withheld from the owner is not shown to him here, either."""

    @abstractmethod
    def position_of(self, subscription: SubscriptionId, event: str) -> int | None:
        """Where an event stands that was once wanted; None: none that is remembered."""

    @abstractmethod
    def is_tried_again(self, subscription: SubscriptionId, now: float) -> bool:
        """Whether something waits, with nobody, that was tried before and was not taken."""

    @abstractmethod
    def taken(self, subscription: SubscriptionId, after: int, up_to: int) -> frozenset[int]:
        """The positions of a stretch whose events were taken once, as far as that is remembered."""

    @abstractmethod
    def pending(self, subscription: SubscriptionId, up_to: int, limit: int) -> frozenset[int]:
        """The positions up to one whose events wait or are parked; no more than so many."""

    @abstractmethod
    def sweep(self, before: float) -> None:
        """Forget deliveries that were settled before then."""
