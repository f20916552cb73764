"""What was recorded, in sentences: by one command, and by others since somebody looked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from msgspec import Struct

from cycle.aggregates.base import Recorded, StreamId
from cycle.aggregates.terms import FrameworkId
from cycle.commands import BY_COMMAND, Said
from cycle.engine import stream_of
from cycle.history import Fact
from cycle.naming import Names
from cycle.store import Receipt
from cycle.telling import sentence
from cycle_adapters.http.pages_desk import Desk


class Meanwhile(Struct, frozen=True):
    """One fact that was recorded since somebody looked. ``by`` is the account that said it."""

    version: int
    sentence: str
    by: str


def recorded(desk: Desk, receipt: Receipt) -> list[Fact]:
    """What a command has recorded about what it was about, where it stands."""
    positions = {line.version: line.position for line in receipt.events if line.stream == receipt.stream}
    facts = _of(desk, receipt.stream, min(positions) - 1, max(positions))
    return [Fact(positions[fact.version], fact) for fact in facts]


def sentences(desk: Desk, identity: FrameworkId, receipt: Receipt) -> list[str]:
    """The same in sentences."""
    return _told(desk, identity, (fact.recorded for fact in recorded(desk, receipt)))


def since(desk: Desk, identity: FrameworkId, said: Said) -> tuple[Meanwhile, ...]:
    """What was recorded after the version that the sender of a command looked at, but for what he has said himself."""
    stream = stream_of(BY_COMMAND[said.command.type], said.target or "")
    new = [fact for fact in _of(desk, stream, said.version or 0) if not said.follows(fact)]
    told = _told(desk, identity, new)
    return tuple(Meanwhile(fact.version, words, fact.by.actor) for fact, words in zip(new, told, strict=True))


def _of(desk: Desk, stream: StreamId, after: int, up_to: int | None = None) -> list[Recorded[Any]]:
    """The facts of a stream behind a version."""
    return cast("list[Recorded[Any]]", list(desk.engine.events.get(stream, gt=after, lte=up_to)))


def _told(desk: Desk, identity: FrameworkId, facts: Iterable[Recorded[Any]]) -> list[str]:
    """Facts in sentences, with the names that the framework has given to numbers.

    Raises:
        PlaceUnknown: there is no such framework for the account that asks.
    """
    names = Names(desk.language)
    for fact in desk.reader.history(identity):
        names.learn(fact)
    return [names.beside(fact, sentence(fact, desk.language)) for fact in facts]
