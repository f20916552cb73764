"""Every role, every operation, in its own, its parent's, a sibling's and a foreign territory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path as File

import pytest

from cycle.access import ACTING, ACTIONS, READING, SAYING, Access, Action, Forbidden, authorize, declared
from cycle.aggregates.account import Account, Grant, Path
from cycle.aggregates.base import Aggregate, Command, Role
from cycle.aggregates.known import Known
from cycle.aggregates.terms import GrantId
from cycle.commands import COMMANDS
from cycle.projections.all import PROJECTIONS

DAY = date(2026, 3, 1)
MACINA = ("ML", "Ségou", "Macina")
PLACES: dict[str, Path] = {
    "own": (*MACINA, "ML-4-02-01"),
    "parent": MACINA[:2],
    "sibling": ("ML", "Ségou", "Ségou", "ML-4-01-01"),
    "foreign": ("ML", "Koulikoro", "Kati", "ML-2-03-01"),
}
"""A grant for the circle of Macina: a commune in it, the region above it, a commune beside it, one far away."""


class Row:
    """One line of the plain table."""

    def __init__(self, words: str) -> None:
        may, _, apart = words.partition("| apart ")
        self.anybody = may.strip() == "anybody"
        readers = {role.value for role in Role} - {"operator", "account-holder"}
        self.roles = {role for word in may.split() for role in (readers if word == "readers" else {word})}
        self.apart = set(apart.split())


def table() -> dict[str, Row]:
    lines = (File(__file__).parent / "matrix.txt").read_text("utf-8").splitlines()
    return {name: Row(words) for name, _, words in (line.partition(":") for line in lines if not line.startswith("#"))}


TABLE = table()


def holder(*roles: Role) -> Access:
    """Somebody with these roles in Macina, where somebody else administers everything."""
    grants = {GrantId(f"G-{n}"): Grant(GrantId(f"G-{n}"), role, MACINA, DAY) for n, role in enumerate(roles)}
    root = Grant(GrantId("G-1"), Role.ADMINISTRATOR, (), DAY)
    return Access({"awa": Account(1, "awa", grants=grants), "root": Account(1, "root", grants={root.id: root})})


def passes(access: Access, action: Action, path: Path, role: Role) -> bool:
    try:
        # A command is said in a role; whatever else is done needs any of those that allow it.
        authorize(access, "awa", action, path, DAY, role if action.name in SAYING else None)
    except Forbidden:
        return False
    return True


def cells() -> Iterator[tuple[str, Role, str]]:
    yield from product(ACTIONS, Role, PLACES)


def test_the_table_names_every_operation_and_no_other() -> None:
    assert set(TABLE) == set(ACTIONS)
    assert set(ACTIONS) == {*COMMANDS, *PROJECTIONS, "replay", "next", "timings", "events", *ACTING}


def test_every_role_may_do_what_the_table_says_where_it_is_held_and_nowhere_else() -> None:
    wrong = []
    for name, role, where in cells():
        row, action = TABLE[name], ACTIONS[name]
        expected = row.anybody or (role.value in row.roles and where == "own" and not action.begins)
        if passes(holder(role), action, PLACES[where], role) != expected:
            wrong.append((name, role.value, where, "expected" if expected else "not expected"))
    assert wrong == []


def test_duties_stand_apart_as_the_table_says() -> None:
    for name, row in TABLE.items():
        if row.anybody or ACTIONS[name].begins:
            continue
        for role in map(Role, sorted(row.roles - row.apart)):
            for other in Role:
                expected = other.value not in row.apart
                assert passes(holder(role, other), ACTIONS[name], PLACES["own"], role) is expected, (name, role, other)


def test_the_operator_has_no_command_of_the_domain_and_reads_nothing() -> None:
    of_accounts = {"begin-accounts", "open-account", "give-grant"}
    assert {name for name, action in SAYING.items() if Role.OPERATOR in action.roles} == of_accounts
    assert not any(Role.OPERATOR in action.roles for action in READING.values())


def test_what_declares_nobody_does_not_start_up() -> None:
    with pytest.raises(TypeError, match="fly"):
        declared(["plans", "fly"], READING)

    class Fly(Command):
        roles = ()

    birds: Aggregate[Account, Known] = Aggregate("bird", Account())
    with pytest.raises(TypeError, match="fly declares nobody who may say it"):
        birds.decides(Fly)(lambda state, command, known: ())
