"""A waker with a pause: many commits are heard together, and none of them is slept through."""

from __future__ import annotations

from typing import Any

import pytest

from cycle_adapters.sql import waking
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import save

PAUSE_SECONDS = 0.5


class Clock:
    """Time passes where somebody sleeps, and nowhere else."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for name in ("monotonic", "sleep"):
        monkeypatch.setattr(waking, name, getattr(found, name))
    return found


def test_between_two_answers_lies_the_pause_and_what_came_in_it_is_heard(store: SqlRecorder, clock: Clock) -> None:
    waker: Any = store.waker(PAUSE_SECONDS)
    store.append(save("s"))
    assert waker.wait(10)
    assert clock.slept == [0]
    clock.now += 0.2
    store.append(save("s", 2))
    assert waker.wait(10)
    assert clock.slept[1:] == [pytest.approx(PAUSE_SECONDS - 0.2)]
    waker.close()


def test_whoever_has_waited_for_longer_is_not_held_up(store: SqlRecorder, clock: Clock) -> None:
    waker: Any = store.waker(PAUSE_SECONDS)
    waker.wake()
    assert waker.wait(10)
    clock.now += 2 * PAUSE_SECONDS
    waker.wake()
    assert waker.wait(10)
    assert clock.slept == [0, 0]
    waker.close()


def test_nobody_waits_for_longer_than_he_will(store: SqlRecorder, clock: Clock) -> None:
    waker: Any = store.waker(PAUSE_SECONDS)
    waker.wake()
    assert waker.wait(10)
    waker.wake()
    assert waker.wait(0.1)
    assert clock.slept == [0, 0.1]
    waker.close()
