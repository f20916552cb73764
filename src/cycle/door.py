"""The door of one engine: what it knows of accounts, kept in memory and never older than a save allows.

A command is let through on what was last read of the ``platform`` log, and saved on the condition that
this log has not grown since: a right that was revoked, in whatever process, lets nothing through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import date
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any, Protocol

from msgspec.structs import replace

from cycle import access
from cycle.access import (
    EVERYWHERE,
    NOWHERE,
    SAYING,
    Access,
    Action,
    Forbidden,
    authorize,
    country,
    place,
    setting_right,
)
from cycle.aggregates.account import (
    Account,
    BeginAccounts,
    GiveGrant,
    OpenAccount,
    Path,
    RevokeGrant,
    account,
    path_of,
    territory_of,
)
from cycle.aggregates.acts import AttemptRefused, TerritoryMoved, acts
from cycle.aggregates.base import PLATFORM, By, Command, Event, Finding, LogName, Recorded, Role, StreamId
from cycle.aggregates.commune import Commune, ParentChanged, RegisterCommune, commune
from cycle.aggregates.corrections import Correction, FactCorrected
from cycle.aggregates.credentials import IssueToken
from cycle.aggregates.disclosure import DisclosePeople, DisclosePerson
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.group import RegisterConsumerGroup
from cycle.aggregates.known import Known
from cycle.aggregates.person import Person, person
from cycle.aggregates.request import Request
from cycle.aggregates.subscription import Subscription
from cycle.aggregates.terms import CommuneCode
from cycle.aggregates.webhook import RegisterWebhook
from cycle.codec import Leaves
from cycle.commands import BY_COMMAND, COMMANDS, FOUNDING, Said
from cycle.drafting import Envelope, log_of
from cycle.lookup import Loads, Lookup, Sizes, State, stream_of
from cycle.store import Conflict, LogRecorder, Receipt, Unavailable

ACCOUNTS = frozenset(event.type for event in account.events)
ACTS = frozenset(event.type for event in acts.events)
ATTEMPTS = 20
_MOVES = (ParentChanged, FactCorrected)
Drafts = tuple[Recorded[Event], ...]
Saying = tuple[str, str, str]
"""The account that says a command, the command, and the commune whose framework it is about."""


_SCOPES: ContextVar[Mapping[str, frozenset[str]]] = ContextVar("scopes", default={})  # noqa: B039 - never changed


@contextmanager
def within(account: str, actions: frozenset[str]) -> Iterator[None]:
    """As long as this lasts, the account does no more here than a token's scope says."""
    before = _SCOPES.set({**_SCOPES.get(), account: actions})
    try:
        yield
    finally:
        _SCOPES.reset(before)


def demand_within(actor: str, action: Action) -> None:
    """Raises:
    Forbidden: who acts does so with a token, and the token is not for this.
    """
    scope = _SCOPES.get().get(actor)
    if scope is not None and action.name not in scope and not action.anybody:
        raise Forbidden(Finding("beyond-scope", values={"account": actor, "act": action.name}), readable=True)


class Saves(Protocol):
    """Stores drafted events as one save."""

    def __call__(self, events: Drafts, key: str, digest: bytes, sizes: Sizes) -> Receipt: ...


