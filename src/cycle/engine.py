"""The application service: one command in, one receipt out; and what may happen next.

A decision reads its own aggregate and what it looks up in others, never a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from time import time
from typing import TYPE_CHECKING, cast

from eventsourcing.application import Application, Repository
from eventsourcing.persistence import EventStore, Mapper
from uuid_utils import uuid7

from cycle.access import ACTING, Forbidden, declared
from cycle.aggregates.base import (
    PLATFORM,
    By,
    Event,
    LogName,
    Recorded,
    Refused,
    StreamId,
    refusal,
)
from cycle.aggregates.framework import decision
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.person import concerns_vault
from cycle.aggregates.personal import personal_values
from cycle.aggregates.rulebook import PolicyPublished
from cycle.aggregates.terms import FrameworkId, PolicyId
from cycle.codec import LeafMapper, LeafStore, Leaves, Replayed, new_leaf
from cycle.commands import AGGREGATES, BY_COMMAND, COMMANDS, FOUNDING, BadInput, Said, UnknownCommand, read_command
from cycle.deciding import Deciding, Stale, about
from cycle.door import Door
from cycle.drafting import target_of
from cycle.lookup import BAMAKO, Lookup, stream_of
from cycle.policy import Policy
from cycle.repository import States
from cycle.settings import VAULT_KEY
from cycle.store import Append, Conflict, LogRecorder, Receipt, ReceiptLine, answer_again, key_reused
from cycle.vault.shapes import VaultChange
from cycle.watching import Busy, Done, Watcher, watched

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
    "Done",
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


def new_id() -> str:
    """A UUIDv7: sorts by time, says nothing else."""
    return str(uuid7())


def utc_now() -> datetime:
    return datetime.now(UTC)


def seconds_of(clock: Clock | None) -> Callable[[], float]:
    """The seconds since 1970 by a clock; without one, this machine's."""
    return time if clock is None else lambda: clock().timestamp()


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
        self.watchers: list[Watcher] = []
        """Told of every command, how it ended."""
        super().__init__(
            {
                "PERSISTENCE_MODULE": "cycle_adapters.sql",
                "CYCLE_DATABASE": url,
            }
        )
        self.states = States(self.repository, self.events, self.store)
        """What aggregates are at now."""
        self._lookup = Lookup(self.states.load, self.states.history, self.store, self.leaves, seconds_of(clock))
        self.door = Door(self.store, self.leaves, self.states.load, self.states.evict, self._lookup, self._append, ids)
        """Who may do what: asked before every command and every question."""
        self._deciding = Deciding(self.states, self._lookup, self.door, ids)

    def construct_mapper(self) -> Mapper[str]:
        return LeafMapper()

    def construct_event_store(self) -> EventStore[str]:
        return LeafStore(self.mapper, self.store, self.leaves)

    def construct_repository(self) -> Repository[str]:
        unread = {kind for aggregate in AGGREGATES for kind in aggregate.unread}
        return Repository(LeafStore(self.mapper, self.store, Replayed(unread)))

    @cached_property
    def store(self) -> LogRecorder:
        """The recorder, with what an append-only log has beside the library's."""
        return cast("LogRecorder", self.recorder)

    @cached_property
    def leaves(self) -> Leaves[Recorded[Event]]:
        """Decoders of what the store hands back."""
        return cast("LeafMapper", self.mapper).leaves

    @cached_property
    def vault(self) -> Vault:
        """What is sealed, and how it is opened."""
        # Imported here: most commands have nothing personal.
        from cycle.vault.keys import key_of
        from cycle.vault.sealing import Vault

        path = str(self._vault_key) if self._vault_key else self.env.get(VAULT_KEY.variable)
        return Vault(partial(key_of, path), self.store.vault, self._random_bytes)

    def execute(self, said: Said) -> Receipt:
        """Decide a command and store what it leads to: see ``carry_out``."""
        return self.carry_out(said).receipt

    @watched
    def carry_out(self, said: Said) -> Done:
        """Decide a command and store what it leads to, durably, all or nothing.

        The same key with the same content returns the first receipt, whatever has happened since.

        Raises:
            Forbidden: no grant of the account allows it there.
            Refused: a rule does not allow it.
            VersionMoved: it is not about the version that was said.
            KeyReused: the key was used for something else.
            Busy: others kept writing in between.
            LeafError: a text that the log cannot hold.
            VaultError: something personal, and no vault to keep it in; nothing was written.
            Unavailable: the store; nothing was written.
        """
        key = said.key or self._ids()
        try:
            return self._execute(said, key)
        except Refused as refused:
            # A phone that sends again must hear of its success, not that the stage has moved on.
            if said.key is not None:
                before = self.store.receipt(key)
                if before is not None and self._used_by(before[1]) == said.by:
                    values = personal_values(said.command)
                    answer = answer_again(key, said.digest, before)
                    return Done(self._as_before(answer, said.by, [values] * len(answer.events)), new=False)
            if isinstance(refused, Forbidden):
                self.door.note(said.by.role, refused)
            raise

    def _execute(self, said: Said, key: str) -> Done:
        founding = type(said.command) in FOUNDING
        target = (said.target or self._ids()) if founding else target_of(said, self._ids)
        # What is asked for is stored in another stream: nothing but a fresh look tells that its own has moved on.
        fresh = said.command.seconds
        for _ in range(ATTEMPTS):
            known = self.door.now
            try:
                decided, sizes = self._deciding.decided(known, said, target, key, fresh=fresh)
            except Stale:
                fresh = True
                continue
            except Refused:
                # What was cached may be old: nobody is refused for what no longer holds.
                self.door.refresh()
                # Another thread may have read what is new.
                if self.door.now is known:
                    raise
                continue
            drafted = decided[0].events if len(decided) == 1 else sum((one.events for one in decided), ())
            if not drafted:
                return Done(self._last(decided[-1].stream), new=False)
            # The receipt is about what stands last: the stream that the command is about.
            drafted = self.door.beside(known, drafted, about(said, key)) + drafted
            events, change = self._sealed(drafted)
            try:
                receipt = self._append(events, key, said.digest, sizes + self.door.condition(known), change)
            except Conflict:
                self.door.refresh()
                fresh = True
                continue
            if receipt.events[0].id != events[0].id:
                values = [personal_values(event.data) for event in drafted]
                return Done(self._as_before(receipt, said.by, values), new=False)
            for one in decided:
                self.states.remember(one)
            return Done(receipt, new=True)
        raise Busy(f"{said.command.type}: others kept writing at the same time; nothing was written, send it again")

    def execute_all(self, saids: Sequence[Said], key: str) -> Receipt:
        """Decide several commands one after the other and store what they lead to in one save.

        All or nothing, under one key; a command that founds an aggregate names its ``target``.

        Raises:
            Refused, KeyReused, Conflict, LeafError, Unavailable: nothing was written.
            BadInput: one of them takes two people.
        """
        digest = sha256(b"".join(said.digest for said in saids)).digest()
        try:
            return self._execute_all(saids, key, digest)
        except Forbidden as forbidden:
            self.door.note(None, forbidden)
            raise

    def _execute_all(self, saids: Sequence[Said], key: str, digest: bytes) -> Receipt:
        for attempt in range(ATTEMPTS):
            self.door.refresh()
            known = self.door.now
            drafted = self._deciding.together(known, saids, key)
            events, change = self._sealed(drafted)
            try:
                receipt = self._append(events, key, digest, self.door.condition(known), change)
                values = [personal_values(event.data) for event in drafted] if change else ()
                return self._as_before(receipt, saids[0].by, values)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _sealed(self, events: tuple[Recorded[Event], ...]) -> tuple[tuple[Recorded[Event], ...], VaultChange | None]:
        """Facts without what is personal in them, and what that does to the vault."""
        for event in events:
            if concerns_vault(type(event.data)):
                return self.vault.sealed(events)
        return events, None

    def _used_by(self, receipt: Receipt) -> By:
        """Who used a key: of a log that came from elsewhere, its facts tell, and nothing else does."""
        return self.fact(receipt.events[0]).by

    def fact(self, line: ReceiptLine) -> Recorded[Event]:
        """The fact that a line of a receipt is about, as it was recorded."""
        return cast("Recorded[Event]", next(self.events.get(line.stream, gt=line.version - 1, limit=1)))

    def _as_before(self, receipt: Receipt, by: By, said: Sequence[Mapping[str, str]]) -> Receipt:
        """The first receipt of a key, for whoever used it; ``said`` are the personal values for each of its facts.

        Raises:
            KeyReused: somebody else used it, or for other values, which no digest tells.
        """
        if self._used_by(receipt) != by:
            raise key_reused(receipt.key)
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
        change: VaultChange | None = None,
    ) -> Receipt:
        recorded_at = self._clock() if self._clock else None
        return self.store.append(Append([new_leaf(event) for event in events], key, digest, sizes, recorded_at, change))

    def act(self, actor: str, name: str, log: LogName | None = PLATFORM, fact: Event | None = None) -> None:
        """Let an account do something that is no command (``cycle.access.ACTING``), and record that it does.

        ``log``: that of the commune that it is about; the platform's: everything; None: whatever of it
        the account may read.

        Raises:
            Forbidden: no grant of the account allows it there.
        """
        declared((name,), ACTING)
        try:
            self.door.act(actor, ACTING[name], None if log is None else self.door.home(log)[0], fact)
        except Forbidden as forbidden:
            self.door.note(None, forbidden)
            raise

    def today(self, zone: str = BAMAKO) -> date:
        """Today's date in a zone, by the engine's clock."""
        return self._lookup.today(zone)

    def published(self) -> tuple[PolicyPublished, ...]:
        """Every version of every policy, in the order in which they were published."""
        return self._lookup.published()

    def policy(self, policy: PolicyId, version: int | None = None) -> Policy | None:
        """A published policy: this version, or the newest; None when there is none."""
        return self._lookup.policy(policy, version)

    def framework(self, identity: FrameworkId, *, fresh: bool = True) -> Framework:
        """The state of a framework now, or (not fresh) as this process last knew it.

        Raises:
            Refused: ``framework-unknown``.
        """
        state = self.states.load(framework, stream_of(framework, identity), fresh=fresh)
        if not state.version:
            raise refusal("framework-unknown", framework=identity)
        return cast("Framework", state)

    def options(self, identity: FrameworkId, on: date | None = None) -> tuple[Option, ...]:
        """For each trigger of the current stage: allowed, or every reason why not.

        Raises:
            Refused: ``framework-unknown``.
        """
        state = self.framework(identity)
        return decision.options(state, self._lookup.of_options(state, on or self.today(state.zone)))
