"""A commune that keeps particulars of people: how the tests of the vault read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from cycle.aggregates.base import By, Command, LogName, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.person import AmendPerson, ErasePerson, RecordPerson
from cycle.aggregates.request import ConfirmRequest
from cycle.aggregates.terms import CommuneCode, ErasureReason, PersonId, Purpose
from cycle.engine import Engine, Said
from cycle.store import Receipt
from cycle.vault.people import disclose, openings
from tests.people import EVERYWHERE, accounts_begin, admit
from tests.proofs.sealing import SEALED_AT as SEALED_AT

DIORO = CommuneCode("ML-4-01-01")
LOG = LogName(DIORO)
DAY = date(2026, 3, 1)
AWA = RecordPerson(commune=DIORO, name="Awa Traoré-Diarra", telephone="+223 76 12 34 56", function="présidente")
SECRETS = ("Awa Traoré-Diarra", "+223 76 12 34 56", "présidente")
"""What no file may hold."""
ACCOUNTS = (
    *(("fanta", role, EVERYWHERE) for role in (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.PROGRAMME)),
    ("moussa", Role.COUNCIL_SECRETARY, EVERYWHERE),
    ("issa", Role.COUNCIL_SECRETARY, EVERYWHERE),
    ("mayor-1", Role.MAYOR, EVERYWHERE),
    ("auditor", Role.AUDITOR, EVERYWHERE),
    ("officer", Role.DATA_PROTECTION, EVERYWHERE),
)


MOUSSA, ISSA = By("moussa", Role.COUNCIL_SECRETARY), By("issa", Role.COUNCIL_SECRETARY)


class Town:
    """An engine with a commune, and who says what."""

    def __init__(self, url: str, key: Path | None, **more: Callable[[int], bytes]) -> None:
        self.url, self.key = url, key
        self.engine = Engine(url, vault_key=key, **more)  # type: ignore[arg-type]

    def founded(self) -> Town:
        """A new town, in the log, and whoever has something to do in it."""
        self.admitted()
        self.say(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou"))
        return self

    def admitted(self) -> Town:
        """Accounts for those who say something here."""
        accounts_begin(self.engine)
        admit(self.engine, *ACCOUNTS)
        return self

    def again(self, key: Path | None = None) -> Town:
        """The same database, opened once more."""
        self.engine.close()
        return Town(self.url, key or self.key)

    def say(self, command: Command, target: str | None = None, actor: str = "fanta", key: str | None = None) -> Receipt:
        by = By(actor, command.roles[0])
        return self.engine.execute(Said(command=command, by=by, on=DAY, target=target, key=key))

    def record(self, command: RecordPerson = AWA, key: str | None = None) -> PersonId:
        return PersonId(self.say(command, key=key).stream.partition("-")[2])

    def amend(self, person: PersonId, command: AmendPerson) -> Receipt:
        return self.say(command, person)

    def request(self, person: PersonId, actor: str = "fanta") -> str:
        """Ask that a person be forgotten; returns the id of the request."""
        return self.say(ErasePerson(reason=ErasureReason.OWN_REQUEST), person, actor).stream.partition("-")[2]

    def confirm(self, request: str, by: By = MOUSSA, key: str | None = None) -> Receipt:
        return self.engine.execute(Said(command=ConfirmRequest(), by=by, on=DAY, target=request, key=key))

    def forget(self, person: PersonId) -> Receipt:
        return self.confirm(self.request(person))

    def shown(self, person: PersonId) -> dict[str, str]:
        return dict(disclose(self.engine, MAYOR, person, Purpose.CONTACT).values)

    def opened(self, size: int | None = None) -> list[tuple[int, str]]:
        found = openings(self.engine, LOG, MAYOR, size=size)
        return [(each.index, each.disclosure) for each in found.lines]

    def leaves(self, log: LogName | None = LOG) -> list[bytes]:
        return [bytes(leaf) for *_, leaf in self.engine.store.read(0, log=log)]


MAYOR = By("mayor-1", AWA.roles[2])