class Door:
    """Lets through, or not; keeps the record of acts and of refused attempts.

    Args:
        store, leaves: the log, and decoders of what it hands out.
        load: gives states; evict: forgets what is cached of a stream.
        lookup: knows today's date.
        save, ids: store what the door itself records.
    """

    def __init__(
        self,
        store: LogRecorder,
        leaves: Leaves[Recorded[Any]],
        load: Loads,
        evict: Callable[[StreamId], None],
        lookup: Lookup,
        save: Saves,
        ids: Callable[[], str],
    ) -> None:
        self._store, self._leaves, self._load, self._evict = store, leaves, load, evict
        self._lookup, self._save, self._ids = lookup, save, ids
        self._lock = Lock()
        self._begun = self._ended = 0
        """Looks at the platform log."""
        self._looked = float("-inf")
        """When the last of them that has ended began."""
        self._noted: set[str] = set()
        self.now = Access()
        """As of the last look at the platform log."""
        self._passed: tuple[Access, int, dict[Saying, Role]] = self.now, 0, {}
        """In which role a saying was let through, on what was known then and in which minute."""

    def refresh(self, since: float = float("inf")) -> bool:
        """Know what is in the platform log now, or what was at a moment ``since`` then (of ``time.monotonic``).

        Returns whether something of it is new.
        """
        known, begun = self.now, self._begun
        with self._lock:
            # Whoever has waited here through the whole of another one's look knows what that has seen.
            if self._ended <= begun and self._looked < since:
                self._begun, began = self._begun + 1, monotonic()
                self._look()
                self._ended, self._looked = self._begun, began
        return self.now is not known

    def _look(self) -> None:
        """Read what is new."""
        before, grown = self.now, 0
        position = before.position
        accounts, versions = dict[str, Account](), dict[str, int]()
        for position, topic, schema, leaf in self._store.read_log(PLATFORM, before.size):
            if position <= before.position:
                # Found again because one before it is missing: then no save may pass.
                continue
            if not grown:
                accounts, versions = dict(before.accounts), dict(before.versions)
            grown += 1
            if topic in ACCOUNTS:
                fact = self._leaves[topic, schema](leaf)
                access.evolved(accounts, fact.stream, fact)
            elif topic in ACTS:
                fact = self._leaves[topic, schema](leaf)
                versions[fact.stream] = fact.version
                if isinstance(fact.data, TerritoryMoved):
                    self._evict(stream_of(commune, fact.data.commune))
        if grown:
            self.now = Access(accounts, versions, position, before.size + grown)

    def condition(self, known: Access) -> Sizes:
        """What a save that rests on this knowledge asks of the platform log."""
        return ((PLATFORM, known.size),)

    def home(self, log: LogName) -> tuple[Path, str]:
        """Where a commune lies now, and its time zone."""
        if not log:
            return NOWHERE, ""
        if log == PLATFORM:
            return EVERYWHERE, ""
        found: Commune = self._load(commune, stream_of(commune, log))
        return (place(found), found.zone) if found.version else ((country(log), "?", "?", log), "")

    def passes(self, known: Access, said: Said, state: State) -> None:
        """Let a command through.

        Raises:
            Forbidden: no grant of the account allows it there.
        """
        home = state.commune if isinstance(state, Framework) else ""
        passed, asked = self._passed_now(known), (said.by.actor, said.command.type, home)
        if not home or passed.get(asked) is not said.by.role or _SCOPES.get():
            path, zone = self._where(said, state)
            own = isinstance(state, Account) and state.id == said.by.actor
            self.let(known, said.by.actor, SAYING[said.command.type], path, said.by.role, zone, own)
            if home:
                passed[asked] = said.by.role
        if isinstance(said.command, Correction):
            self._sets_right(known, said, said.command.fact_version, state)

    def role_of(self, actor: str, command: Command, target: str | None, since: float = float("inf")) -> Role:
        """The first of a command's roles in which an account may say it about this target, today.

        ``since``: as for ``refresh``.

        Raises:
            Forbidden: in none of them.
        """
        saying = Said(command=command, by=By(actor, command.roles[0]), on=self.today(), target=target)
        aggregate = BY_COMMAND[command.type]
        founds = target is None or type(command) in FOUNDING
        state = aggregate.initial if founds else self._load(aggregate, stream_of(aggregate, target or ""))
        path, zone = self._where(saying, state)
        roles = [role for role in command.roles if role in self._acts_of(state)]
        # Chosen on old knowledge, it would be refused by what is new, and another one might have done.
        self.refresh(since)
        known = self.now
        held = {grant.role for grant in known.grants(actor, self.today(zone)) if path is None or grant.covers(path)}
        first = next((role for role in roles if role in held), None)
        return first or self.let(known, actor, SAYING[command.type], path, zone=zone) or command.roles[0]

    def _acts_of(self, state: State) -> Sequence[Role]:
        """Whoever confirms or withdraws a request says it in a role in which he may say what is asked for."""
        return COMMANDS[state.act].roles if isinstance(state, Request) and state.act in COMMANDS else tuple(Role)

    def _passed_now(self, known: Access) -> dict[Saying, Role]:
        """What was let through already, while neither accounts, nor the day, nor where communes lie have changed."""
        minute = self._lookup.minute()
        on, at, passed = self._passed
        if on is not known or at != minute:
            passed = {}
            self._passed = known, minute, passed
        return passed

    def _sets_right(self, known: Access, said: Said, version: int, state: State) -> None:
        """Who may set facts right there may set right this one."""
        action, recorded_by = SAYING[said.command.type], self._lookup.recorded_by(said, version)
        if recorded_by is None:
            return
        path, zone = self._where(said, state)
        try:
            action = setting_right(action, SAYING[recorded_by.type], version, said.by.role)
        except Forbidden as forbidden:
            forbidden.about(said.by.actor, action, path)
            raise
        self.let(known, said.by.actor, action, path, said.by.role, zone)

    def let(
        self,
        known: Access,
        actor: str,
        action: Action,
        path: Path | None,
        role: Role | None = None,
        zone: str = "",
        own: bool = False,
    ) -> Role | None:
        """Let an account through for an action in a place, today.

        Raises:
            Forbidden: no grant of the account allows it there.
        """
        try:
            demand_within(actor, action)
            return authorize(known, actor, action, path, self.today(zone), role, own)
        except Forbidden as forbidden:
            forbidden.about(actor, action, path)
            raise

    def today(self, zone: str = "") -> date:
        """The day by which grants are asked."""
        return self._lookup.today(zone) if zone else self._lookup.today()

    def _where(self, said: Said, state: State) -> tuple[Path | None, str]:
        """The place that a command is about (None: none in particular), and its time zone."""
        if isinstance(state, Framework) and state.version:
            return self.home(LogName(state.commune))
        match said.command, state:
            case ((OpenAccount() | BeginAccounts()), _):
                return None, ""
            case GiveGrant() | RegisterWebhook() | RegisterConsumerGroup() as placed, _:
                return path_of(placed.territory), ""
            case RevokeGrant(grant=number), Account(grants=grants):
                return grants[number].territory if number in grants else EVERYWHERE, ""
            case _, Account(grants=grants):
                return above([grant.territory for grant in grants.values()]), ""
            case _, Subscription(version=version, territory=territory) if version:
                return territory, ""
            case RegisterCommune(commune=code, region=region, circle=circle), _:
                return (country(code), region, circle, code), ""
            case DisclosePerson(person=reference), _:
                # The record stands in the platform log; the right to see is that of the person's commune.
                shown: Person = self._load(person, stream_of(person, reference))
                return self.home(LogName(shown.commune))
            case DisclosePeople(commune=code), _:
                return self.home(LogName(code))
        return self.home(log_of(state, said))

    def told(self, known: Known, access_now: Access, said: Said) -> Known:
        """What a decision about accounts may know beside the account."""
        if isinstance(said.command, IssueToken):
            return replace(known, for_tokens=access_now.for_tokens(said.target or "", self.today()))
        if not isinstance(said.command, GiveGrant):
            return known
        there = access_now.holders(Role.ADMINISTRATOR, EVERYWHERE, self.today())
        return replace(known, administered=bool(there))

    def beside(
        self, known: Access, events: tuple[Recorded[Event], ...], about: Envelope
    ) -> tuple[Recorded[Event], ...]:
        """What stands in the platform log beside facts about a commune: that its parents may have changed."""
        for event in events:
            if isinstance(event.data, _MOVES) and commune.name == kind(event):
                stream = StreamId(f"{acts.name}-{about.by.actor}")
                facts = (TerritoryMoved(CommuneCode(event.log)),)
                return about.drafts(stream, PLATFORM, known.versions.get(stream, 0), facts, self._ids)
        return ()

    def act(self, actor: str, action: Action, path: Path | None, fact: Event | None = None) -> None:
        """Let an account do something that is no command, and record it before it is done.

        Raises:
            Forbidden: no grant of the account allows it there.
        """
        self.refresh()
        for _ in range(ATTEMPTS):
            known = self.now
            role = self.let(known, actor, action, path)
            if fact is None or role is None:
                return
            try:
                self._record(known, By(actor, role), action.name, fact, self._ids())
            except Conflict:
                self.refresh()
            else:
                return
        raise Conflict(f"{action.name}: others kept writing to the platform log")

    def _record(self, known: Access, by: By, name: str, fact: Event, key: str) -> None:
        stream = StreamId(f"{acts.name}-{by.actor}")
        about = Envelope(by, self.today(), name, key)
        events = about.drafts(stream, PLATFORM, known.versions.get(stream, 0), (fact,), self._ids)
        self._save(events, key, sha256(key.encode()).digest(), self.condition(known))

    def note(self, role: Role | None, refused: Forbidden) -> None:
        """Record that an account tried what it may not: once a day for each account and action.

        Whoever has no account leaves nothing in the log, and whoever has one no more than there are
        actions: no flood of attempts fills it.
        """
        actor, action = refused.actor, refused.action
        known = self.now.accounts.get(actor)
        if action is None or known is None or known.closed:
            return
        key = f"refused {self.today()} {action.name} {actor}"
        if key in self._noted:
            return
        held = [grant.role for grant in known.grants.values()]
        by = By(actor, role or (held or list(action.roles))[0])
        fact = AttemptRefused(action.name.replace("_", "-"), territory_of(refused.path or EVERYWHERE))
        for _ in range(ATTEMPTS):
            # A refusal stands whether it can be recorded or not.
            with suppress(Unavailable):
                try:
                    self._record(self.now, by, action.name, fact, key)
                except Conflict:
                    self.refresh()
                    continue
            break
        self._noted.add(key)


def kind(event: Recorded[Event]) -> str:
    """The aggregate that a fact is about."""
    return event.stream.partition("-")[0]


def above(paths: Sequence[Path]) -> Path:
    """The smallest territory that holds all of these."""
    shared: list[str] = []
    for segments in zip(*paths, strict=False):
        if len(set(segments)) > 1:
            break
        shared.append(segments[0])
    return tuple(shared)
