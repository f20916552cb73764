"""What the register holds of a commune's decisions, to compare a file with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID, uuid5

from msgspec import Struct

from cycle.aggregates.base import Event, LogName, Recorded, StreamId
from cycle.aggregates.deliberation import (
    Deliberation,
    DeliberationRecorded,
    DeliberationSentToAuthority,
    DeliberationStage,
    EnterDeliberation,
    deliberation,
)
from cycle.aggregates.terms import CommuneCode, DeliberationId, Outcome
from cycle.engine import Engine
from cycle.history import believed

NAMESPACE = UUID("6f1f6f0e-5a7c-5d39-9a43-6f1a3c0d7a11")
NUMBERS = ("in_office", "present", "proxies", "in_favour", "against", "abstaining")
Cell = date | int | Outcome | str | None


class Key(Struct, frozen=True):
    """What makes two rows the same decision: councils use one number for several, and correct the rest."""

    number: str
    decided_on: date
    subject: str

    @classmethod
    def of(cls, record: EnterDeliberation | DeliberationRecorded | Deliberation) -> Key:
        # Exports of one register break lines and use capitals as they like.
        number, subject = (" ".join(words.casefold().split()) for words in (record.number, record.subject))
        return cls(number, record.decided_on, subject)

    def identity(self, commune: CommuneCode) -> DeliberationId:
        """The id of an imported decision: the same in every file that holds it."""
        return DeliberationId(str(uuid5(NAMESPACE, f"{commune}\n{self.number}\n{self.decided_on}\n{self.subject}")))


class Difference(Struct, frozen=True):
    """One field of a decision that is held otherwise than it is given."""

    field: str
    held: Cell
    given: Cell


def cells(
    record: EnterDeliberation | DeliberationRecorded, transmitted_on: date | None, authority: str | None
) -> dict[str, Cell]:
    """All of a decision that may change without making it another one."""
    votes: dict[str, Cell] = {name: getattr(record.votes, name, None) for name in NUMBERS}
    more: dict[str, Cell] = {"outcome": record.outcome, "matter": record.matter, "document": record.document}
    return {**votes, **more, "transmitted_on": transmitted_on, "authority": authority}


def differences(held: dict[str, Cell], given: dict[str, Cell], fields: Iterable[str]) -> tuple[Difference, ...]:
    return tuple(
        Difference(name, held[name], given[name]) for name in given if name in fields and held[name] != given[name]
    )


class Held(Struct, frozen=True):
    """One decision in the register, as it is believed now."""

    state: Deliberation
    cells: dict[str, Cell]

    @property
    def awaits_transmission(self) -> bool:
        return self.state.stage is DeliberationStage.RECORDED

    @property
    def identity(self) -> DeliberationId:
        return self.state.id


class Register:
    """The decisions of one commune, by id, by key and by number."""

    def __init__(self, engine: Engine, commune: CommuneCode) -> None:
        self._by_id: dict[DeliberationId, Held] = {}
        self._by_key: dict[Key, Held] = {}
        self._by_number: dict[str, Held] = {}
        for facts in _streams(engine, commune):
            held = _held(facts)
            self._by_id[held.identity] = held
            self._by_key.setdefault(Key.of(held.state), held)
            self._by_number.setdefault(held.state.number, held)

    def each(self) -> list[Held]:
        """All of them, by day and number."""
        return sorted(self._by_id.values(), key=lambda held: (held.state.decided_on, held.state.number, held.identity))

    def find(self, identity: DeliberationId, key: Key) -> Held | None:
        """By its id (its words may have been corrected), else by its words (another door entered it)."""
        return self._by_id.get(identity) or self._by_key.get(key)

    def numbered(self, number: str) -> Held | None:
        """The first decision that has this number."""
        return self._by_number.get(number)


def _streams(engine: Engine, commune: CommuneCode) -> Iterable[list[Recorded[Event]]]:
    """The history of each decision, corrections applied."""
    types = tuple(event.type for event in deliberation.events)
    found = engine.store.read(0, log=LogName(commune), types=types)
    streams: dict[StreamId, list[Recorded[Event]]] = {}
    for fact in believed([engine.leaves[topic, schema](leaf) for _, topic, schema, leaf in found]):
        if fact.stream.startswith(f"{deliberation.name}-"):
            streams.setdefault(fact.stream, []).append(fact)
    return streams.values()


def _held(facts: Iterable[Recorded[Event]]) -> Held:
    state, authority, entered = Deliberation(), None, None
    for fact in facts:
        match fact.data:
            case DeliberationRecorded():
                entered = fact.data
            case DeliberationSentToAuthority():
                authority = fact.data.authority
        state = deliberation.evolve(state, fact)
    assert entered is not None, "a deliberation begins with its record"
    return Held(state, cells(entered, state.transmitted_on, authority))
