"""Leases: which events of a queue are with whom, and until when.

A lease has a number that no later one has, and that is greater than all before it: whoever settles with a number
settles what he was given under it and nothing else. Numbers come from the clock (milliseconds since 1970, or one
more than the last where that is greater), so that they go on growing where the tables were lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cycle.aggregates.terms import SubscriptionId
from cycle.failures import CONFLICT, Failure
from cycle.subscriptions.shapes import Delivery


class LeaseLost(Failure):
    """A lease does not hold what it is to settle: it ran out and the events were given on, or it never held them."""

    kind = "lease"
    code = "lease-lost"
    exit_code = CONFLICT


class Chosen(NamedTuple):
    """Which events of a lease: these, and all up to a position; neither said (None): all that it holds."""

    events: frozenset[str] | None = None
    up_to: int | None = None


ALL = Chosen()


class Lease(NamedTuple):
    """``until``: seconds since 1970, behind which what it holds may be given on."""

    number: int
    member: str
    until: float


class Given(NamedTuple):
    """A new lease with what it holds."""

    lease: Lease
    deliveries: Sequence[Delivery]


class Held(NamedTuple):
    """A lease that has not run out, and how many events it still holds."""

    lease: Lease
    events: int


class LeaseStore(ABC):
    """The table of leases, and who has what in the queues. Every call is one transaction; one at a time of a queue.

    ``LeaseLost`` means that nothing was changed.
    """

    @abstractmethod
    def free(self, subscription: SubscriptionId, now: float) -> int:
        """How many events could be given now, or follow in their streams on what could."""

    @abstractmethod
    def give(self, subscription: SubscriptionId, member: str, now: float, until: float, limit: int) -> Given | None:
        """A new lease on events in order of position, each with one attempt more; None: there is nothing to give.

        Of a stream nothing is given behind what is parked, not due yet or worn out, and nothing at all
        while another lease that has not run out holds some of it.
        """

    @abstractmethod
    def ack(self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float) -> int:
        """These are done; returns how many the lease still holds. What it has settled so before stays as it is.

        Raises:
            LeaseLost: one of them is not this lease's any more.
        """

    @abstractmethod
    def give_back(
        self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, what: str,
        due: Callable[[int], float],
    ) -> int:  # fmt: skip
        """These are not done, and may be given again when ``due`` says by the attempts that were made.

        What the lease holds behind them in their streams goes back with them, as if it had not been given. Returns
        how many it still holds.

        Raises:
            LeaseLost: as for ``ack``.
        """

    @abstractmethod
    def keep(
        self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, until: float
    ) -> Sequence[Delivery]:
        """These, which nobody else is given until then.

        Raises:
            LeaseLost: as for ``ack``.
        """

    @abstractmethod
    def withhold(self, subscription: SubscriptionId, number: int, positions: Sequence[int], now: float) -> None:
        """Nobody is given these: the owner may not read them."""

    @abstractmethod
    def park(self, subscription: SubscriptionId, number: int, chosen: Chosen, now: float, what: str) -> int:
        """Set these aside; what the lease holds behind them in their streams goes back.

        Returns how many it still holds.

        Raises:
            LeaseLost: as for ``ack``.
        """

    @abstractmethod
    def extend(self, subscription: SubscriptionId, number: int, now: float, until: float) -> int:
        """The lease holds what it holds until then; returns how many events that are.

        Raises:
            LeaseLost: something of it was given on.
        """

    @abstractmethod
    def worn(self, subscription: SubscriptionId, now: float) -> Sequence[Delivery]:
        """What waits after the last attempt, and is nobody's any more: it is to be parked."""

    @abstractmethod
    def held(self, subscription: SubscriptionId, now: float) -> Sequence[Held]:
        """The leases that have not run out, the oldest first."""

    @abstractmethod
    def forget_old(self, before: float) -> None:
        """Forget leases that ran out before then."""
