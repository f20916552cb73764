"""Commune: names with aliases, parents over time, council terms. Its code never derives from a name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from cycle.aggregates.base import Event
from cycle.aggregates.terms import CommuneCode, Count, Name


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
    since: date
    correctable = frozenset({"since"})


class AliasAdded(Event):
    """Another way in which sources write the name."""

    alias: Name


class ParentChanged(Event):
    """The commune belongs to another circle or region from ``since`` on."""

    region: Name
    circle: Name
    since: date
    correctable = frozenset({"region", "circle", "since"})


class CouncilTermBegan(Event):
    """A newly elected council: how many members hold office, from when."""

    since: date
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
