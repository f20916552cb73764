"""The words of sheets and calendars, and how they write amounts, places and the cut-offs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from cycle.aggregates.terms import Constituency, Nature, Worth
from cycle.catalogue import Language, shown, template, verbatim
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.frameworks import MemberRow
from cycle.telling import worth
from cycle_adapters.paper.basis import Basis

M = TypeVar("M")


class Group(Struct, Generic[M], frozen=True):
    """The members of one constituency, each as a sheet tells it."""

    name: str
    members: tuple[M, ...]


class Pair(Struct, frozen=True):
    """One line at the head of a sheet."""

    label: str
    value: str


class Wording:
    """One language. What somebody typed stays as it was typed."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        """A text of the catalogue (kind ``paper``)."""
        return verbatim(f"paper.{key}", self.language, **values)

    def raw(self, key: str) -> str:
        """A text whose placeholders the template fills."""
        return template(f"paper.{key}", self.language)

    def word(self, value: object) -> str:
        """A day, a number or a value of an enumeration, as people read it."""
        return str(shown(value, self.language))

    def pair(self, key: str, value: str) -> Pair:
        return Pair(self.say(key), value)

    def columns(self, *keys: str) -> tuple[str, ...]:
        return tuple(map(self.say, keys))

    def amount(self, value: Decimal, unit: str, nature: Nature) -> str:
        """``50 000 F CFA``, ``12 sacs``."""
        if nature is Nature.CASH:
            return worth(Worth(amount_xof=int(value)), self.language)
        return worth(Worth(quantity=value, unit=unit), self.language)

    def place(self, basis: Basis) -> str:
        row = basis.commune
        return self.say("place-of-commune", name=row.name, circle=row.circle, region=row.region)

    def head(self, basis: Basis, *more: Pair) -> tuple[Pair, ...]:
        """What every sheet begins with: where, what, under which rules, and as of when if not now."""
        state = basis.state
        policy = self.say("policy-of", policy=state.policy, version=state.policy_version)
        first = (self.pair("commune", self.place(basis)), self.pair("framework", state.title))
        last = (self.pair("policy", policy), *self._standing(basis.cutoffs))
        return (*first, *more, *last)

    def _standing(self, cutoffs: Cutoffs) -> tuple[Pair, ...]:
        if cutoffs == EVERYTHING:
            return ()
        said = []
        if cutoffs.as_of is not None:
            said.append(self.say("as-of", day=cutoffs.as_of))
        if cutoffs.known_at is not None:
            said.append(self.say("known-at", moment=cutoffs.known_at))
        if cutoffs.at is not None:
            said.append(self.say("at", position=cutoffs.at))
        return (self.pair("standing", ", ".join(said)),)


def capital(words: str) -> str:
    """As a line begins."""
    return words[:1].upper() + words[1:]


def by_constituency(rows: Sequence[MemberRow]) -> list[tuple[Constituency, list[MemberRow]]]:
    """Members as they sit: the municipality first, each constituency by the numbers of its members."""
    ordered = sorted(rows, key=lambda row: int(row.member.partition("-")[2]))
    groups = ((each, [row for row in ordered if row.constituency is each]) for each in Constituency)
    return [(each, found) for each, found in groups if found]


def grouped(rows: Sequence[MemberRow], line: Callable[[MemberRow], M], words: Wording) -> tuple[Group[M], ...]:
    """Members as they sit, told line by line."""
    return tuple(Group(capital(words.word(kind)), tuple(map(line, found))) for kind, found in by_constituency(rows))
