"""The application service: one command in, one receipt out; and what may happen next.

A decision reads its own aggregate and what it looks up in others, never a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, cast

from eventsourcing.application import AggregateNotFoundError, Application, Repository
from eventsourcing.persistence import EventStore, Mapper
from uuid_utils import uuid7

from cycle.aggregates.base import Aggregate, Event, LogName, Recorded, Refused, StreamId, refusal
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.framework import decision
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.person import RecordPerson, concerns_vault
from cycle.aggregates.personal import personal_values
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import FrameworkId, PolicyId
from cycle.codec import LeafMapper, LeafStore, Leaves, Replayed
from cycle.commands import AGGREGATES, BY_COMMAND, COMMANDS, FOUNDING, BadInput, Said, UnknownCommand, read_command
from cycle.history import Corrected, believed
from cycle.lookup import BAMAKO, Lookup, State, log_of, stream_of
from cycle.policy import Policy
from cycle.store import Append, Conflict, LogRecorder, NewLeaf, Receipt, answer_again, key_reused
from cycle.vault.shapes import VaultChange

if TYPE_CHECKING:
    from cycle.vault.sealing import Vault

__all__ = [
    "AGGREGATES",
    "BAMAKO",
    "BY_COMMAND",
    "COMMANDS",
    "FOUNDING",
    "BadInput",
    "Busy",
    "Clock",
    "Engine",
    "Ids",
    "Said",
    "UnknownCommand",
    "new_id",
    "read_command",
    "stream_of",
    "utc_now",
]

Clock = Callable[[], datetime]
Ids = Callable[[], str]

ATTEMPTS = 20
"""How often a decision is taken again when somebody else wrote in between."""


class Busy(Exception):  # noqa: N818
    """Others kept writing to the same stream: nothing was written; try again."""


def new_id() -> str:
    """A UUIDv7: sorts by time, says nothing else."""
    return str(uuid7())


def utc_now() -> datetime:
    return datetime.now(UTC)


class Engine(Application[str]):
    """All aggregates over one log.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://…``.
        clock: says today's date for rules, and when given also the time of record; without it
            the store writes its own commit time.
        ids: makes ids of events and of new aggregates.
        random_bytes: makes salts and keys for what is personal.
        vault_key: the file of the vault's key (default: ``CYCLE_VAULT_KEY``); read when it is needed.

    Raises:
        Unavailable: the database cannot be opened; the message says what to do.
    """

    name = "cycle"

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        ids: Ids = new_id,
        random_bytes: Callable[[int], bytes] = token_bytes,
        vault_key: Path | None = None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._random_bytes = random_bytes
        self._vault_key = vault_key
        super().__init__(
            {
                "PERSISTENCE_MODULE": "cycle_adapters.sql",
                "CYCLE_DATABASE": url,
                "AGGREGATE_CACHE_MAXSIZE": "1000",
                # A cached state is decided on as it is: the store's version check finds what is
                # stale, and saves every other command a read.
                "AGGREGATE_CACHE_FASTFORWARD": "n",
                "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
            }
        )
        self._lookup = Lookup(self._load, self.history, self.store, self.leaves, clock or utc_now)

    def construct_mapper(self) -> Mapper[str]:
        return LeafMapper()

    def construct_event_store(self) -> EventStore[str]:
        return LeafStore(self.mapper, self.store, self.leaves)

    def construct_repository(self) -> Repository[str]:
        repository = super().construct_repository()
        unread = {kind for aggregate in AGGREGATES for kind in aggregate.unread}
        repository.event_store = LeafStore(self.mapper, self.store, Replayed(unread))
        return repository

    @property
    def store(self) -> LogRecorder:
        """The recorder, with what an append-only log has beside the library's."""
        return cast("LogRecorder", self.recorder)

    @property
    def leaves(self) -> Leaves[Recorded[Event]]:
        """Decoders of what the store hands back."""
        return cast("LeafMapper", self.mapper).leaves

    @cached_property
    def vault(self) -> Vault:
        """What is sealed, and how it is opened."""
        # Imported here: most commands have nothing personal.
        from cycle.vault.keys import key_of
        from cycle.vault.sealing import Vault

        path = str(self._vault_key) if self._vault_key else self.env.get("CYCLE_VAULT_KEY")
        return Vault(partial(key_of, path), self.store.vault, self._random_bytes)

    def execute(self, said: Said) -> Receipt:
        """Decide a command and store what it leads to, durably, all or nothing.

        The same key with the same content returns the first receipt, whatever has happened since.

        Raises:
            Refused: a rule does not allow it.
            KeyReused: the key was used for something else.
            Busy: others kept writing in between.
            LeafError: a text that the log cannot hold.
            VaultError: something personal, and no vault to keep it in; nothing was written.
            Unavailable: the store; nothing was written.
        """
        key = said.key or self._ids()
        try:
            return self._execute(said, key)
        except Refused:
            # A phone that sends again must hear of its success, not that the stage has moved on.
            if said.key is not None:
                before = self.store.receipt(key)
                if before is not None:
                    values = personal_values(said.command)
                    return self._as_before(answer_again(key, said.digest, before), [values] * len(before[1].events))
            raise

    def _execute(self, said: Said, key: str) -> Receipt:
        aggregate = BY_COMMAND[said.command.type]
        founding = type(said.command) in FOUNDING
        target = (said.target or self._ids()) if founding else self._target(said)
        stream = stream_of(aggregate, target)
        fresh = False
        for _ in range(ATTEMPTS):
            state = aggregate.initial if founding else self._load(aggregate, stream, fresh=fresh)
            known, sizes = self._lookup.known(aggregate, state, said, target)
            try:
                facts = aggregate.decide(state, said.command, known)
            except Refused:
                # What was cached may be old: nobody is refused for what no longer holds.
                if fresh or not self._grown(stream, state):
                    raise
                fresh = True
                continue
            if not facts:
                return self._last(stream)
            drafted = self._drafted(state, facts, said, stream, log_of(state, said), key)
            events, change = self._sealed(drafted)
            try:
                receipt = self._append(events, key, said.digest, sizes, change)
            except Conflict:
                fresh = True
                continue
            if receipt.events[0].id != events[0].id:
                return self._as_before(receipt, [personal_values(event.data) for event in drafted])
            self._remember(aggregate, stream, state, events)
            return receipt
        raise Busy(f"{stream}: others kept writing at the same time; nothing was written, send it again")

    def execute_all(self, saids: Sequence[Said], key: str) -> Receipt:
        """Decide several commands one after the other and store what they lead to in one save.

        All or nothing, under one key; a command that founds an aggregate names its ``target``.

        Raises:
            Refused, KeyReused, Conflict, LeafError, Unavailable: nothing was written.
        """
        digest = sha256(b"".join(said.digest for said in saids)).digest()
        states: dict[StreamId, State] = {}
        events: list[Recorded[Event]] = []
        for said in saids:
            aggregate = BY_COMMAND[said.command.type]
            target = self._target(said) if said.target is None else said.target
            stream = stream_of(aggregate, target)
            state = states.get(stream) or self._load(aggregate, stream, fresh=True)
            known, _ = self._lookup.known(aggregate, state, said, target)
            facts = aggregate.decide(state, said.command, known)
            drafted = self._drafted(state, facts, said, stream, log_of(state, said), key)
            states[stream] = aggregate.fold(state, drafted)
            events += drafted
        sealed, change = self._sealed(tuple(events))
        receipt = self._append(sealed, key, digest, (), change)
        return self._as_before(receipt, [personal_values(event.data) for event in events] if change else ())

    def _sealed(self, events: tuple[Recorded[Event], ...]) -> tuple[tuple[Recorded[Event], ...], VaultChange | None]:
        """Facts without what is personal in them, and what that does to the vault."""
        if not any(concerns_vault(type(event.data)) for event in events):
            return events, None
        return self.vault.sealed(events)

    def _as_before(self, receipt: Receipt, said: Sequence[Mapping[str, str]]) -> Receipt:
        """The first receipt of a key; ``said`` are the personal values for each of its facts.

        Raises:
            KeyReused: it was used for other values, which no digest tells.
        """
        for line, values in zip(receipt.events, said, strict=False):
            if values and self.vault.holds_others(line.stream, line.version, values):
                raise key_reused(receipt.key)
        return receipt

    def _last(self, stream: StreamId) -> Receipt:
        """The receipt of the last fact, for a command that asks for what holds already."""
        last = cast("Recorded[Event]", next(self.events.get(stream, desc=True, limit=1)))
        found = self.store.receipt(last.causation)
        assert found is not None
        return found[1]

    def _append(
        self,
        events: tuple[Recorded[Event], ...],
        key: str,
        digest: bytes,
        sizes: tuple[tuple[LogName, int], ...],
        change: VaultChange | None,
    ) -> Receipt:
        to_leaf = self.mapper.to_stored_event
        leaves = tuple(cast("NewLeaf", to_leaf(cast("Any", event))) for event in events)
        recorded_at = self._clock() if self._clock else None
        return self.store.append(Append(leaves, key, digest, sizes, recorded_at, change))

    def _target(self, said: Said) -> str:
        match said.command:
            case RegisterCommune(commune=code):
                return code
            case PublishPolicy(document=document):
                return document.id
            case RecordPerson(person=reference):
                return reference or self._ids()
            case _ if said.target:
                return said.target
            case _:
                raise BadInput(f"{said.command.type}: say which one it is about")

    def _drafted(
        self,
        state: State,
        facts: tuple[Event, ...],
        said: Said,
        stream: StreamId,
        log: LogName,
        key: str,
    ) -> tuple[Recorded[Event], ...]:
        first = state.version + 1
        name, correlation = said.command.type, said.correlation or key
        return tuple(
            Recorded(
                by=said.by,
                causation=key,
                command=name,
                correlation=correlation,
                data=data,
                id=self._ids(),
                log=log,
                occurred_on=said.on,
                recorded_at=_NOT_YET,
                schema=data.schema,
                stream=stream,
                type=data.type,
                version=version,
            )
            for version, data in enumerate(facts, first)
        )

    def _load(self, aggregate: Aggregate[Any, Known], stream: StreamId, *, fresh: bool = False) -> Any:
        """The state of an aggregate; its empty state when nothing is recorded."""
        states = self.repository.cache
        if fresh and states is not None:
            with suppress(KeyError):
                states.get(stream, evict=True)

        def fold(initial: State | None, history: Iterable[Any]) -> State | None:
            try:
                state = aggregate.fold(aggregate.initial, history)
            except Corrected:
                state = aggregate.fold(aggregate.initial, self.history(stream))
            return state if state.version else None

        try:
            return self.repository.get(stream, projector_func=cast("Any", fold))
        except AggregateNotFoundError:
            return aggregate.initial

    def _grown(self, stream: StreamId, state: State) -> bool:
        return bool(self.store.read_stream(stream, after_version=state.version))

    def _remember(
        self,
        aggregate: Aggregate[Any, Known],
        stream: StreamId,
        state: State,
        events: tuple[Recorded[Event], ...],
    ) -> None:
        states = self.repository.cache
        if states is None:
            return
        if any(isinstance(event.data, FactCorrected) for event in events):
            self._load(aggregate, stream, fresh=True)
        else:
            states.put(stream, aggregate.fold(state, events))

    def today(self, zone: str = BAMAKO) -> date:
        """Today's date in a zone, by the engine's clock."""
        return self._lookup.today(zone)

    def policy(self, policy: PolicyId, version: int | None = None) -> Policy | None:
        """A published policy: this version, or the newest; None when there is none."""
        return self._lookup.policy(policy, version)

    def framework(self, identity: FrameworkId, *, fresh: bool = True) -> Framework:
        """The state of a framework now, or (not fresh) as this process last knew it.

        Raises:
            Refused: ``framework-unknown``.
        """
        state = self._load(framework, stream_of(framework, identity), fresh=fresh)
        if not state.version:
            raise refusal("framework-unknown", framework=identity)
        return cast("Framework", state)

    def history(self, stream: StreamId) -> list[Recorded[Event]]:
        """A stream from its beginning, corrections applied."""
        recorded = cast("Iterable[Recorded[Event]]", self.events.get(stream))
        return list(believed(list(recorded)))

    def options(self, identity: FrameworkId, on: date | None = None) -> tuple[Option, ...]:
        """For each trigger of the current stage: allowed, or every reason why not.

        Raises:
            Refused: ``framework-unknown``.
        """
        state = self.framework(identity)
        return decision.options(state, self._lookup.of_options(state, on or self.today(state.zone)))


_NOT_YET = datetime.min.replace(tzinfo=UTC)
"""The time of record of a fact that is not recorded: the store writes it under its lock."""
