"""Whether each event follows from those before it: asked where a log fits together and yet cannot be read.

Who rewrites an event with its hash before it is sealed leaves a log in which every row holds. What the
event says may still be about a need or an action that there never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from cycle.aggregates.base import Event, Recorded, StreamId
from cycle.aggregates.corrections import FactCorrected
from cycle.codec import Leaves, UnknownEvent
from cycle.commands import AGGREGATES
from cycle.history import believed
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import Poisoned
from cycle.projections.rebuilding import SPAN
from cycle.projections.source import Source
from cycle.projections.tables import Kept
from cycle.proofs.audit import Broken
from cycle.store import LogRecorder, StoredLeaf

BY_NAME = {aggregate.name: aggregate for aggregate in AGGREGATES}


class Unfit(Broken):
    """An event that this release cannot take up behind those before it: rewritten, of a newer release, or our fault."""

    code = "unreadable"


class Odd(NamedTuple):
    """The first fact of a stream that does not follow, and why."""

    version: int
    cause: str


def first_unfit(store: LogRecorder, leaves: Leaves[Recorded[Event]]) -> Unfit | None:
    """The first event of a log that fits together that does not follow; None: all of them do."""
    head = store.head().position
    with closing(store.stored(0, head)) as rows:
        streams = dict.fromkeys(row.stream for row in rows)
    odd = {stream: odd for stream in streams if (odd := _odd(stream, store.read_stream(StreamId(stream)), leaves))}
    with closing(store.stored(0, head)) as rows:
        for row in rows:
            if row.stream in odd and row.version == odd[row.stream].version:
                return Unfit(odd[row.stream].cause, row.log, row.log_index, row.position)
    return _not_shown(store, leaves)


def _not_shown(store: LogRecorder, leaves: Leaves[Recorded[Event]]) -> Unfit | None:
    """The first event that the views cannot take up, though its own stream can."""
    head, source = store.head().position, Source(store, leaves)
    views = [Kept(each, each.name, store, whole=True) for each in PROJECTIONS.values()]
    try:
        for begin in range(0, head, SPAN):
            source.advance(views, begin, min(begin + SPAN, head))
            for each in views:
                each.changed.clear()
    except Poisoned as poisoned:
        with closing(store.stored(poisoned.position - 1, poisoned.position)) as rows:
            (row,) = rows
        return Unfit("unfit", row.log, row.log_index, row.position)
    return None


def _odd(stream: str, stored: Sequence[StoredLeaf], leaves: Leaves[Recorded[Event]]) -> Odd | None:
    facts: list[Recorded[Event]] = []
    for leaf in stored:
        try:
            facts.append(leaves[leaf.topic, leaf.schema](leaf.state))
            _correct(facts)
        except UnknownEvent:
            return Odd(leaf.originator_version, "unknown")
        except Exception:
            return Odd(leaf.originator_version, "unfit")
    return _not_folded(stream, believed(facts))


def _correct(facts: list[Recorded[Event]]) -> None:
    """Apply what the last fact corrects, so that one that cannot be applied is found where it stands."""
    last = facts[-1]
    if isinstance(last.data, FactCorrected):
        if not 0 < last.data.fact_version < last.version:
            raise LookupError(last.data.fact_version)
        believed(facts)


def _not_folded(stream: str, facts: Iterable[Recorded[Event]]) -> Odd | None:
    aggregate = BY_NAME.get(stream.partition("-")[0])
    if aggregate is None:
        return None
    state = aggregate.initial
    for fact in facts:
        try:
            state = aggregate.fold(state, [fact])
        except Exception:
            return Odd(fact.version, "unfit")
    return None
