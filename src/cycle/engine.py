"""The application service: one command in, one receipt out; and what may happen next.

A decision reads its own aggregate and what it looks up in others, never a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Any, cast, get_args, get_type_hints
from unicodedata import normalize
from zoneinfo import ZoneInfo

import msgspec
from eventsourcing.application import AggregateNotFoundError, Application, Repository
from eventsourcing.persistence import EventStore, Mapper
from msgspec import Struct
from uuid_utils import uuid7

from cycle.aggregates.base import (
    PLATFORM,
    Aggregate,
    By,
    Command,
    Event,
    LogName,
    Recorded,
    Refused,
    Role,
    StreamId,
    refusal,
)
from cycle.aggregates.commune import Commune, RegisterCommune, commune
from cycle.aggregates.deliberation import Deliberation, EnterDeliberation, deliberation
from cycle.aggregates.framework import decision
from cycle.aggregates.framework.anytime import CorrectFact, FactCorrected, FrameworkDissolved
from cycle.aggregates.framework.council import FollowDeliberation
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import FrameworkProposed, ProposeFramework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.organisation import Organisation, RegisterOrganisation, organisation
from cycle.aggregates.rulebook import PublishPolicy, Rulebook, rulebook
from cycle.aggregates.terms import CommuneCode, DeliberationId, FrameworkId, OrganisationId, PolicyId
from cycle.codec import LeafMapper, LeafStore, Leaves, Replayed
from cycle.history import Corrected, believed
from cycle.leaf import canonical
from cycle.policy import Policy
from cycle.store import Append, Conflict, LogRecorder, NewLeaf, Receipt, answer_again

State = Framework | Commune | Deliberation | Organisation | Rulebook
Clock = Callable[[], datetime]
Ids = Callable[[], str]

AGGREGATES: tuple[Aggregate[Any, Known], ...] = (framework, commune, deliberation, organisation, rulebook)
BY_COMMAND: Mapping[str, Aggregate[Any, Known]] = {
    name: aggregate for aggregate in AGGREGATES for name in aggregate.commands
}
COMMANDS: Mapping[str, type[Command]] = {
    name: command for aggregate in AGGREGATES for name, command in aggregate.commands.items()
}
"""Every command by its name, in the order of the areas."""
FOUNDING: frozenset[type[Command]] = frozenset({ProposeFramework, EnterDeliberation, RegisterOrganisation})
"""Commands that make a new aggregate with a fresh id."""

BAMAKO = "Africa/Bamako"
ATTEMPTS = 20
"""How often a decision is taken again when somebody else wrote in between."""


class UnknownCommand(ValueError):  # noqa: N818
    """There is no command of this name."""


class BadInput(ValueError):  # noqa: N818
    """A command's fields do not have the declared shape; the message says where."""


class Busy(Exception):  # noqa: N818
    """Others kept writing to the same stream: nothing was written; try again."""


