"""Commune: names with aliases, parents over time, council terms. Its code never derives from a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Recorded, Role, demand
from cycle.aggregates.corrections import Correction, FactCorrected, corrected, stays_visible
from cycle.aggregates.terms import CommuneCode, Count, Name, Past

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class CommuneRegistered(Event):
    """``region`` and ``circle`` are names; the code stays when they change."""

    commune: CommuneCode
    name: Name
    region: Name
    circle: Name
    aliases: tuple[Name, ...] = ()
    zone: str = ""
    correctable = frozenset({"name", "region", "circle", "aliases"})


class CommuneRenamed(Event):
    """The old name stays an alias."""

    name: Name
    since: Past
    correctable = frozenset({"since"})
    strands = ("name",)


class AliasAdded(Event):
    """Another way in which sources write the name."""

    alias: Name


class ParentChanged(Event):
    """The commune belongs to another circle or region from ``since`` on."""

    region: Name
    circle: Name
    since: Past
    correctable = frozenset({"region", "circle", "since"})


class CouncilTermBegan(Event):
    """A newly elected council: how many members hold office, from when."""

    since: Past
    in_office: Count
    correctable = frozenset({"since", "in_office"})


class Commune(Struct, frozen=True):
    """The state of one commune."""

    version: int = 0
    code: CommuneCode = CommuneCode("")
    name: str = ""
    region: str = ""
    circle: str = ""
    zone: str = "Africa/Bamako"
    aliases: tuple[str, ...] = ()
    term_since: date | None = None
    in_office: int | None = None
    parents: Mapping[date, tuple[str, str]] = {}
    """Region and circle by the day since which they hold, after the first."""


commune: Aggregate[Commune, Known] = Aggregate("commune", Commune())
CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8}){1,5}")
"""``ML-4-01-03``: country, then whatever the country numbers its places with; never a name."""


class RegisterCommune(Command):
    """Register a commune under a stable code."""

    commune: CommuneCode
    name: Name
    region: Name
    circle: Name
    aliases: tuple[Name, ...] = ()
    zone: str = "Africa/Bamako"
    roles = (Role.PROGRAMME, Role.FACILITATOR)


class RenameCommune(Command):
    """Give a commune a new name; the old one stays an alias."""

    name: Name
    since: Past
    roles = (Role.PROGRAMME,)


class AddAlias(Command):
    """Note another way in which the name is written."""

    alias: Name
    roles = (Role.PROGRAMME, Role.FACILITATOR)


class ChangeParent(Command):
    """Note that the commune belongs to another circle or region."""

    region: Name
    circle: Name
    since: Past
    roles = (Role.PROGRAMME,)


class BeginCouncilTerm(Command):
    """Note that a new council took office, and its number of members."""

    since: Past
    in_office: Count
    roles = (Role.COUNCIL_SECRETARY, Role.PROGRAMME)


class CorrectCommune(Correction):
    """Set fields of a fact about the commune right; the wrong fact stays visible."""

    roles = (Role.PROGRAMME, Role.COUNCIL_SECRETARY)


@cache
def zones() -> frozenset[str]:
    """The names of the IANA time zones."""
    return frozenset(available_timezones())


def _registered(state: Commune) -> Finding:
    return Finding("commune-unknown", bool(state.version), lift=(Role.PROGRAMME,))


@commune.decides(RegisterCommune)
def register_commune(state: Commune, command: RegisterCommune, known: Known) -> Iterable[Event]:
    demand(
        Finding("commune-registered-already", not state.version, values={"commune": command.commune}),
        Finding("zone-unknown", command.zone in zones(), values={"zone": command.zone}),
        Finding("commune-code", bool(CODE.fullmatch(command.commune)), values={"commune": command.commune}),
    )
    yield CommuneRegistered(
        command.commune, command.name, command.region, command.circle, command.aliases, command.zone
    )


@commune.decides(RenameCommune)
def rename_commune(state: Commune, command: RenameCommune, known: Known) -> Iterable[Event]:
    demand(_registered(state), Finding("nothing-amended", command.name != state.name))
    yield CommuneRenamed(command.name, command.since)


@commune.decides(AddAlias)
def add_alias(state: Commune, command: AddAlias, known: Known) -> Iterable[Event]:
    demand(_registered(state), Finding("nothing-amended", command.alias not in (state.name, *state.aliases)))
    yield AliasAdded(command.alias)


@commune.decides(ChangeParent)
def change_parent(state: Commune, command: ChangeParent, known: Known) -> Iterable[Event]:
    same = (command.region, command.circle) == (state.region, state.circle)
    demand(_registered(state), Finding("nothing-amended", not same))
    yield ParentChanged(command.region, command.circle, command.since)


@commune.decides(BeginCouncilTerm)
def begin_council_term(state: Commune, command: BeginCouncilTerm, known: Known) -> Iterable[Event]:
    demand(_registered(state), Finding("council-without-members", command.in_office > 0))
    yield CouncilTermBegan(command.since, command.in_office)


@commune.decides(CorrectCommune)
def correct_commune(state: Commune, command: CorrectCommune, known: Known) -> Iterable[Event]:
    def holds(before: Recorded[Event], after: Recorded[Event]) -> Iterable[Finding]:
        if isinstance(after.data, CouncilTermBegan):
            yield Finding("council-without-members", after.data.in_office > 0)

    yield corrected(command, known, holds)


commune.evolves(FactCorrected)(stays_visible)


@commune.evolves(CommuneRegistered)
def commune_registered(state: Commune, recorded: Happened[CommuneRegistered]) -> Commune:
    fact = recorded.data
    return replace(
        state,
        code=fact.commune,
        name=fact.name,
        region=fact.region,
        circle=fact.circle,
        aliases=fact.aliases,
        zone=fact.zone or state.zone,
    )


@commune.evolves(CommuneRenamed)
def commune_renamed(state: Commune, recorded: Happened[CommuneRenamed]) -> Commune:
    return replace(state, name=recorded.data.name, aliases=(*state.aliases, state.name))


@commune.evolves(AliasAdded)
def alias_added(state: Commune, recorded: Happened[AliasAdded]) -> Commune:
    return replace(state, aliases=(*state.aliases, recorded.data.alias))


@commune.evolves(ParentChanged)
def parent_changed(state: Commune, recorded: Happened[ParentChanged]) -> Commune:
    fact = recorded.data
    parents = {**state.parents, fact.since: (fact.region, fact.circle)}
    return replace(state, region=fact.region, circle=fact.circle, parents=parents)


@commune.evolves(CouncilTermBegan)
def council_term_began(state: Commune, recorded: Happened[CouncilTermBegan]) -> Commune:
    return replace(state, term_since=recorded.data.since, in_office=recorded.data.in_office)
