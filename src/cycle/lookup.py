"""What a decision may know beside its own aggregate: looked up in the others before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Protocol, get_args, get_type_hints
from zoneinfo import ZoneInfo

from cycle.aggregates.account import Account
from cycle.aggregates.acts import Acts
from cycle.aggregates.base import PLATFORM, Aggregate, By, Command, LogName, Recorded, Role, StreamId
from cycle.aggregates.commune import Commune, RegisterCommune, commune, zones
from cycle.aggregates.corrections import Correction
from cycle.aggregates.deliberation import Deliberation, deliberation
from cycle.aggregates.disclosure import Disclosure
from cycle.aggregates.framework.anytime import FrameworkDissolved
from cycle.aggregates.framework.contributions import PledgeContribution
from cycle.aggregates.framework.council import FollowDeliberation, Formalise
from cycle.aggregates.framework.setup import AdoptPolicy, FrameworkProposed, ProposeFramework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.organisation import Organisation, organisation
from cycle.aggregates.person import Person, person
from cycle.aggregates.request import Request
from cycle.aggregates.rulebook import PolicyPublished, Rulebook, rulebook
from cycle.aggregates.subscription import Subscription
from cycle.aggregates.terms import CommuneCode, DeliberationId, OrganisationId, PersonId, PolicyId, Use
from cycle.codec import Leaves
from cycle.commands import BY_COMMAND, COMMANDS, Said
from cycle.policy import Policy
from cycle.store import LogRecorder, Unavailable

State = (
    Framework
    | Commune
    | Deliberation
    | Organisation
    | Person
    | Rulebook
    | Request
    | Account
    | Acts
    | Disclosure
    | Subscription
)
BAMAKO = "Africa/Bamako"
Sizes = tuple[tuple[LogName, int], ...]
"""Logs that must not grow until the decision is stored."""
# A union of types is made anew each time that it is written.
_WITH_ZONE = (Framework, Commune)
_OF_COMMUNE = (Deliberation, Organisation, Person, Request)


class Loads(Protocol):
    """Gives the state of an aggregate; its empty state when nothing is recorded."""

    def __call__(self, aggregate: Aggregate[Any, Known], stream: StreamId, *, fresh: bool = False) -> Any: ...


def stream_of(aggregate: Aggregate[Any, Known], identity: str) -> StreamId:
    """``framework-0199…``: how the log calls an aggregate."""
    return StreamId(f"{aggregate.name}-{identity}")


@cache
def _references(command: type[Command]) -> tuple[tuple[str, object], ...]:
    """The fields by which a command names other aggregates, with the kind of id."""
    wanted = (DeliberationId, OrganisationId, PersonId, CommuneCode)
    hints = get_type_hints(command)
    return tuple(
        (name, kind) for name, hint in hints.items() for kind in wanted if hint is kind or kind in get_args(hint)
    )


@lru_cache(maxsize=100)
def _day(zone: str, minute: int) -> date:
    """The day in a zone at a minute since 1970: days begin with a minute everywhere.

    Raises:
        Unavailable: this machine does not know the zone.
    """
    try:
        return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).date()
    except (LookupError, ValueError):
        raise Unavailable("zone", zone) from None


class Lookup:
    """Looks into the other aggregates of one engine.

    Args:
        load: gives states.
        history: gives a stream as it is believed.
        store, leaves: the log, and decoders of what it hands out.
        seconds: since 1970, by the engine's clock.
    """

    def __init__(
        self,
        load: Loads,
        history: Callable[[StreamId], list[Recorded[Any]]],
        store: LogRecorder,
        leaves: Leaves[Recorded[Any]],
        seconds: Callable[[], float],
    ) -> None:
        self._load, self._history, self._store, self._leaves, self._seconds = load, history, store, leaves, seconds
        self._policies: dict[tuple[PolicyId, int | None], Policy] = {}
        """Published versions never change, so a version that was read once is known for good."""
        self._published: tuple[int, tuple[PolicyPublished, ...]] = 0, ()
        """What was published up to a position."""

    def known(self, aggregate: Aggregate[Any, Known], state: State, said: Said, target: str) -> tuple[Known, Sizes]:
        """What a decision may know, and the logs that must not grow until it is stored."""
        command = said.command
        found = self._named(command)
        sizes: Sizes = ()
        if isinstance(command, ProposeFramework):
            log = LogName(command.commune)
            sizes = ((log, self._store.log_size(log)),)
            found["policy"] = self.policy(command.policy)
            found["active_frameworks"] = self._active_frameworks(log)
        elif isinstance(state, Framework) and state.policy:
            found["policy"] = self.policy(state.policy, state.policy_version)
            look = _BESIDE.get(type(command))
            if look:
                found |= look(self, state, command)
        if isinstance(command, Correction):
            found["history"] = self._history(stream_of(aggregate, target))
        known = Known(
            on=said.on,
            today=self.today(self._zone(state, command, found.get("commune"))),
            by=said.by,
            new_id=target,
            late_record=said.late_record,
            **found,
        )
        return known, sizes

    def _named(self, command: Command) -> dict[str, Any]:
        """The aggregates that the fields of a command name."""
        found: dict[str, Any] = {}
        for field, kind in _references(type(command)):
            identity = getattr(command, field)
            if identity is None:
                continue
            if kind is DeliberationId:
                found["deliberations"] = self._one(deliberation, identity)
            elif kind is OrganisationId:
                found["organisations"] = self._one(organisation, identity)
            elif kind is PersonId:
                found["person"] = self._state(person, identity)
            else:
                found["commune"] = self._state(commune, identity)
        return found

    def founding(self, state: Framework, command: Command) -> dict[str, Any]:
        """The deliberation on which a framework stands."""
        return {} if state.deliberation is None else {"deliberations": self._one(deliberation, state.deliberation.id)}

    def of_capital(self, state: Framework, command: PledgeContribution) -> dict[str, Any]:
        """The organisation that promises some of its capital."""
        member = state.members.get(command.member) if command.use is Use.CAPITAL else None
        return {} if member is None else {"organisations": self._one(organisation, member.organisation)}

    def newest(self, state: Framework, command: AdoptPolicy) -> dict[str, Any]:
        """The newest version of a policy."""
        found = self.policy(command.policy)
        return {"policies": (found,) if found else ()}

    def of_options(self, state: Framework, on: date) -> Known:
        """What may be known when nobody has said anything yet."""
        founding = state.deliberation
        newest = (self.policy(policy) for policy in dict.fromkeys(each.policy for each in self.published()))
        return Known(
            on=on,
            today=on,
            by=By("nobody", Role.FACILITATOR),
            policy=self.policy(state.policy, state.policy_version),
            policies=tuple(policy for policy in newest if policy is not None),
            commune=self._state(commune, state.commune),
            deliberations={} if founding is None else self._one(deliberation, founding.id),
        )

    def recorded_by(self, correction: Said, version: int) -> type[Command] | None:
        """The command that led to the fact that a correction is about; None where there is none of today."""
        if correction.target is None:
            return None
        history = self._history(stream_of(BY_COMMAND[correction.command.type], correction.target))
        return next((COMMANDS.get(fact.command) for fact in history if fact.version == version), None)

    def _zone(self, state: State, command: Command, named: Commune | None) -> str:
        if isinstance(state, _WITH_ZONE) and state.version:
            return state.zone
        if isinstance(state, _OF_COMMUNE) and state.version:
            log = state.log if isinstance(state, Request) else state.commune
            home: Commune = self._load(commune, stream_of(commune, log))
            return home.zone
        if isinstance(command, RegisterCommune) and command.zone in zones():
            return command.zone
        return named.zone if named is not None else BAMAKO

    def today(self, zone: str = BAMAKO) -> date:
        """Today's date in a zone, by the engine's clock."""
        return _day(zone, self.minute())

    def minute(self) -> int:
        """The minute since 1970, by the engine's clock."""
        return int(self._seconds()) // 60

    def _state(self, aggregate: Aggregate[Any, Known], identity: str) -> Any | None:
        state = self._load(aggregate, stream_of(aggregate, identity), fresh=True)
        return state if state.version else None

    def _one(self, aggregate: Aggregate[Any, Known], identity: str) -> dict[Any, Any]:
        state = self._state(aggregate, identity)
        return {identity: state} if state else {}

    def _active_frameworks(self, log: LogName) -> int:
        proposed = FrameworkProposed.type, FrameworkDissolved.type
        found = self._store.read(0, log=log, types=proposed)
        return sum(1 if topic == proposed[0] else -1 for _, topic, *_ in found)

    def published(self) -> tuple[PolicyPublished, ...]:
        """Every version of every policy, in the order in which they were published; reads what is new."""
        known, facts = self._published
        head = self._store.head().position
        if head > known:
            rows = self._store.read(known, up_to=head, log=PLATFORM, types=(PolicyPublished.type,))
            facts += tuple(self._leaves[topic, schema](leaf).data for _, topic, schema, leaf in rows)
            self._published = head, facts
        return facts

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


_BESIDE: Mapping[type[Command], Callable[[Lookup, Framework, Any], dict[str, Any]]] = {
    FollowDeliberation: Lookup.founding,
    Formalise: Lookup.founding,
    PledgeContribution: Lookup.of_capital,
    AdoptPolicy: Lookup.newest,
}
"""What a command about a framework makes it worth to look at, though it does not name it."""
