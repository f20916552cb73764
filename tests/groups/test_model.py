"""Whatever workers do with leases, in whatever order: the store does what a plain model of the rules does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cycle.aggregates.subscription import Lane
from cycle.groups.shapes import Chosen, LeaseLost, LeaseStore
from cycle.subscriptions.shapes import Answer, Found, Progress, QueueStore
from cycle_adapters.sql import leases, queues
from tests.groups.town import Town

STREAMS, EVENTS, ATTEMPTS = 3, 8, 4


@dataclass
class Event:
    """One event as the rules know it. ``holder``: the lease that has it or had it last; ``held``: it has it now."""

    position: int
    stream: str
    stage: str = "waiting"
    attempts: int = 0
    due: float = 0.0
    holder: int = 0
    held: bool = False


@dataclass
class Model:
    """The rules, over lists."""

    events: list[Event] = field(default_factory=list)
    until: dict[int, float] = field(default_factory=dict)
    lost: dict[int, set[int]] = field(default_factory=dict)
    now: float = 1_000.0

    def taken(self, event: Event) -> bool:
        return event.stage == "waiting" and event.held and self.until[event.holder] > self.now

    def can_be_given(self, event: Event) -> bool:
        stream = [each for each in self.events if each.stream == event.stream]
        before = [each for each in stream if each.position < event.position]
        ready = event.stage == "waiting" and event.due <= self.now and event.attempts < ATTEMPTS
        in_the_way = any(
            each.stage == "parked"
            or (each.stage == "waiting" and (each.due > self.now or each.attempts >= ATTEMPTS))
            for each in before
        )  # fmt: skip
        return ready and not in_the_way and not any(map(self.taken, stream))

    def give(self, number: int, until: float, limit: int) -> list[int]:
        given = [event for event in self.events if self.can_be_given(event)][:limit]
        for event in given:
            if event.held:
                self.lost[event.holder].add(event.position)
            event.holder, event.held, event.attempts = number, True, event.attempts + 1
        self.until[number], self.lost[number] = until, set()
        return [event.position for event in given]

    def own(self, number: int) -> list[Event]:
        return [each for each in self.events if each.holder == number and each.stage == "waiting" and each.held]

    def chosen(self, number: int, named: set[int] | None, up_to: int | None, otherwise: str) -> list[Event]:
        """Raises:
        LeaseLost: one of them is not the lease's.
        """
        mine = self.own(number)
        already = {each.position for each in self.events if each.holder == number and each.stage == otherwise}
        if named is not None and named - {each.position for each in mine} - already:
            raise LeaseLost("given-on", lease=str(number), events=())
        reach = {at for at in self.lost[number] if up_to is not None and at <= up_to}
        if reach or (named is None and up_to is None and self.lost[number]):
            raise LeaseLost("given-on", lease=str(number), events=())
        everything = named is None and up_to is None
        return [
            each for each in mine
            if everything or each.position in (named or ()) or (up_to is not None and each.position <= up_to)
        ]  # fmt: skip

    def behind(self, number: int, events: list[Event]) -> None:
        for event in self.own(number):
            if any(each.stream == event.stream and each.position < event.position for each in events):
                event.held, event.attempts = False, event.attempts - 1

    def settle(self, way: str, number: int, named: set[int] | None, up_to: int | None, due: float) -> int:
        otherwise = {"ack": "delivered", "nack": "waiting", "park": "parked"}[way]
        events = self.chosen(number, named, up_to, otherwise)
        for event in events:
            event.held = False
            event.stage = otherwise
            event.due = due if way == "nack" else event.due
        if way != "ack":
            self.behind(number, events)
        return len(self.own(number))

    def extend(self, number: int, until: float) -> int:
        events = self.chosen(number, None, None, "")
        streams = {each.stream for each in self.events if self.taken(each) and each.holder != number}
        if streams & {each.stream for each in events}:
            raise LeaseLost("given-on", lease=str(number), events=())
        self.until[number] = until
        return len(events)


class Both:
    """The store and the model, told the same."""

    def __init__(self, queue: QueueStore, leases: LeaseStore, name: str) -> None:
        self.queue, self.leases, self.name = queue, leases, cast("Any", name)
        self.model = Model()
        self.lanes = [Lane(1, 0)]
        queue.follow(self.name, 1, self.lanes)
        self.found = [Found(n, f"e-{n}", f"stream-{n % STREAMS}") for n in range(1, EVENTS + 1)]
        queue.enqueue(self.name, Progress(self.lanes[0], 0), self.found, EVENTS)
        self.model.events = [Event(each.position, each.stream) for each in self.found]
        self.numbers: list[int] = []

    def lease(self, limit: int, seconds: int) -> None:
        now = self.model.now
        assert self.leases.free(self.name, now) == sum(map(self.model.can_be_given, self.model.events))
        given = self.leases.give(self.name, "m", now, now + seconds, limit)
        if given is None:
            assert not any(map(self.model.can_be_given, self.model.events))
            return
        number = given.lease.number
        assert not self.numbers or number > self.numbers[-1]
        self.numbers.append(number)
        assert [each.position for each in given.deliveries] == self.model.give(number, now + seconds, limit)
        attempts = {each.position: each.attempts for each in self.model.events}
        assert all(each.attempts == attempts[each.position] for each in given.deliveries)

    def settle(self, way: str, which: int, named: set[int] | None, up_to: int | None, pause: int) -> None:
        if not self.numbers:
            return
        number, now = self.numbers[which % len(self.numbers)], self.model.now
        due = now + pause
        chosen = Chosen(None if named is None else frozenset(f"e-{n}" for n in named), up_to)
        ways: dict[str, Callable[[], int]] = {
            "ack": lambda: self.leases.ack(self.name, number, chosen, now),
            "nack": lambda: self.leases.give_back(self.name, number, chosen, now, "", lambda attempts: due),
            "park": lambda: self.leases.park(self.name, number, chosen, now, ""),
        }
        self.alike(ways[way], lambda: self.model.settle(way, number, named, up_to, due))

    def extend(self, which: int, seconds: int) -> None:
        if self.numbers:
            number, now = self.numbers[which % len(self.numbers)], self.model.now
            until = now + seconds
            self.alike(
                lambda: self.leases.extend(self.name, number, now, until), lambda: self.model.extend(number, until)
            )

    def alike(self, done: Callable[[], int], expected: Callable[[], int]) -> None:
        try:
            wanted: int | None = expected()
        except LeaseLost:
            wanted = None
        if wanted is None:
            with pytest.raises(LeaseLost):
                done()
        else:
            assert done() == wanted

    def replay(self, up_to: int) -> None:
        """What is settled of a stretch waits again."""
        self.lanes.append(Lane(len(self.lanes) + 1, 0, up_to))
        self.queue.follow(self.name, len(self.lanes), self.lanes)
        self.queue.enqueue(self.name, Progress(self.lanes[-1], 0), self.found[:up_to], up_to)
        for event in self.model.events:
            if event.position <= up_to and event.stage != "waiting":
                event.stage, event.attempts, event.due, event.holder, event.held = "waiting", 0, 0.0, 0, False

    def worn(self) -> None:
        """What was given for the last time is parked."""
        for each in self.leases.worn(self.name, self.model.now):
            self.queue.settle([each._replace(stage=cast("Any", each.stage.PARKED), answers=(Answer(0, ""),))])
        for event in self.model.events:
            if event.stage == "waiting" and event.attempts >= ATTEMPTS and not self.model.taken(event):
                if event.held:
                    self.model.lost[event.holder].add(event.position)
                event.stage, event.held = "parked", False

    def agree(self) -> None:
        rows = {each.position: each for each in self.queue.deliveries(self.name, limit=500)}
        for event in self.model.events:
            row = rows[event.position]
            assert (row.stage.value, row.attempts) == (event.stage, event.attempts), event
        held = {each.lease.number: each.events for each in self.leases.held(self.name, self.model.now)}
        wanted: dict[int, int] = {}
        for event in filter(self.model.taken, self.model.events):
            wanted[event.holder] = wanted.get(event.holder, 0) + 1
        assert held == wanted
        streams = [{e.stream for e in self.model.own(number) if self.model.taken(e)} for number in held]
        assert sum(map(len, streams)) == len(set().union(*streams)), "a stream is with one of them"


_named = st.none() | st.sets(st.integers(1, EVENTS), max_size=3)
_step = st.one_of(
    st.tuples(st.just("lease"), st.integers(1, 4), st.sampled_from([5, 20])),
    st.tuples(st.just("settle"), st.sampled_from(["ack", "nack", "nack", "park"]), st.integers(0, 9), _named,
              st.none() | st.integers(0, EVENTS), st.sampled_from([0, 10])),
    st.tuples(st.just("extend"), st.integers(0, 9), st.just(20)),
    st.tuples(st.just("worn")),
    st.tuples(st.just("replay"), st.integers(1, EVENTS)),
    st.tuples(st.just("later"), st.sampled_from([1, 6, 21])),
)  # fmt: skip


@pytest.fixture
def emptied(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for module in (leases, queues):
        monkeypatch.setattr(module, "ATTEMPTS", ATTEMPTS)
    town = Town(database_url)
    yield town
    town.close()


_count = iter(range(10**9))


@given(steps=st.lists(_step, max_size=25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_store_does_what_the_model_does(emptied: Town, steps: list[tuple[Any, ...]]) -> None:
    both = Both(emptied.queue, emptied.leases, f"g-{next(_count)}")
    for name, *about in steps:
        if name == "later":
            both.model.now += about[0]
        else:
            getattr(both, name)(*about)
        both.agree()
