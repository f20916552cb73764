"""What is known of accounts is never older than the question, and those who ask together look once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import Any

import pytest

from cycle.aggregates.base import LogName
from cycle.engine import Engine
from cycle.store import Unavailable
from tests.access.places import FANTA, revoke, two_communes
from tests.people import DAY

OTHERS = 5


class Held:
    """Looks at the platform log, of which the first is held up; each tells what it was made of, or fails."""

    def __init__(self, engine: Engine, failing: tuple[int, ...] = ()) -> None:
        self._read, self._failing = engine.store.read_log, failing
        self.looks, self.begun, self.free = 0, Event(), Event()

    def __call__(self, log: LogName, index: int) -> Iterator[Any]:
        self.looks += 1
        look = self.looks
        rows = list(self._read(log, index))
        if look == 1:
            self.begun.set()
            assert self.free.wait(30)
        if look in self._failing:
            raise Unavailable("no-server", "")
        return iter(rows)


def waiting(engine: Engine, pool: ThreadPoolExecutor, many: int) -> list[Future[bool]]:
    """So many who ask, and wait for whoever looks."""
    asked = Event()
    lock = engine.door._lock

    class Counted:
        waits = 0

        def __enter__(self) -> None:
            Counted.waits += 1
            if Counted.waits == many:
                asked.set()
            lock.acquire()

        def __exit__(self, *of: object) -> None:
            lock.release()

    engine.door._lock = Counted()  # type: ignore[assignment]
    futures = [pool.submit(engine.door.refresh) for _ in range(many)]
    assert asked.wait(30)
    return futures


@pytest.fixture
def together(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Engine, Held, Any]]]:
    """An engine whose first look has read before Fanta's right was revoked, and others who asked behind that."""
    with Engine(sqlite_url) as engine, ThreadPoolExecutor(OTHERS + 1) as pool:
        two_communes(engine)
        engine.door.refresh()

        def begin(*failing: int) -> tuple[Engine, Held, Any]:
            held = Held(engine, failing)
            monkeypatch.setattr(engine.store, "read_log", held)
            first = pool.submit(engine.door.refresh)
            assert held.begun.wait(30)
            with Engine(sqlite_url) as another:
                revoke(another, FANTA.actor)
            others = waiting(engine, pool, OTHERS)
            held.free.set()
            return engine, held, (first, others)

        yield begin


def test_who_waits_while_others_look_knows_what_was_recorded_before_he_asked(together: Any) -> None:
    engine, held, (first, others) = together()
    assert first.result(30) is False, "it had read before"
    assert [each.result(30) for each in others] == [True] * OTHERS
    assert engine.door.now.grants(FANTA.actor, DAY) == []
    assert held.looks == 2, "one look for all who waited"


def test_a_look_that_failed_serves_nobody(together: Any) -> None:
    engine, held, (first, others) = together(2)
    assert first.result(30) is False
    told = [each.exception(30) for each in others]
    assert sum(isinstance(each, Unavailable) for each in told) == 1
    assert [each.result() for each, error in zip(others, told, strict=True) if error is None] == [True] * (OTHERS - 1)
    assert engine.door.now.grants(FANTA.actor, DAY) == []
    assert held.looks == 3


def test_what_was_looked_up_since_a_moment_is_new_enough_for_it(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, Engine(sqlite_url) as another:
        two_communes(engine)
        moment = monotonic()
        engine.door.refresh()
        revoke(another, FANTA.actor)
        assert engine.door.refresh(moment) is False, "looked at since then"
        assert engine.door.refresh(monotonic()) is True, "and not since now"
        assert engine.door.now.grants(FANTA.actor, DAY) == []
