"""The states of aggregates: folded from the log, and kept in memory between commands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Any, cast

from eventsourcing.application import AggregateNotFoundError, Repository
from eventsourcing.persistence import EventStore

from cycle.aggregates.base import Aggregate, Event, Recorded, StreamId
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.known import Known
from cycle.commands import Said
from cycle.drafting import Decision
from cycle.history import Corrected, believed
from cycle.lookup import State
from cycle.store import LogRecorder

KEPT = 1_000
"""How many states stay in memory; those go first that nobody has asked for the longest."""


class States:
    """What aggregates are at now.

    A state that is kept is decided on as it is: the store's version check finds what is stale, and
    saves every other command a read.

    Args:
        repository: folds streams.
        events, store: the log.
    """

    def __init__(self, repository: Repository[str], events: EventStore[str], store: LogRecorder) -> None:
        self._repository, self._events, self._store = repository, events, store
        self._kept: OrderedDict[StreamId, State] = OrderedDict()
        self._elsewhere = set[StreamId]()
        """Streams that grew between two fresh looks, and not by us."""
        self._lock = Lock()

    def load(self, aggregate: Aggregate[Any, Known], stream: StreamId, *, fresh: bool = False) -> Any:
        """The state of an aggregate; its empty state when nothing is recorded."""
        with self._lock:
            kept = self._kept.get(stream)
            if kept is not None:
                self._kept.move_to_end(stream)
        if kept is None:
            return self._folded(aggregate, stream)
        return self._read_on(aggregate, stream, kept) if fresh else kept

    def is_shared(self, stream: StreamId) -> bool:
        """Whether another process writes to it too, as far as the last fresh look tells.

        Then it is cheaper to read on before a decision than to be found stale by the save.
        """
        return stream in self._elsewhere

    def _read_on(self, aggregate: Aggregate[Any, Known], stream: StreamId, kept: State) -> Any:
        new = self._repository.event_store.get(stream, gt=kept.version)
        try:
            state = aggregate.fold(kept, cast("Any", new))
        except Corrected:
            return self._folded(aggregate, stream)
        with self._lock:
            (self._elsewhere.discard if state is kept else self._elsewhere.add)(stream)
        self._keep(stream, state)
        return state

    def _folded(self, aggregate: Aggregate[Any, Known], stream: StreamId) -> Any:
        def fold(initial: State | None, history: Iterable[Any]) -> State | None:
            try:
                state = aggregate.fold(aggregate.initial, history)
            except Corrected:
                state = aggregate.fold(aggregate.initial, self.history(stream))
            return state if state.version else None

        try:
            state = self._repository.get(stream, projector_func=cast("Any", fold))
        except AggregateNotFoundError:
            return aggregate.initial
        self._keep(stream, cast("State", state))
        return state

    def _keep(self, stream: StreamId, state: State) -> None:
        with self._lock:
            self._kept[stream] = state
            self._kept.move_to_end(stream)
            if len(self._kept) > KEPT:
                gone, _ = self._kept.popitem(last=False)
                self._elsewhere.discard(gone)

    def evict(self, stream: StreamId) -> None:
        with self._lock:
            self._kept.pop(stream, None)
            self._elsewhere.discard(stream)

    def grown(self, stream: StreamId, state: State) -> bool:
        return bool(self._store.read_stream(stream, after_version=state.version))

    def as_seen(self, said: Said, stream: StreamId, state: State) -> bool:
        """Whether the state is the one that the sender of a command looked at, but for what he has said since."""
        if said.version in (None, state.version):
            return True
        if not said.after or said.version > state.version:
            return False
        new = cast("Iterable[Recorded[Event]]", self._events.get(stream, gt=said.version, lte=state.version))
        return all(map(said.follows, new))

    def remember(self, decision: Decision) -> None:
        """Keep the state that a decision has led to."""
        for event in decision.events:
            if type(event.data) is FactCorrected:
                self.load(decision.aggregate, decision.stream, fresh=True)
                return
        self._keep(decision.stream, decision.aggregate.fold(decision.state, decision.events))

    def history(self, stream: StreamId) -> list[Recorded[Event]]:
        """A stream from its beginning, corrections applied."""
        recorded = cast("Iterable[Recorded[Event]]", self._events.get(stream))
        return list(believed(list(recorded)))
