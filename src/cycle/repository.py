"""The states of aggregates: folded from the log, and kept in memory between commands."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from eventsourcing.application import AggregateNotFoundError, Repository
from eventsourcing.persistence import EventStore

from cycle.aggregates.base import Aggregate, Event, Recorded, StreamId
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.known import Known
from cycle.drafting import Decision
from cycle.history import Corrected, believed
from cycle.lookup import State
from cycle.store import LogRecorder


class States:
    """What aggregates are at now.

    Args:
        repository: folds streams, and keeps what it has folded.
        events, store: the log.
    """

    def __init__(self, repository: Repository[str], events: EventStore[str], store: LogRecorder) -> None:
        self._repository, self._events, self._store = repository, events, store

    def load(self, aggregate: Aggregate[Any, Known], stream: StreamId, *, fresh: bool = False) -> Any:
        """The state of an aggregate; its empty state when nothing is recorded."""
        if fresh:
            self.evict(stream)

        def fold(initial: State | None, history: Iterable[Any]) -> State | None:
            try:
                state = aggregate.fold(aggregate.initial, history)
            except Corrected:
                state = aggregate.fold(aggregate.initial, self.history(stream))
            return state if state.version else None

        try:
            return self._repository.get(stream, projector_func=cast("Any", fold))
        except AggregateNotFoundError:
            return aggregate.initial

    def evict(self, stream: StreamId) -> None:
        states = self._repository.cache
        if states is not None:
            with suppress(KeyError):
                states.get(stream, evict=True)

    def grown(self, stream: StreamId, state: State) -> bool:
        return bool(self._store.read_stream(stream, after_version=state.version))

    def remember(self, decision: Decision) -> None:
        states = self._repository.cache
        if states is None:
            return
        if any(isinstance(event.data, FactCorrected) for event in decision.events):
            self.load(decision.aggregate, decision.stream, fresh=True)
        else:
            states.put(decision.stream, decision.aggregate.fold(decision.state, decision.events))

    def history(self, stream: StreamId) -> list[Recorded[Event]]:
        """A stream from its beginning, corrections applied."""
        recorded = cast("Iterable[Recorded[Event]]", self._events.get(stream))
        return list(believed(list(recorded)))
