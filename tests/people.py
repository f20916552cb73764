"""Accounts for the tests, opened and granted through the same door as everybody's.

Each role has an account of its own that is called like it, for duties that stand apart.
"""

from __future__ import annotations

from datetime import date

from cycle.aggregates.account import BeginAccounts, GiveGrant, OpenAccount
from cycle.aggregates.base import By, Command, Role
from cycle.engine import Engine, Said
from cycle.reading import Reader

OPERATOR = By("operator", Role.OPERATOR)
ADMINISTRATOR = By("administrator", Role.ADMINISTRATOR)
EVERYWHERE = "/"
GRANTED = [role for role in Role if role is not Role.ACCOUNT_HOLDER]
AWA = [("awa", role, EVERYWHERE) for role in GRANTED if role not in (Role.ADMINISTRATOR, Role.COUNCIL_SECRETARY)]
"""Who does everything in the tests of the doors, but what the council does; and grants nothing."""
DAY = date(2020, 1, 1)
"""Grants hold from here on, whatever day the test is about."""


def by(role: Role, on_behalf_of: str | None = None) -> By:
    """The account of a role."""
    return By(role.value, role, on_behalf_of)


def sayer(command: Command) -> By:
    """Somebody who may say it."""
    return by(command.roles[0])


def accounts_begin(engine: Engine) -> None:
    """The operator's account and an administrator of everything: all that a log begins with."""
    engine.execute_all(
        [
            Said(command=BeginAccounts(account=OPERATOR.actor), by=OPERATOR, on=DAY),
            Said(command=OpenAccount(account=ADMINISTRATOR.actor), by=OPERATOR, on=DAY),
            Said(
                command=GiveGrant(role=Role.ADMINISTRATOR, territory=EVERYWHERE),
                by=OPERATOR,
                on=DAY,
                target=ADMINISTRATOR.actor,
            ),
        ],
        "accounts-begin",
    )


def admit(engine: Engine, *grants: tuple[str, Role, str], administrator: By = ADMINISTRATOR) -> None:
    """Open accounts and give them a role in a territory each: ``("awa", Role.MAYOR, "ML/Ségou")``."""
    engine.door.refresh()
    known: set[str] = set(engine.door.now.accounts)
    saids: list[Said] = []
    for account, role, territory in grants:
        if account not in known:
            known.add(account)
            saids.append(Said(command=OpenAccount(account=account), by=administrator, on=DAY))
        give = GiveGrant(role=role, territory=territory)
        saids.append(Said(command=give, by=administrator, on=DAY, target=account))
    engine.execute_all(saids, f"admit {[said.target for said in saids]} {engine.store.head().position}")


def an_auditor(engine: Engine) -> Reader:
    """Who reads everything and does nothing, through an account of his own; makes ``AUDITORS_FACTS`` facts."""
    accounts_begin(engine)
    admit(engine, ("auditor", Role.AUDITOR, EVERYWHERE))
    reader = Reader(engine, "auditor")
    reader.catch_up()
    return reader


AUDITORS_FACTS = 6


HOW_MANY = 4 + 2 * (len(GRANTED) - 2) + 1 + len(AWA)
"""Facts that ``everybody`` leads to."""


def everybody(engine: Engine) -> int:
    """An account for each role, everywhere, and Awa; returns the position that the log has then."""
    accounts_begin(engine)
    there = (OPERATOR.role, ADMINISTRATOR.role)
    admit(engine, *((role.value, role, EVERYWHERE) for role in GRANTED if role not in there), *AWA)
    return engine.store.head().position
