"""Two frameworks whose events several workers share, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from cycle.aggregates.group import ConsumerGroup
from cycle.groups.known import Groups
from cycle.groups.leasing import Leasing, Taken
from cycle.groups.shapes import ALL, Chosen
from cycle.subscriptions.known import identity_of
from cycle.subscriptions.shapes import Counts, Delivery
from tests.webhooks.town import DHIS
from tests.webhooks.town import Town as WebhookTown

PAPERS = ("document-attached",)
SECONDS = 60


class Town(WebhookTown):
    """An engine with two frameworks, and what gives their events to workers."""

    def __init__(self, url: str, now: float | None = None) -> None:
        super().__init__(url, None, cast("Any", None), now)
        self.leasing = Leasing(Groups(self.engine, lambda: self.now), lambda: self.chance)
        self.groups, self.queue, self.leases = self.leasing.groups, self.leasing.groups.queue, self.engine.store.leases
        self.group = ""

    def begun(self) -> Town:
        super().begun()
        return self

    def another(self) -> Town:
        """The same town as another process knows it."""
        found = Town(self.url, self.now)
        found.dioro, found.koula, found.group = self.dioro, self.koula, self.group
        self.others.append(found)
        return found

    def made(self, actor: str = DHIS, **about: Any) -> str:
        """A group that is handed papers, from now on; it is this town's from here on."""
        done = self.groups.add(actor, about.pop("name", "warehouse"), **{"types": PAPERS, **about})
        self.group = identity_of(done.receipt.stream)
        return self.group

    def lease(self, member: str = "one", limit: int = 100, seconds: int = SECONDS, actor: str = DHIS) -> Taken:
        return self.leasing.lease(actor, self.group, member, limit, seconds)

    def ack(self, taken: Taken, chosen: Chosen = ALL) -> int:
        return self.leasing.ack(DHIS, self.group, number(taken), chosen)

    def nack(self, taken: Taken, chosen: Chosen = ALL, delay: int | None = 0, reason: str = "") -> int:
        return self.leasing.nack(DHIS, self.group, number(taken), chosen, delay, reason)

    def park(self, taken: Taken, chosen: Chosen, reason: str = "Illisible") -> int:
        return self.leasing.park(DHIS, self.group, number(taken), chosen, reason)

    def extend(self, taken: Taken, seconds: int = SECONDS) -> int:
        return self.leasing.extend(DHIS, self.group, number(taken), seconds)[1]

    def own(self) -> ConsumerGroup:
        return self.groups.refresh()[cast("Any", self.group)]

    def counts(self) -> Counts:
        return self.queue.counts(cast("Any", self.group))

    def about(self, position: int) -> Delivery:
        return next(
            each for each in self.queue.deliveries(cast("Any", self.group), limit=500) if each.position == position
        )

    def events(self, positions: Iterable[int]) -> Chosen:
        """These, by their ids."""
        return Chosen(frozenset(self.about(each).event for each in positions))

    def tell(self, name: str, actor: str = DHIS, **fields: object) -> None:
        """A command about the group."""
        self.groups.say(actor, name, fields, cast("Any", self.group))


def number(taken: Taken) -> int:
    assert taken.lease is not None
    return taken.lease.number


def positions(taken: Taken) -> list[int]:
    """Where the events that were handed out stand."""
    return [row[0] for row in taken.rows]
