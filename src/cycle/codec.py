"""Facts as bytes and back: canonical leaves, stable type names, older schemas upcast when read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import EventStore, JSONTranscoder, Mapper, StoredEvent
from msgspec.structs import replace

from cycle.aggregates.base import EVENTS, Event, Happened, Recorded, StreamId, Unread
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.personal import personal_fields, personal_values
from cycle.history import Corrected
from cycle.leaf import LeafError, canonical, check_size, check_texts
from cycle.shapes import decoder, understood
from cycle.store import NOT_YET, RECORDED_AT_HOLE, LogRecorder, NewLeaf, StoredLeaf

_KEY = b'"recorded_at":"'
_HOLE = _KEY + RECORDED_AT_HOLE.encode()

H = TypeVar("H", bound=Happened[Event])


class UnknownEvent(ValueError):  # noqa: N818
    """A type or schema of a newer release, or not of ours."""


def new_leaf(event: Recorded[Event]) -> NewLeaf:
    """The leaf of a fact that is not stored yet; its ``recorded_at`` is left for the store.

    Raises:
        LeafError: a text that no leaf may hold, too long a leaf, or a personal value that was not taken out.
    """
    _refuse_personal(event.data)
    leaf = canonical(event if event.recorded_at is NOT_YET else replace(event, recorded_at=NOT_YET))
    check_size(leaf)
    check_texts(leaf)
    # Behind the envelope's own key stand texts and no other key, and a text escapes its quotation marks.
    hole = leaf.rindex(_HOLE) + len(_KEY)
    return NewLeaf(event.stream, event.version, event.type, leaf, event.id, event.log, event.schema, hole)


def _refuse_personal(fact: Event) -> None:
    """Raises:
    LeafError: a personal value stands in a fact, and would stand in a leaf for ever.
    """
    if personal_fields(type(fact)) and (held := personal_values(fact)):
        raise LeafError("personal", fields=", ".join(held))


class Leaves(dict[tuple[str, int], Callable[[bytes], H]]):
    """Decoders by type and schema, each made when it is first met: ``leaves[type, schema](leaf)``.

    ``envelope`` is how much of a leaf is decoded: ``Recorded`` all of it, ``Happened`` what a state
    needs. ``events`` maps stable names to classes (default: all of ours). A class with ``schema`` n
    has ``upcasts`` from every older schema: plain functions on the ``data`` mapping.

    Raises:
        UnknownEvent: the type is not known, or its schema is newer than ours.
        LeafError (by a decoder): a personal value stands in it.
    """

    def __init__(self, envelope: type[H], events: Mapping[str, type[Event]] = EVENTS) -> None:
        super().__init__()
        self._envelope = cast("Any", envelope)
        self._events = events

    def __missing__(self, key: tuple[str, int]) -> Callable[[bytes], H]:
        # All of them at once would cost every start a third of a second.
        decode = self[key] = self._decoder(*key)
        return decode

    def _decoder(self, topic: str, schema: int) -> Callable[[bytes], H]:
        event = self._events.get(topic)
        if event is None:
            raise UnknownEvent(f"events of type {topic!r} are not known to this release: update cycle")
        if schema > event.schema:
            raise UnknownEvent(f"{topic} has schema {schema}, this release knows {event.schema}: update cycle")
        if schema < event.schema:
            return partial(self._upcast, event, schema)
        decode: Callable[[bytes], H] = decoder(self._envelope[event]).decode
        return partial(self._sealed, decode) if personal_fields(event) else decode

    def _sealed(self, decode: Callable[[bytes], H], leaf: bytes) -> H:
        """A fact with personal fields, which no leaf of ours holds: one from elsewhere is not taken in."""
        found = decode(leaf)
        _refuse_personal(found.data)
        return found

    def _upcast(self, event: type[Event], schema: int, leaf: bytes) -> H:
        envelope = msgspec.json.decode(leaf, type=dict[str, object])
        envelope["data"] = upcast(event, schema, cast("dict[str, object]", envelope["data"]))
        envelope["schema"] = event.schema
        return cast("H", msgspec.convert(envelope, understood(self._envelope[event])))


def upcast(event: type[Event], schema: int, data: dict[str, object]) -> dict[str, object]:
    """Data of an older schema as this release knows them."""
    for older in range(schema, event.schema):
        data = event.upcasts[older](data)
    return data


class Replayed(Leaves[Happened[Event]]):
    """Decoders for a replay that folds leaves as they arrive; data of ``unread`` types are left alone.

    Raises:
        Corrected (by the decoder of a correction): the history must be whole before it is folded.
    """

    def __init__(self, unread: Collection[str]) -> None:
        super().__init__(Happened)
        self._unread = unread

    def _decoder(self, topic: str, schema: int) -> Callable[[bytes], Happened[Event]]:
        if topic == FactCorrected.type:
            return _stop
        if topic in self._unread:
            bare: Any = Happened
            decode: Callable[[bytes], Happened[Event]] = decoder(bare[Unread]).decode
            return decode
        return super()._decoder(topic, schema)


def _stop(leaf: bytes) -> Happened[Event]:
    raise Corrected


class LeafMapper(Mapper[str]):
    """The library's mapper over leaves: stored bytes are never touched, decoding is typed."""

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self.leaves = Leaves(Recorded)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        return cast("StoredEvent", new_leaf(cast("Recorded[Event]", domain_event)))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        stored = cast("StoredLeaf", stored_event)
        return cast("DomainEventProtocol[str]", self.leaves[stored.topic, stored.schema](stored.state))


class LeafStore(EventStore[str]):
    """The library's event store over leaves: decodes what the database hands it, and no more of it than asked."""

    recorder: LogRecorder

    def __init__(self, mapper: Mapper[str], recorder: LogRecorder, leaves: Leaves[Any]) -> None:
        super().__init__(mapper, recorder)
        self._leaves = leaves

    def get(
        self,
        originator_id: str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Iterator[DomainEventProtocol[str]]:
        stored = self.recorder.leaves(StreamId(originator_id), gt=gt, lte=lte, desc=desc, limit=limit)
        leaves = self._leaves
        return (leaves[topic, schema](leaf) for topic, schema, leaf in stored)
