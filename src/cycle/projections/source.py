"""Where the facts come from that projections fold: batch by batch from the log, decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cycle.aggregates.base import EVENTS, Event, Recorded
from cycle.aggregates.framework.anytime import FactCorrected
from cycle.history import Fact
from cycle.projections.folding import fold
from cycle.projections.tables import Kept
from cycle.store import LogRecorder

Leaves = Mapping[tuple[str, int], Callable[[bytes], Recorded[Event]]]
"""Decoders by type and schema."""


class Source:
    """Reads the facts that a group of projections cares about, and folds them into its rows."""

    def __init__(self, log: LogRecorder, leaves: Leaves) -> None:
        self.log = log
        self._leaves = leaves

    def advance(self, group: Sequence[Kept], after: int, up_to: int, limit: int) -> int:
        """Read and fold the next facts.

        Returns:
            The position up to which all facts are folded: ``up_to`` when fewer than ``limit`` were left.

        Raises:
            Poisoned: a fold failed.
        """
        rows = self.log.read(after, limit, up_to=up_to, types=_types(group))
        leaves = self._leaves
        facts = [Fact(position, leaves[topic, schema](leaf)) for position, topic, schema, leaf in rows]
        for each in group:
            if missing := each.missing(facts):
                with self.log.database.connect() as connection:
                    each.load(connection, missing)
        fold(group, facts, self._history)
        return facts[-1].position if len(facts) == limit else up_to

    def _history(self, fact: Fact) -> list[Recorded[Event]]:
        stored = self.log.read_stream(fact.recorded.stream, up_to_position=fact.position)
        return [self._leaves[s.topic, s.schema](s.state) for s in stored]


def _types(group: Sequence[Kept]) -> tuple[str, ...]:
    """The types of events that a group cares about; none named: all."""
    types = {event.type for each in group for event in each.projection.steps}
    return () if len(types) >= len(EVENTS) else tuple(sorted(types | {FactCorrected.type}))
