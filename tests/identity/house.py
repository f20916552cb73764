"""A few accounts that sign in, and a clock that is moved by hand: how the tests of identity read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest

from cycle.aggregates.account import GiveGrant, OpenAccount, RevokeGrant
from cycle.aggregates.base import By, Recorded, Role
from cycle.aggregates.terms import AccountKind, GrantId
from cycle.engine import Engine, Said
from cycle.identity.failures import NotSignedIn, Wait
from cycle.identity.sessions import Begun, Sessions
from cycle.identity.shapes import Stage
from cycle.vault.keys import new_key
from tests.people import ADMINISTRATOR, DAY, accounts_begin, admit

KADI, FANTA, OUSMANE, DHIS = "kadi", "fanta", "ousmane", "dhis"
"""An administrator; a facilitator, who decides; an evaluator, who only reads; a machine."""
PASSWORD, OTHER = "le marigot monte en août", "les pirogues rentrent tard"
HERE, THERE = "192.0.2.7", "198.51.100.9"
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()


class House:
    """An engine with its accounts."""

    def __init__(self, url: str, key: Path | None) -> None:
        self.url, self.key, self.now = url, key, MONDAY
        self.engine = Engine(url, clock=lambda: datetime.fromtimestamp(self.now, UTC), vault_key=key)
        self.sessions = Sessions(self.engine, lambda: self.now)
        self.credentials = self.sessions.credentials

    def begun(self) -> House:
        """A new house with everybody in it, and no passwords yet."""
        accounts_begin(self.engine)
        machine = OpenAccount(account=DHIS, kind=AccountKind.MACHINE)
        self.engine.execute(Said(command=machine, by=ADMINISTRATOR, on=DAY))
        admit(
            self.engine,
            (KADI, Role.ADMINISTRATOR, "/"),
            (FANTA, Role.FACILITATOR, "/"),
            (OUSMANE, Role.EVALUATOR, "/"),
            (DHIS, Role.AUDITOR, "/"),
        )
        return self

    def another(self) -> House:
        """The same house as another process knows it."""
        found = House(self.url, self.key)
        found.now = self.now
        return found

    def later(self, seconds: float) -> House:
        self.now += seconds
        return self

    def with_password(self, account: str = OUSMANE, password: str = PASSWORD) -> House:
        self.credentials.set_password(account, account, password)
        return self

    def enters(self, account: str = OUSMANE, password: str = PASSWORD, address: str = HERE) -> Begun:
        return self.sessions.with_password(account, password, address)

    def is_refused(self, account: str, password: str = "not the password", address: str = HERE) -> str:
        """Why the first step fails."""
        with pytest.raises((NotSignedIn, Wait)) as caught:
            self.enters(account, password, address)
        return str(caught.value.cause)

    def sets_up(self, account: str = FANTA) -> tuple[Begun, tuple[str, ...], bytes]:
        """Sign in for the first time, with a second factor that is set up."""
        step = self.enters(account)
        assert step.stage is Stage.SET_UP
        secret = self.credentials.offered(step.id)
        inside, codes = self.sessions.set_up(step.id, self.code(secret), HERE)
        return inside, codes, secret

    def code(self, secret: bytes) -> str:
        """What the telephone shows now."""
        from base64 import b32encode

        return pyotp.TOTP(b32encode(secret).decode()).at(int(self.now))

    def who(self, begun: Begun) -> str | None:
        return self.sessions.account(begun.id)

    def grants(self, account: str, role: Role) -> None:
        command = GiveGrant(role=role, territory="/")
        self.engine.execute(Said(command=command, by=ADMINISTRATOR, on=DAY, target=account))

    def revokes(self, account: str, number: str = "G-1") -> None:
        command = RevokeGrant(grant=GrantId(number), reason="fin")
        self.engine.execute(Said(command=command, by=ADMINISTRATOR, on=DAY, target=account))

    def facts(self, account: str) -> list[Recorded]:  # type: ignore[type-arg]
        return self.engine.states.history(f"account-{account}")  # type: ignore[arg-type]

    def last(self, account: str) -> tuple[str, By]:
        """The last fact about an account, and whose it is."""
        fact = self.facts(account)[-1]
        return fact.type, fact.by


def made_key(folder: Path) -> Path:
    new_key(folder / "vault.key")
    return folder / "vault.key"