class Said(Struct, frozen=True, kw_only=True):
    """A command with everything that is said with it.

    ``target`` is the id of the aggregate (None for a command that founds one), ``on`` the day on
    which it happened, ``key`` the sender's key (a fresh one when absent), ``correlation`` the key
    of the command that began the chain, ``late_record`` that later facts are known already,
    ``recorded_at`` and ``ids`` are for a log that is written from a given past.
    """

    command: Command
    by: By
    on: date
    target: str | None = None
    key: str | None = None
    correlation: str | None = None
    late_record: bool = False

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that makes two sayings the same."""
        content = {
            "by": self.by,
            "command": self.command.type,
            "data": self.command,
            "late_record": self.late_record,
            "on": self.on,
            "target": self.target or "",
        }
        return sha256(canonical(content)).digest()


def new_id() -> str:
    """A UUIDv7: sorts by time, says nothing else."""
    return str(uuid7())


def utc_now() -> datetime:
    return datetime.now(UTC)


def stream_of(aggregate: Aggregate[Any, Known], identity: str) -> StreamId:
    """``framework-0199…``: how the log calls an aggregate."""
    return StreamId(f"{aggregate.name}-{identity}")


@cache
def _references(command: type[Command]) -> tuple[tuple[str, object], ...]:
    """The fields by which a command names other aggregates, with the kind of id."""
    wanted = (DeliberationId, OrganisationId, CommuneCode, PolicyId)
    hints = get_type_hints(command)
    return tuple(
        (name, kind) for name, hint in hints.items() for kind in wanted if hint is kind or kind in get_args(hint)
    )


class Engine(Application[str]):
    """All aggregates over one log.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://…``.
        clock: says today's date for rules, and when given also the time of record; without it
            the store writes its own commit time.
        ids: makes ids of events and of new aggregates.

    Raises:
        Unavailable: the database cannot be opened; the message says what to do.
    """

    name = "cycle"

    def __init__(self, url: str, *, clock: Clock | None = None, ids: Ids = new_id) -> None:
        self._clock = clock
        self._ids = ids
        self._policies: dict[tuple[PolicyId, int | None], Policy] = {}
        """Published versions never change, so a version that was read once is known for good."""
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

    def construct_mapper(self) -> Mapper[str]:
        return LeafMapper()

    def construct_event_store(self) -> EventStore[str]:
        return LeafStore(self.mapper, self.store, self.leaves)

    def construct_repository(self) -> Repository[str]:
        repository = super().construct_repository()
        repository.event_store = LeafStore(
            self.mapper, self.store, Replayed(frozenset().union(*(aggregate.unread for aggregate in AGGREGATES)))
        )
        return repository

    @property
    def store(self) -> LogRecorder:
        """The recorder, with what an append-only log has beside the library's."""
        return cast("LogRecorder", self.recorder)

    @property
    def leaves(self) -> Leaves[Recorded[Event]]:
        """Decoders of what the store hands back."""
        return cast("LeafMapper", self.mapper).leaves

    def execute(self, said: Said) -> Receipt:
        """Decide a command and store what it leads to, durably, all or nothing.

        The same key with the same content returns the first receipt, whatever has happened since.

        Raises:
            Refused: a rule does not allow it.
            KeyReused: the key was used for something else.
            Busy: others kept writing in between.
            LeafError: a text that the log cannot hold.
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
                    return answer_again(key, said.digest, before)
            raise

    def _execute(self, said: Said, key: str) -> Receipt:
        aggregate = BY_COMMAND[said.command.type]
        founding = type(said.command) in FOUNDING
        target = (said.target or self._ids()) if founding else self._target(said)
        stream = stream_of(aggregate, target)
        fresh = False
        for _ in range(ATTEMPTS):
            state = aggregate.initial if founding else self._load(aggregate, stream, fresh=fresh)
            known, sizes = self._look_up(aggregate, state, said, target)
            try:
                if aggregate is framework:
                    facts = decision.decide(state, said.command, known)
                else:
                    facts = aggregate.decide(state, said.command, known)
            except Refused:
                # What was cached may be old: nobody is refused for what no longer holds.
                if fresh or not self._grown(stream, state):
                    raise
                fresh = True
                continue
            events = self._drafted(state, facts, said, stream, self._log(aggregate, state, said), key)
            try:
                receipt = self._append(events, key, said.digest, sizes)
            except Conflict:
                fresh = True
                continue
            self._remember(aggregate, stream, state, events, receipt)
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
            known, _ = self._look_up(aggregate, state, said, target)
            front: Any = decision.decide if aggregate is framework else aggregate.decide
            facts = front(state, said.command, known)
            drafted = self._drafted(state, facts, said, stream, self._log(aggregate, state, said), key)
            states[stream] = aggregate.fold(state, drafted)
            events += drafted
        return self._append(tuple(events), key, digest, ())

    def _append(
        self,
        events: tuple[Recorded[Event], ...],
        key: str,
        digest: bytes,
        sizes: tuple[tuple[LogName, int], ...],
    ) -> Receipt:
        to_leaf = self.mapper.to_stored_event
        leaves = tuple(cast("NewLeaf", to_leaf(cast("Any", event))) for event in events)
        recorded_at = self._clock() if self._clock else None
        return self.store.append(Append(leaves, key, digest, sizes, recorded_at))

    def _target(self, said: Said) -> str:
        match said.command:
            case RegisterCommune(commune=code):
                return code
            case PublishPolicy(document=document):
                return document.id
            case _ if said.target:
                return said.target
            case _:
                raise BadInput(f"{said.command.type}: say which one it is about")

    def _log(self, aggregate: Aggregate[Any, Known], state: State, said: Said) -> LogName:
        match said.command:
            case ProposeFramework() | EnterDeliberation() | RegisterOrganisation() | RegisterCommune():
                return LogName(said.command.commune)
        match state:
            case Commune():
                return LogName(state.code)
            case Rulebook():
                return PLATFORM
            case _:
                return LogName(state.commune)

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
        receipt: Receipt,
    ) -> None:
        states = self.repository.cache
        if states is None or receipt.events[0].id != events[0].id:
            return
        if any(isinstance(event.data, FactCorrected) for event in events):
            self._load(aggregate, stream, fresh=True)
        else:
            states.put(stream, aggregate.fold(state, events))

    def _look_up(
        self, aggregate: Aggregate[Any, Known], state: State, said: Said, target: str
    ) -> tuple[Known, tuple[tuple[LogName, int], ...]]:
        """What the decision may know, and the logs that must not grow until it is stored."""
        sizes: tuple[tuple[LogName, int], ...] = ()
        found: dict[str, Any] = {}
        for field, kind in _references(type(said.command)):
            identity = getattr(said.command, field)
            if identity is None:
                continue
            if kind is DeliberationId:
                found["deliberations"] = self._one(deliberation, identity)
            elif kind is OrganisationId:
                found["organisations"] = self._one(organisation, identity)
            elif kind is CommuneCode:
                found["commune"] = self._state(commune, identity)
        if isinstance(said.command, ProposeFramework):
            found["policy"] = self.policy(said.command.policy)
            log = LogName(said.command.commune)
            sizes = ((log, self.store.log_size(log)),)
            found["active_frameworks"] = self._active_frameworks(log)
        elif isinstance(state, Framework) and state.policy:
            adopted = getattr(said.command, "policy", None)
            found["policy"] = self.policy(adopted) if adopted else self.policy(state.policy, state.policy_version)
            if isinstance(said.command, FollowDeliberation) and state.deliberation is not None:
                found["deliberations"] = self._one(deliberation, state.deliberation.id)
        if isinstance(said.command, CorrectFact):
            found["history"] = self.history(stream_of(aggregate, target))
        zone = state.zone if isinstance(state, Framework) and state.zone else BAMAKO
        known = Known(
            on=said.on,
            today=self.today(zone),
            by=said.by,
            new_id=target,
            late_record=said.late_record,
            **found,
        )
        return known, sizes

    def today(self, zone: str = BAMAKO) -> date:
        """Today's date in a zone, by the engine's clock."""
        return (self._clock or utc_now)().astimezone(ZoneInfo(zone)).date()

    def _state(self, aggregate: Aggregate[Any, Known], identity: str) -> Any | None:
        state = self._load(aggregate, stream_of(aggregate, identity), fresh=True)
        return state if state.version else None

    def _one(self, aggregate: Aggregate[Any, Known], identity: str) -> dict[str, Any]:
        state = self._state(aggregate, identity)
        return {identity: state} if state else {}

    def _active_frameworks(self, log: LogName) -> int:
        proposed = FrameworkProposed.type, FrameworkDissolved.type
        found = self.store.read(0, log=log, types=proposed)
        return sum(1 if topic == proposed[0] else -1 for _, topic, *_ in found)

    def policy(self, policy: PolicyId, version: int | None = None) -> Policy | None:
        """A published policy: this version, or the newest; None when there is none."""
        published = self._policies.get((policy, version))
        if published is not None:
            return published
        state: Rulebook = self._load(rulebook, stream_of(rulebook, policy))
        if version is None or version not in state.versions:
            state = self._load(rulebook, stream_of(rulebook, policy), fresh=True)
        found = state.versions.get(version or max(state.versions, default=0))
        if found is not None and version is not None:
            self._policies[policy, version] = found
        return found

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
        day = on or self.today(state.zone)
        found = {} if state.deliberation is None else self._one(deliberation, state.deliberation.id)
        known = Known(
            on=day,
            today=day,
            by=By("nobody", Role.FACILITATOR),
            policy=self.policy(state.policy, state.policy_version),
            commune=self._state(commune, state.commune),
            deliberations=cast("Any", found),
        )
        return decision.options(state, known)


_NOT_YET = datetime.min.replace(tzinfo=UTC)
"""The time of record of a fact that is not recorded: the store writes it under its lock."""


def read_command(name: str, data: bytes) -> Command:
    """A command from its JSON fields; texts are brought to Unicode normal form NFC.

    Raises:
        UnknownCommand: with the nearest names.
        BadInput: says which field, what was expected, what was given.
    """
    command = COMMANDS.get(name)
    if command is None:
        near = ", ".join(get_close_matches(name, COMMANDS, 3)) or ", ".join(COMMANDS)
        raise UnknownCommand(f"there is no command {name!r}; did you mean: {near}?")
    try:
        # Re-encoding first turns escaped accents into characters, which NFC can then compose.
        fields = msgspec.json.decode(data)
        if blank := next(_blanks(fields, "$"), None):
            raise BadInput(f"{name}: Expected a text, got blanks - at `{blank}`")
        return msgspec.json.decode(normalize("NFC", msgspec.json.encode(fields).decode()), type=command)
    except UnicodeError as error:
        raise BadInput(f"{name}: the fields are not UTF-8 text: {error}") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"{name}: {error}") from error


def _blanks(value: object, path: str) -> Iterator[str]:
    """Where a text holds nothing but blanks."""
    match value:
        case str():
            if not value.strip():
                yield path
        case dict():
            for key, item in value.items():
                yield from _blanks(item, f"{path}.{key}")
        case list():
            for item in value:
                yield from _blanks(item, f"{path}[...]")
