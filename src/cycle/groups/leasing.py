"""Leasing: a worker of a group is given what is next, and settles it before his lease runs out.

The call that gives also reads the log on: a group needs no process beside its workers. Rights are asked when events
are given; what their owner may not read is withheld, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import random
from typing import NamedTuple

from cycle.aggregates.base import LogName
from cycle.aggregates.group import ConsumerGroup, ParkConsumerGroupEvent
from cycle.groups.known import Groups
from cycle.groups.shapes import Chosen, Given, Lease
from cycle.store import FeedRow, KeyReused
from cycle.subscriptions.filling import fill
from cycle.subscriptions.schedule import Chance, pause_seconds
from cycle.subscriptions.shapes import Answer, Delivery, DeliveryStage

ROUNDS = 20
"""So many times one call looks further in the log where nothing is wanted; the next call goes on from there."""
PARKING_SECONDS = 60.0
"""As long nobody else is given what is being parked."""
KEPT_SECONDS = 30 * 86_400
"""As long it is remembered what became of events."""
SWEEP_SECONDS = 3_600.0


class Taken(NamedTuple):
    """What a worker is given: a lease on events, and by their ids how often each was tried; or nothing now."""

    lease: Lease | None
    rows: Sequence[FeedRow]
    attempts: Mapping[int, int]
    withheld: int
    at_head: bool
    """Whether all of the log was looked at."""


NOTHING = Taken(None, (), {}, 0, True)


class Leasing:
    """Gives and settles for all groups of one engine; any number of processes do at the same time.

    Args:
        chance: the jitter of retries.
    """

    def __init__(self, groups: Groups, chance: Chance = random) -> None:
        self.groups, self._chance = groups, chance
        self._engine, self._queue, self._leases = groups.engine, groups.queue, groups.engine.store.leases
        self._swept = groups.now()

    def lease(self, actor: str, identity: str, member: str, limit: int, seconds: int) -> Taken:
        """What is next, for so many seconds.

        Raises:
            NoSubscription, Forbidden: as ``Groups.own``.
        """
        state = self.groups.own(actor, identity)
        self._sweep()
        if not state.is_active:
            return NOTHING
        self._park_worn(actor, state)
        withheld = 0
        for _ in range(ROUNDS):
            moved = fill(self.groups, state)
            given = self._given(state, member, limit, seconds)
            if given is not None:
                taken = self._readable(state, given)
                withheld += taken.withheld
                if taken.rows:
                    return taken._replace(withheld=withheld)
            elif not moved:
                return NOTHING._replace(withheld=withheld)
        return NOTHING._replace(withheld=withheld, at_head=False)

    def _given(self, state: ConsumerGroup, member: str, limit: int, seconds: int) -> Given | None:
        now = self.groups.now()
        # Asked first, so that who finds nothing writes nothing.
        if not self._queue.due(state.id, now, 1):
            return None
        return self._leases.give(state.id, member, now, now + seconds, limit)

    def _readable(self, state: ConsumerGroup, given: Given) -> Taken:
        """What the owner may read of it, now."""
        self._engine.door.refresh()
        read: dict[str, bool] = {}
        rows: list[FeedRow] = []
        withheld: list[FeedRow] = []
        for row in self._engine.store.events_at([each.position for each in given.deliveries]):
            log = row[1]
            if log not in read:
                read[log] = self.groups.owner_reads(state, LogName(log))
            (rows if read[log] else withheld).append(row)
        if withheld:
            self._leases.withhold(state.id, given.lease.number, [row[0] for row in withheld], self.groups.now())
        attempts = {each.position: each.attempts for each in given.deliveries}
        return Taken(given.lease, rows, attempts, len(withheld), True)

    def ack(self, actor: str, identity: str, number: int, chosen: Chosen) -> int:
        """These are done; returns how many the lease still holds.

        Raises:
            LeaseLost: they are not this lease's any more; nothing is changed.
            NoSubscription, Forbidden: as ``Groups.own``.
        """
        state = self.groups.own(actor, identity)
        return self._leases.ack(state.id, number, chosen, self.groups.now())

    def nack(
        self, actor: str, identity: str, number: int, chosen: Chosen, delay_seconds: int | None, reason: str
    ) -> int:
        """These are not done: they are given again after a while, by the schedule of retries where none is said.

        Raises:
            LeaseLost, NoSubscription, Forbidden: as ``ack``.
        """
        state, now = self.groups.own(actor, identity), self.groups.now()

        def due(attempts: int) -> float:
            pause = pause_seconds(attempts, self._chance) if delay_seconds is None else delay_seconds
            # At once, whatever the clock of whoever comes next says.
            return now + pause if pause else 0.0

        left = self._leases.give_back(state.id, number, chosen, now, reason, due)
        self._park_worn(actor, state)
        return left

    def park(self, actor: str, identity: str, number: int, chosen: Chosen, reason: str) -> int:
        """These are set aside, and what follows in their streams with them, until they are replayed.

        Raises:
            LeaseLost, NoSubscription, Forbidden: as ``ack``.
            Refused: what is said of it cannot be recorded.
        """
        state, now = self.groups.own(actor, identity), self.groups.now()
        for each in self._leases.keep(state.id, number, chosen, now, now + PARKING_SECONDS):
            self._record(actor, state, each, reason)
        return self._leases.park(state.id, number, chosen, self.groups.now(), reason)

    def extend(self, actor: str, identity: str, number: int, seconds: int) -> tuple[float, int]:
        """Until when the lease holds what it holds, and how many events that are.

        Raises:
            LeaseLost, NoSubscription, Forbidden: as ``ack``.
        """
        state, now = self.groups.own(actor, identity), self.groups.now()
        return now + seconds, self._leases.extend(state.id, number, now, now + seconds)

    def _park_worn(self, actor: str, state: ConsumerGroup) -> None:
        """Set aside what was given for the last time and was not acknowledged."""
        now = self.groups.now()
        for each in self._leases.worn(state.id, now):
            self._record(actor, state, each, each.answers[-1].what)
            answers = (*each.answers, Answer(now, "parked"))
            self._queue.settle([each._replace(stage=DeliveryStage.PARKED, answers=answers)])

    def _record(self, actor: str, state: ConsumerGroup, each: Delivery, reason: str) -> None:
        """The fact first: whoever is killed behind it finds it recorded when he comes again."""
        about = {"event": each.event, "of": each.stream, "position": each.position, "attempts": each.attempts}
        key = f"park {state.id} {each.position} {state.lanes[-1].version}"
        with suppress(KeyReused):
            self.groups.say(actor, ParkConsumerGroupEvent.type, {**about, "reason": reason}, state.id, key)

    def _sweep(self) -> None:
        """Forget what was settled long ago, once in a while."""
        now = self.groups.now()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._queue.sweep(now - KEPT_SECONDS)
            self._leases.forget_old(now - KEPT_SECONDS)
