"""What was recorded, in sentences: by one command, and by others since somebody looked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from cycle.aggregates.base import Recorded
from cycle.aggregates.framework.root import framework
from cycle.aggregates.terms import FrameworkId
from cycle.commands import BY_COMMAND, Said
from cycle.engine import stream_of
from cycle.naming import Names
from cycle.store import Receipt
from cycle.telling import sentence
from cycle_adapters.http.pages_desk import Desk


class Meanwhile(Struct, frozen=True):
    """One fact that was recorded since somebody looked. ``by`` is the account that said it."""

    version: int
    sentence: str
    by: str


def sentences(desk: Desk, identity: FrameworkId, commune: str, receipt: Receipt) -> list[str]:
    """What a command has recorded about what it was about."""
    versions = {line.version for line in receipt.events if line.stream == receipt.stream}
    facts = (fact.recorded for fact in desk.reader.facts(commune))
    return _told(desk, identity, (each for each in facts if each.stream == receipt.stream and each.version in versions))


def since(desk: Desk, identity: FrameworkId, commune: str, said: Said) -> tuple[Meanwhile, ...]:
    """What was recorded after the version that the sender of a command looked at, but for what he has said himself."""
    seen, aggregate = said.version or 0, BY_COMMAND[said.command.type]
    if aggregate is framework:
        facts: Iterable[Recorded[Any]] = desk.reader.history(identity)
    else:
        stream = stream_of(aggregate, said.target or "")
        facts = (each.recorded for each in desk.reader.facts(commune) if each.recorded.stream == stream)
    new = [fact for fact in facts if fact.version > seen and not said.follows(fact)]
    told = _told(desk, identity, new)
    return tuple(Meanwhile(fact.version, words, fact.by.actor) for fact, words in zip(new, told, strict=True))


def _told(desk: Desk, identity: FrameworkId, facts: Iterable[Recorded[Any]]) -> list[str]:
    """Facts in sentences, with the names that the framework has given to numbers."""
    names = Names(desk.language)
    for fact in desk.reader.history(identity):
        names.learn(fact)
    return [names.beside(fact, sentence(fact, desk.language)) for fact in facts]
