"""Filling the stream from the log: as far as the log goes, and from nothing."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep

from cycle.engine import Engine
from cycle.fanout.handing import HandingOn, MayNotHandOn
from cycle.turns import Work
from cycle_adapters.jetstream.stream import Flight, Stream

BATCH = 256
"""So many messages are sent before the first of them has to be acknowledged; as many again are made meanwhile."""
LOOK_SECONDS = 0.2
"""Between two looks at what another process fills."""


def unwatched(*figures: int) -> None:
    """Nobody wants to know how far it is."""


def caught_up(
    stream: Stream,
    handing: HandingOn,
    after: int,
    goes_on: Callable[[], bool],
    landed: Callable[[int], None] = unwatched,
) -> int:
    """Send all that follows a position, one stretch in the air while the next one is made; returns where it ends.

    ``landed`` is told of every position up to which all is acknowledged.

    Raises:
        Moved, NatsTrouble: something is not taken; what was taken stands in its order, without a gap.
        Astray: the log has a gap.
    """
    flight: Flight | None = None
    while True:
        messages = handing.messages(after, BATCH)
        # Asked behind the reading: what is recorded after the right is gone is not in it.
        if not goes_on():
            break
        sent = stream.send(messages) if messages else None
        if flight is not None:
            stream.landed(flight)
            landed(flight.last)
        flight = sent
        if flight is None:
            return after
        after = flight.last
    if flight is not None:
        stream.landed(flight)
    return after


def refill(engine: Engine, handing: HandingOn, stream: Stream, moved: Callable[[int, int], None] = unwatched) -> int:
    """Delete the stream and fill it from the log; where another process publishes, see it do that.

    ``moved`` is told how far it is, and of how much.
    Returns the position up to which it is filled: at least where the log ended when this began.

    Raises:
        MayNotHandOn: the account may not read everything; the stream is as it was.
        NatsTrouble, Astray: as ``caught_up``.
    """
    if not handing.may:
        raise MayNotHandOn("may-not", account=handing.account)
    head = engine.store.head().position
    stream.delete()
    stream.made()
    while True:
        with engine.store.turns.turn(Work.PUBLISHING) as turn:
            if turn is not None:
                after = handing.begin(stream.standing().tail)
                return caught_up(stream, handing, after, lambda: True, lambda done: moved(done, head))
        end = stream.end()
        moved(min(end, head), head)
        if end >= head:
            return end
        sleep(LOOK_SECONDS)
