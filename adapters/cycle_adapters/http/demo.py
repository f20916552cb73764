"""Signing in to a demo: one button for each account of a few places, for everything in it is made up."""

from __future__ import annotations

from msgspec import Struct

from cycle.aggregates.account import territory_of
from cycle.aggregates.base import PLATFORM
from cycle.aggregates.terms import AccountKind
from cycle.catalogue import Language, shown
from cycle.demo.people import ADMINISTRATOR, OPERATOR
from cycle.demo.simulation import KEY
from cycle.engine import Engine
from cycle.reading import Reader

FIRST = 1
"""The number of the commune whose people come first."""


class Button(Struct, frozen=True):
    """An account that a newcomer may be."""

    account: str
    role: str
    where: str


def is_demo(engine: Engine) -> bool:
    """Whether ``cycle demo`` made this log: its first save has the first key of the demo."""
    found = engine.store.receipt(KEY.format(1))
    if found is None or found[1].events[0].position != 1:
        return False
    engine.door.refresh()
    return {OPERATOR.actor, ADMINISTRATOR.actor} <= set(engine.door.now.accounts) and found[1].events[0].log == PLATFORM


def buttons(engine: Engine, language: Language) -> tuple[Button, ...]:
    """The people of the first commune, then those who are at work everywhere."""
    access, today = engine.door.now, engine.today()
    communes = {row.code: row.name for row in Reader(engine, OPERATOR.actor).communes()}
    found = []
    for name, account in sorted(access.accounts.items()):
        grants = access.grants(name, today)
        if account.kind is not AccountKind.PERSON or not grants or (name[-2:].isdigit() and int(name[-2:]) != FIRST):
            continue
        place = grants[0].territory
        # A code says nothing to a newcomer, who looks for the commune on the board.
        where = communes.get(place[-1] if place else "", territory_of(place))
        roles = ", ".join(dict.fromkeys(str(shown(grant.role, language)) for grant in grants))
        found.append((name[-2:].isdigit(), Button(name, roles, str(shown(where, language)))))
    return tuple(button for _, button in sorted(found, key=lambda each: (not each[0], each[1].account)))
