"""What every aggregate is made of: facts, commands, findings, and the two plain functions.

``decide(state, command, known) -> events | Refused`` and ``evolve(state, recorded) -> state``.
Nothing here reads a clock, a file or a random number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Generic, NewType, Protocol, TypeVar, dataclass_transform, get_args, get_type_hints

import msgspec
from msgspec import Struct

from cycle.aggregates.personal import printed
from cycle.aggregates.terms import Past, Planned
from cycle.policy import Effect, Policy, Rule

StreamId = NewType("StreamId", str)
LogName = NewType("LogName", str)

PLATFORM = LogName("platform")
"""The log of what belongs to no commune: policies, accounts, grants."""


class Role(StrEnum):
    """In which role somebody acts. One list for commands, refusals, forms and the log."""

    FACILITATOR = "facilitator"
    COUNCIL_SECRETARY = "council-secretary"
    MAYOR = "mayor"
    ORGANISATION = "organisation"
    TECHNICAL_SERVICE = "technical-service"
    PARTNER = "partner"
    COMMITTEE = "committee"
    SUPERVISING_AUTHORITY = "supervising-authority"
    PROGRAMME = "programme"
    WORKER = "worker"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    EVALUATOR = "evaluator"
    INTEGRATOR = "integrator"
    DATA_PROTECTION = "data-protection"
    ACCOUNT_HOLDER = "account-holder"
    """Whoever an account is, in what concerns that account alone; nobody grants it."""


def kebab(class_name: str) -> str:
    """``PlanAgreed`` -> ``plan-agreed``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", class_name).lower()


