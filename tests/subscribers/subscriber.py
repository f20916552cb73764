"""What a subscriber is, whatever way it hears of events by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, NamedTuple, Protocol

from tests.webhooks.town import Town

PATIENCE_SECONDS = 900.0
"""As long a subscriber waits for what has to come."""


class Heard(NamedTuple):
    """An event, as often as it came."""

    id: str
    position: int


class Place(NamedTuple):
    """Where one subscribes: a town, how its server is called, and the position behind which the trial begins."""

    town: Town
    address: str
    after: int


class Subscriber(Protocol):
    """Hears of every event behind the position of its place, at least once."""

    def begins(self) -> None:
        """Subscribe: what is recorded from here on is to be heard."""

    def until(self, position: int) -> Sequence[Heard]:
        """Hear until what stands at this position has come; all that came, in the order in which it did."""


Kind = Callable[[Place], Subscriber]


class Patience:
    """Ends a subscriber that waits in vain."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._until = monotonic() + seconds

    def demand(self, why: Callable[[], str] = str) -> None:
        """Raises:
        AssertionError: it has waited long enough; ``why`` tells more.
        """
        assert monotonic() < self._until, f"it was not heard in time {why()}"


def heard(events: Iterable[Any]) -> list[Heard]:
    """Of CloudEvents, as JSON."""
    return [Heard(event["id"], int(event["globalposition"])) for event in events]
