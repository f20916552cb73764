"""Consumer groups of one engine, as the platform log says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from cycle.access import Forbidden
from cycle.aggregates.base import Finding, Recorded, Role
from cycle.aggregates.group import (
    ConsumerGroup,
    ConsumerGroupRegistered,
    RegisterConsumerGroup,
    acts,
    group,
)
from cycle.aggregates.terms import SubscriptionId
from cycle.subscriptions import known
from cycle.subscriptions.known import NoSubscription, Subscriptions
from cycle.watching import Done


class Groups(Subscriptions[ConsumerGroup]):
    """All consumer groups."""

    aggregate = group
    lists = "list-groups"
    acts = acts
    consumes = "consume-group"

    def add(
        self,
        actor: str,
        name: str,
        types: Iterable[str] = (),
        territory: str = "/",
        after: int | None = None,
        key: str | None = None,
    ) -> Done:
        """Register a group; without ``after`` it is handed out what comes from now on.

        Raises:
            BadInput: a field does not have the declared shape.
            Refused: no right there, or no such type.
        """
        before, on = cast("Recorded[ConsumerGroupRegistered] | None", self.begun_before(key)), self.engine.today()
        if before is not None and after is None:
            after, on = before.data.after, before.occurred_on
        if after is None:
            after = self.engine.store.head().position
        fields = {"name": name, "types": list(types), "territory": territory, "after": after}
        return self.say(actor, RegisterConsumerGroup.type, fields, key=key, on=on)

    def own(self, actor: str, identity: str) -> ConsumerGroup:
        """The group whose events an account takes: its owner does, and nobody else.

        Raises:
            NoSubscription: the account sees none that is called so.
            Forbidden: it may take none, or sees it and does not own it.
        """
        self.engine.act(actor, self.consumes, None)
        found = self.refresh().get(SubscriptionId(identity))
        if found is not None and found.owner == actor and not found.is_removed:
            return found
        other = self._seen(actor, identity)
        finding = Finding("subscription-of-another", values={"owner": other.owner}, lift=(Role.ADMINISTRATOR,))
        raise Forbidden(finding, readable=True)

    def _seen(self, actor: str, identity: str) -> ConsumerGroup:
        found = next((each for each in self.seen_by(actor) if each.id == identity), None)
        if found is None:
            raise NoSubscription("unknown", id=identity)
        return found

    def room(self, identity: SubscriptionId) -> int:
        # What somebody has, or waits behind it, leaves room for what others can be given.
        return known.FILL - self.engine.store.leases.free(identity, self.now())