@dataclass_transform(frozen_default=True)
class Event(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A fact: what happened, complete in itself, never changed.

    The class name in kebab case is the type name in the log; a renamed class fails the
    frozen corpus of ``tests/corpus``. Defaults are only ever ``None``, ``()``, ``0`` or
    ``False``: an absent key must mean the same for ever.
    """

    type: ClassVar[str]
    schema: ClassVar[int] = 1
    upcasts: ClassVar[Mapping[int, Callable[[dict[str, object]], dict[str, object]]]] = {}
    """How ``data`` of schema n becomes schema n + 1, for every n below ``schema``."""
    correctable: ClassVar[frozenset[str]] = frozenset()
    """Fields that a ``FactCorrected`` may set right: measures, dates and words, never identities."""
    strands: ClassVar[tuple[str, ...]] = ()
    """What there is only one of and this fact moves on, such as the stage: its facts stand on each other."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.type = kebab(cls.__name__)
        if EVENTS.setdefault(cls.type, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"two events are called {cls.type}")

    def __repr__(self) -> str:
        return printed(self) or super().__repr__()


EventClass = type[Event]
EVENTS: dict[str, EventClass] = {}
"""Every type of event by its stable name."""

E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


class Unread(Struct, frozen=True, gc=False):
    """Stands for the data of a fact that changes no state, where only its place is read."""


class By(Struct, frozen=True, omit_defaults=True, gc=False):
    """Who acted, in which role, on whose behalf. References, never names."""

    actor: str
    role: Role
    on_behalf_of: str | None = None


class Happened(Struct, Generic[E_co], frozen=True, omit_defaults=True, gc=False):
    """What a state is made from: a fact, its day, its place in the stream.

    A replay decodes this much of every leaf, in two thirds of the time of the whole envelope.
    """

    data: E_co
    occurred_on: date
    version: int


class Recorded(Happened[E_co], Generic[E_co], frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A fact with its whole envelope, as the leaf of the log holds it.

    ``occurred_on`` is the local date on which it happened, ``recorded_at`` the UTC instant at
    which the system learned of it. ``command`` names the command it came from, ``causation``
    that command's key, ``correlation`` the key of the command that began the chain.
    """

    by: By
    causation: str
    command: str
    correlation: str
    id: str
    log: LogName
    recorded_at: datetime
    schema: int
    stream: StreamId
    type: str
    sealed: tuple[str, ...] = ()

    @property
    def originator_id(self) -> str:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Command(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A wish, declared once: its fields here, its stage in the table, its words in the catalogue."""

    type: ClassVar[str] = ""
    roles: ClassVar[tuple[Role, ...]] = (Role.FACILITATOR,)
    """Who may say it."""
    apart: ClassVar[tuple[Role, ...]] = ()
    """Who holds one of these for the place may not say it, whatever else he holds: duties apart."""
    seconds: ClassVar[bool] = False
    """Whether it takes two: one account asks for it, another one with the same right confirms."""
    binds: ClassVar[bool] = False
    """Whether it binds people for long: who says it says on which version he looked at what he binds, and signs
    in with a second factor; no token says it."""
    makes: ClassVar[EventClass | None] = None
    """The fact that something begins with to which later commands refer: its first field is the id."""
    restates: ClassVar[Mapping[str, str]] = {}
    """Fields that say anew what holds already, each with where the state holds it (``mandate.tasks``; a name in
    braces is another field: ``needs.{need}.kind``). A form begins with that, and not blank."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.type = kebab(cls.__name__)

    def __repr__(self) -> str:
        return printed(self) or super().__repr__()


Value = str | int | tuple[str, ...]
"""What a finding saw: a number, a word, a date in ISO 8601, or several of them."""


class Finding(Struct, frozen=True, omit_defaults=True, gc=False):
    """What one rule saw. ``code`` is its key in the catalogue, ``values`` fill the sentence.

    ``article`` is ``policy-id-version/article`` where a policy says so. ``lift`` names the roles
    that can change the answer, in the order in which to call them.
    """

    code: str
    met: bool = False
    effect: Effect = Effect.REFUSE
    article: str | None = None
    values: Mapping[str, Value] = {}
    lift: tuple[Role, ...] = ()

    @property
    def refuses(self) -> bool:
        return not self.met and self.effect is Effect.REFUSE


class Check(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a guard saw when a fact was decided, kept in that fact for the auditor."""

    code: str
    met: bool = False
    article: str | None = None
    values: Mapping[str, Value] = {}


def ruled(
    code: str,
    policy: Policy,
    rule: Rule[Any],
    met: bool,
    *,
    lift: tuple[Role, ...] = (),
    **values: Value,
) -> Finding:
    """What an article of the policy saw; its effect and number come from the policy."""
    return Finding(code, met, rule.effect, policy.article(rule), values, lift)


def checks(findings: Iterable[Finding]) -> tuple[Check, ...]:
    """The findings that rest on a policy, as the event keeps them."""
    return tuple(Check(f.code, f.met, f.article, f.values) for f in findings if f.article)


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an accident
    """A command that the rules do not allow, with every reason at once."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(f"{f.code} {dict(f.values)}" for f in findings))
        self.findings = findings


class VersionMoved(Refused):
    """Somebody has written since the sender looked: what he saw is no longer what there is."""

    def __init__(self, expected: int, version: int) -> None:
        super().__init__(Finding("version-moved", values={"expected": expected, "version": version}))
        self.version = version


def demand(*findings: Finding) -> None:
    """Let pass, or refuse with every finding that refuses.

    Raises:
        Refused: when at least one finding refuses.
    """
    if findings:
        failed = tuple(f for f in findings if f.refuses)
        if failed:
            raise Refused(*failed)


def refusal(code: str, *, lift: tuple[Role, ...] = (), **values: Value) -> Refused:
    """A refusal for one reason that no policy states."""
    return Refused(Finding(code, values=values, lift=lift))


EARLIEST = date(1900, 1, 1)
"""Nothing that is recorded happened before: a day that lies there is a slip of the pen."""
PLANNED_YEARS = 5
"""Nobody plans further ahead than a council's term."""


class Saying(Protocol):
    """What a decision knows about the saying of its command."""

    @property
    def by(self) -> By: ...
    @property
    def on(self) -> date: ...
    @property
    def today(self) -> date: ...


def about_the_saying(command: Command, known: Saying) -> Iterable[Finding]:
    """What is asked of every command of every aggregate: the role, the day, the days that it names."""
    if known.by.role not in command.roles:
        roles = tuple(role.value for role in command.roles)
        values: Mapping[str, Value] = {"command": command.type, "role": known.by.role.value, "roles": roles}
        yield Finding("role-may-not", values=values, lift=command.roles)
    yield from day_has_come(known.on, known.today)
    if _days(type(command)):
        yield from days_hold(command, known.on)


def day_has_come(on: date, today: date) -> Iterable[Finding]:
    """Something that happened on a day happened by today, and not before people kept such books."""
    if on > today:
        yield Finding("not-happened-yet", values={"on": on.isoformat(), "today": today.isoformat()})
    if on < EARLIEST:
        yield Finding("too-long-ago", values={"on": on.isoformat(), "earliest": EARLIEST.isoformat()})


def days_hold(said: Struct, on: date) -> Iterable[Finding]:
    """The days that a command or fact of a day names: what happened did so by then, what is planned is to come."""
    for field, planned in _days(type(said)):
        day: date | None = getattr(said, field)
        if day is not None:
            yield from day_is_near(day, on) if planned else day_has_come(day, on)


def day_is_near(day: date, on: date) -> Iterable[Finding]:
    """A planned day lies between the day of its fact and as far ahead as people plan."""
    latest = on.replace(year=on.year + PLANNED_YEARS, day=min(on.day, 28)) if on.year + PLANNED_YEARS < 9999 else on
    days = {"day": day.isoformat(), "on": on.isoformat(), "latest": latest.isoformat()}
    yield Finding("not-a-day-to-plan", on <= day <= latest, values=days)


@cache
def _days(struct: type[Struct]) -> tuple[tuple[str, bool], ...]:
    """The fields that hold a day, and whether it is a planned one."""
    hints = get_type_hints(struct, include_extras=True)
    kinds = {name: {hint, *get_args(hint)} for name, hint in hints.items()}
    return tuple((name, Planned in kind) for name, kind in kinds.items() if {Past, Planned} & kind)


S = TypeVar("S")
C = TypeVar("C", bound=Command)
K = TypeVar("K", bound=Saying)
Decide = Callable[[S, C, K], Iterable[Event]]
Evolve = Callable[[S, Happened[E]], S]
Asks = Callable[[S, Command, K], Iterable[Finding]]
Weighs = Callable[[S, tuple[Event, ...], K], Iterable[Finding]]


def _unchanged(state: S, recorded: Happened[Event]) -> S:
    return state


class Aggregate(Generic[S, K]):
    """One aggregate: its empty state, how it decides each command, how it evolves by each fact.

    ``S`` is the frozen state struct (with ``version``), ``K`` what a decision may know beside it.
    """

    def __init__(self, name: str, initial: S) -> None:
        self.name = name
        self.initial = initial
        self.commands: dict[str, type[Command]] = {}
        self._decide: dict[type[Command], Callable[[S, Any, K], Iterable[Event]]] = {}
        self._evolve: dict[type[Struct], Callable[[S, Any], S]] = {Unread: _unchanged}
        self.unread: set[str] = set()
        """The types of the facts that no decision depends on."""
        self._asks: Asks[S, K] = lambda state, command, known: ()
        self._weighs: Weighs[S, K] = lambda state, facts, known: ()

    def asks(self, function: Asks[S, K]) -> Asks[S, K]:
        """Register what is asked of every command beside role and days, before its own rules."""
        self._asks = function
        return function

    def weighs(self, function: Weighs[S, K]) -> Weighs[S, K]:
        """Register what is asked of the facts that a command would lead to."""
        self._weighs = function
        return function

    def decides(self, command: type[C]) -> Callable[[Decide[S, C, K]], Decide[S, C, K]]:
        """Register the function that decides a command."""

        def register(function: Decide[S, C, K]) -> Decide[S, C, K]:
            if not command.roles:
                raise TypeError(f"{command.type} declares nobody who may say it")
            self.commands[command.type] = command
            self._decide[command] = function
            return function

        return register

    def evolves(self, *events: type[E]) -> Callable[[Evolve[S, E]], Evolve[S, E]]:
        """Register the function by which facts of these types change the state."""

        def register(function: Evolve[S, E]) -> Evolve[S, E]:
            for event in events:
                self._evolve[event] = function
            return function

        return register

    def ignores(self, *events: type[Event]) -> None:
        """Facts that no decision depends on: a replay leaves their data unread."""
        for event in events:
            self._evolve[event] = _unchanged
            self.unread.add(event.type)

    @property
    def events(self) -> frozenset[type[Event]]:
        """The facts that this aggregate knows."""
        return frozenset(event for event in self._evolve if issubclass(event, Event))

    def decide(self, state: S, command: Command, known: K) -> tuple[Event, ...]:
        """The facts that a command leads to: the one front door.

        Raises:
            Refused: with every finding of the front door that refuses, else with those of the command's own rules.
        """
        demand(*about_the_saying(command, known), *self._asks(state, command, known))
        facts = tuple(self._decide[type(command)](state, command, known))
        demand(*self._weighs(state, facts, known))
        return facts

    def evolve(self, state: S, recorded: Happened[Event]) -> S:
        """The state after one more fact."""
        return self._evolve[type(recorded.data)](state, recorded)

    def fold(self, state: S, history: Iterable[Happened[Event]]) -> S:
        """The state after a history; ``version`` is set once, at its end."""
        evolve = self._evolve
        recorded = None
        for recorded in history:
            state = evolve[type(recorded.data)](state, recorded)
        if recorded is None:
            return state
        replaced: S = msgspec.structs.replace(state, version=recorded.version)  # type: ignore[type-var]
        return replaced
