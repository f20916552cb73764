"""The subscriptions of one kind, as the platform log says: who sees which, what is said of them, what they want."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from threading import Lock
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from cycle.access import READING, SAYING, Forbidden
from cycle.aggregates.account import covers
from cycle.aggregates.base import PLATFORM, Aggregate, By, Command, LogName, Recorded, Role
from cycle.aggregates.subscription import MANAGES, Acts, Subscription
from cycle.aggregates.terms import SubscriptionId
from cycle.commands import Said, read_command
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.watching import Done

READS = READING["events"]
"""What a subscription's owner has to be allowed where an event belongs."""
SEES = (Role.ADMINISTRATOR, Role.AUDITOR)
"""Who sees the subscriptions of others, in his territory."""
FILL = 500
"""So many events may wait at once; what follows in the log is read when they have gone."""
S = TypeVar("S", bound=Subscription)


class NoSubscription(Failure):
    """None that the account sees is called so."""

    kind = "subscription"
    code = "subscription-unknown"


class Unwanted(NamedTuple):
    """A stretch of the log in which a subscription wants nothing: looked through once, and not again."""

    logs: frozenset[str] | None
    """Of these alone; None: of all of them."""
    after: int
    up_to: int


class Subscriptions(Generic[S]):
    """All subscriptions of one kind.

    Args:
        now: seconds since 1970.
    """

    aggregate: ClassVar[Aggregate[Any, Any]]
    lists: ClassVar[str]
    """The action of ``cycle.access`` that listing them is."""
    acts: ClassVar[Acts]

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self.engine, self.now = engine, now
        self.queue = engine.store.queue
        self.unwanted: dict[tuple[SubscriptionId, int], Unwanted] = {}
        """By subscription and version of a stretch."""
        self._lock = Lock()
        self._known: Mapping[SubscriptionId, S] = {}
        self._position = 0
        self._types = tuple(sorted(event.type for event in self.aggregate.events))

    def refresh(self) -> Mapping[SubscriptionId, S]:
        """All of them as they are now, the removed ones too; and what the door knows of accounts as it is now."""
        self.engine.door.refresh()
        end = self.engine.door.now.position
        with self._lock:
            if self._position < end:
                self._known, self._position = self._read_on(end), end
            return self._known

    def _read_on(self, end: int) -> Mapping[SubscriptionId, S]:
        known, store, aggregate = dict(self._known), self.engine.store, self.aggregate
        for _, topic, schema, leaf in store.read(self._position, up_to=end, log=PLATFORM, types=self._types):
            fact = self.engine.leaves[topic, schema](leaf)
            identity = identity_of(fact.stream)
            known[identity] = aggregate.fold(known.get(identity, aggregate.initial), [fact])
        return known

    def live(self) -> list[S]:
        """Those that are not removed."""
        return [each for each in self.refresh().values() if not each.is_removed]

    def seen_by(self, actor: str) -> list[S]:
        """Those that an account sees: its own, and those of others in its territory where it administers or audits.

        Raises:
            Forbidden: it holds no role that sees any.
        """
        engine = self.engine
        engine.act(actor, self.lists, None)
        grants = [grant for grant in engine.door.now.grants(actor, engine.today()) if grant.role in SEES]
        return [
            each for each in self.live() if each.owner == actor or any(grant.covers(each.territory) for grant in grants)
        ]

    def find(self, actor: str, name: str) -> S:
        """The one with this id, or with an id that ends so.

        Raises:
            NoSubscription: the account sees none, or several.
            Forbidden: it sees none at all.
        """
        found = [each for each in self.seen_by(actor) if each.id.endswith(name)]
        if len(found) != 1:
            raise NoSubscription("unknown" if not found else "several", id=name)
        return found[0]

    def say(
        self,
        actor: str,
        name: str,
        fields: Mapping[str, object],
        target: SubscriptionId | None = None,
        key: str | None = None,
        on: date | None = None,
        version: int | None = None,
    ) -> Done:
        """Say a command in the first role in which the account may; ``version``: that of it which was looked at.

        Raises:
            BadInput: a field does not have the declared shape.
            Refused: no right, or a rule.
            VersionMoved: it is not in the version that was looked at.
        """
        command = read_command(name, msgspec.json.encode(fields))
        role = self._role(actor, command, target)
        day = on or self.engine.today()
        said = Said(command=command, by=By(actor, role), on=day, target=target, key=key, version=version)
        return self.engine.carry_out(said)

    def _role(self, actor: str, command: Command, target: SubscriptionId | None) -> Role:
        door = self.engine.door
        own = self.refresh().get(target) if target else None
        over = role_over(self.engine, actor, own) if own else None
        if over in command.roles:
            return over
        try:
            return door.role_of(actor, command, target)
        except Forbidden as forbidden:
            door.note(None, forbidden)
            raise

    def begun_before(self, key: str | None) -> Recorded[Any] | None:
        """The first fact of the subscription that was registered with this key before."""
        found = self.engine.store.receipt(key) if key else None
        fact = self.engine.fact(found[1].events[-1]) if found else None
        return fact if fact and fact.version == 1 and fact.type in self._types else None

    def replay_event(self, actor: str, identity: SubscriptionId, event: str, key: str | None = None) -> Done:
        """Have one event delivered again.

        Raises:
            NoSubscription: nothing is remembered of it.
            Refused: no right to it.
        """
        position = self.queue.position_of(identity, event)
        if position is None:
            raise NoSubscription("no-such-event", id=event)
        return self.say(actor, self.acts.replays.says.type, {"after": position - 1, "up_to": position}, identity, key)

    def remove(self, actor: str, identity: SubscriptionId, reason: str, key: str | None = None) -> Done:
        """Remove one for good, with all that waited."""
        done = self.say(actor, self.acts.removes.says.type, {"reason": reason}, identity, key)
        self.forget(identity)
        return done

    def forget(self, identity: SubscriptionId) -> None:
        """Destroy what is kept beside the log of one that is removed."""
        self.queue.forget(identity)

    def room(self, identity: SubscriptionId) -> int:
        """How many events more may wait that nothing stands in the way of."""
        return FILL - self.queue.waiting(identity)

    def is_for(self, state: S, log: LogName) -> bool:
        """Whether the events of a log are what a subscription is for, as far as places go."""
        return covers(state.territory, self.engine.door.home(log)[0])

    def owner_reads(self, state: S, log: LogName) -> bool:
        """Whether the owner of a subscription may read the events of a log, now."""
        door = self.engine.door
        path, zone = door.home(log)
        try:
            door.let(door.now, state.owner, READS, path, zone=zone)
        except Forbidden:
            return False
        return True


def identity_of(stream: str) -> SubscriptionId:
    """The id of the subscription that a stream is about."""
    return SubscriptionId(stream.partition("-")[2])


def role_over(engine: Engine, actor: str, own: Subscription) -> Role | None:
    """The role in which an account changes a subscription today; None: in none."""
    grants = engine.door.now.grants(actor, engine.today())
    held = {grant.role for grant in grants if grant.covers(own.territory)}
    may = held if own.owner == actor else held - {Role.INTEGRATOR}
    return next((role for role in MANAGES if role in may), None)


def role_demanded(engine: Engine, actor: str, command: str, own: Subscription | None = None) -> Role:
    """The role in which an account says a command about a subscription; about none yet: anywhere.

    Raises:
        Forbidden: in none, with whom to call.
    """
    door = engine.door
    held = role_over(engine, actor, own) if own else None
    role = held or door.let(door.now, actor, SAYING[command], own.territory if own else None)
    return role or MANAGES[0]
