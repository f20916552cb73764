"""Handing on: the log as messages, position by position, the same ones however often it is read.

The sequence of a message in the stream is the global position of its event. So there is no cursor to keep: the
stream says itself how far it is, and its server refuses whatever would come twice, out of order or with a gap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct

from cycle.access import EVERYWHERE, READING, Forbidden
from cycle.aggregates.base import PLATFORM
from cycle.aggregates.commune import Commune, commune
from cycle.cloudevents import CloudEvent, Envelopes, kind_of
from cycle.engine import Engine, stream_of
from cycle.failures import CONFLICT, Failure
from cycle.fanout.subjects import Home, subject
from cycle.history import believed
from cycle.settings import ADDRESS, DEFAULT_ADDRESS

READS = READING["events"]
"""What it takes, everywhere, to hand every event on."""
_encode = msgspec.json.Encoder().encode


class Astray(Failure):
    """The stream was not made of this log, or of what it no longer is."""

    kind = "fanout"
    code = "nats-astray"
    exit_code = CONFLICT


class MayNotHandOn(Failure):
    """The account may not read every event: it hands none on."""

    kind = "fanout"
    code = "worker-may-not"


class Message(NamedTuple):
    """One event as it is published."""

    position: int
    id: str
    subject: str
    body: bytes


class Tail(NamedTuple):
    """The end of a stream: the sequence of its last message, and the event of that message.

    ``event`` None: the stream holds no message, or not any more.
    """

    position: int = 0
    event: str | None = None


class Lag(Struct, frozen=True):
    """How far a stream is behind the log: events, and the age in seconds of the first one that is not there."""

    position: int
    head: int
    events: int
    seconds: float


class _Leaf(Struct, frozen=True, gc=False):
    id: str
    recorded_at: datetime


_leaf = msgspec.json.Decoder(_Leaf).decode


class Places:
    """Where events belong, as the log up to each of them says: what is published again is published the same.

    Asked in order of position.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._homes: dict[str, Home] = {"": Home(), PLATFORM: Home()}

    def home(self, position: int, log: str, event: CloudEvent) -> Home:
        own = stream_of(commune, log)
        known = self._homes.get(log)
        if known is None or event.subject == own:
            # What a commune is called is known from the fact on that says so, and not before.
            known = self._homes[log] = self._as_of(position, log)
        return known

    def _as_of(self, position: int, log: str) -> Home:
        engine = self._engine
        stored = engine.store.read_stream(stream_of(commune, log), up_to_position=position)
        facts = believed([engine.leaves[leaf.topic, leaf.schema](leaf.state) for leaf in stored])
        found: Commune = commune.fold(commune.initial, facts)
        return Home(found.region, found.circle, log)


class HandingOn:
    """Makes messages of one engine's log, for whoever may read all of it.

    Args:
        account: that of the worker, asked for its right before each stretch.
    """

    def __init__(self, engine: Engine, account: str, envelopes: Envelopes | None = None) -> None:
        self._engine, self.account = engine, account
        self._envelopes = envelopes or Envelopes(ADDRESS.given() or DEFAULT_ADDRESS)
        self._places = Places(engine)

    @property
    def may(self) -> bool:
        """Whether the account may read everything, now."""
        door = self._engine.door
        door.refresh()
        try:
            door.let(door.now, self.account, READS, EVERYWHERE)
        except Forbidden:
            return False
        return True

    def begin(self, tail: Tail) -> int:
        """Begin behind the end of a stream; returns the position behind which to go on.

        Raises:
            Astray: the stream was not made of this log.
        """
        head = self._engine.store.head().position
        if tail.position > head:
            raise Astray("ahead", position=tail.position, head=head)
        if tail.event is not None and tail.event != self._event(tail.position):
            raise Astray("other", position=tail.position)
        self._places = Places(self._engine)
        return tail.position

    def messages(self, after: int, limit: int) -> list[Message]:
        """What follows a position, at most so many; without a gap.

        Raises:
            Astray: a position is missing in the log.
        """
        _, rows = self._engine.store.feed(after, after + limit, limit)
        found = []
        for expected, (position, log, _, leaf) in enumerate(rows, after + 1):
            if position != expected:
                raise Astray("gap", position=expected)
            event = self._envelopes.envelope(position, leaf)
            home = self._places.home(position, log, event)
            found.append(Message(position, event.id, subject(home, kind_of(event)[0]), _encode(event)))
        return found

    def _event(self, position: int) -> str | None:
        leaf = leaf_at(self._engine, position)
        return leaf.id if leaf else None


def leaf_at(engine: Engine, position: int) -> _Leaf | None:
    """The event at a position; None: there is none."""
    _, rows = engine.store.feed(position - 1, position, 1)
    return _leaf(rows[0][3]) if rows else None


def lag(engine: Engine, position: int, now: datetime | None = None) -> Lag:
    """How far a stream that ends at a position is behind."""
    head, first = engine.store.head().position, leaf_at(engine, position + 1)
    age = (now or datetime.now(UTC)) - first.recorded_at if first else timedelta()
    return Lag(position, head, max(0, head - position), max(0.0, age.total_seconds()))
