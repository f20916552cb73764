"""What people of the sample say: short French texts, so that the demo reads like minutes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from cycle.aggregates.terms import Aspect, IncentiveKind, NeedKind

FOUNDING = "Mise en place du cadre de concertation entre la commune et les acteurs des filières porteuses"
DISSOLVING = "Dissolution du cadre de concertation"


class Wish(Struct, frozen=True):
    """A need and the action that would answer it; ``{site}`` stands for a place in the commune."""

    kind: NeedKind
    need: str
    action: str
    estimate_xof: int | None = None

    def at(self, site: str) -> Wish:
        return Wish(self.kind, self.need.format(site=site), self.action.format(site=site), self.estimate_xof)


class Measure(Struct, frozen=True):
    """What a committee measures regularly in a sector, and between which values it lies."""

    subject: str
    unit: str
    least: int
    most: int


class Trade(Struct, frozen=True):
    """One sector: its actors, their needs, its measures."""

    actor: str
    wishes: tuple[Wish, ...]
    measures: tuple[Measure, ...]


class Trouble(Struct, frozen=True):
    """An obstacle, how bad it is, what helps against it, how its end is told."""

    what: str
    severity: int
    solutions: tuple[str, ...]
    ended: str


class Words(Struct, frozen=True):
    """Every text of the demo, by what it is said about; ``trades`` by the code of the sector."""

    trades: dict[str, Trade]
    sites: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    reopened: tuple[str, ...]
    minutes: tuple[str, ...]
    objections: tuple[str, ...]
    tasks: tuple[str, ...]
    trainings: tuple[str, ...]
    observed: dict[Aspect, tuple[str, ...]]
    incentives: dict[IncentiveKind, str]
    lessons: tuple[str, ...]
    carried: tuple[str, ...]
    abandoned: tuple[str, ...]
    waived: tuple[str, ...]
    reneged: tuple[str, ...]
    postponed: tuple[str, ...]
    suspended: tuple[str, ...]
    channels: tuple[str, ...]
    papers: tuple[str, ...]
    business: tuple[str, ...]


@cache
def words() -> Words:
    """The texts that ship with the demo."""
    return msgspec.json.decode((files("cycle.demo") / "words.json").read_bytes(), type=Words)
