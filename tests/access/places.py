"""Two communes in two regions, a framework in each, and people with rights in one of them or both."""

from __future__ import annotations

from datetime import date

from cycle.aggregates.account import GiveGrant, RevokeGrant
from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode, FrameworkId, GrantId
from cycle.engine import Engine, Said
from cycle.policy import sample
from cycle.store import Receipt
from tests.people import ADMINISTRATOR, admit, everybody, sayer

DAY = date(2026, 2, 2)
DIORO, KOULA = CommuneCode("ML-4-01-01"), CommuneCode("ML-2-01-02")
SEGOU = "ML/Ségou"


def say(engine: Engine, command: Command, target: str | None = None, by: By | None = None) -> Receipt:
    return engine.execute(Said(command=command, by=by or sayer(command), on=DAY, target=target))


def two_communes(engine: Engine) -> tuple[FrameworkId, FrameworkId]:
    """Dioro in Ségou and Koula in Koulikoro; Fanta facilitates in Ségou and Sira keeps the council's books there."""
    everybody(engine)
    say(engine, PublishPolicy(document=sample()))
    found = []
    for code, name, region in ((DIORO, "Dioro", "Ségou"), (KOULA, "Koula", "Koulikoro")):
        say(engine, RegisterCommune(commune=code, name=name, region=region, circle=region))
        receipt = say(engine, ProposeFramework(commune=code, title=f"Cadre de {name}"))
        found.append(FrameworkId(receipt.stream.partition("-")[2]))
    admit(engine, ("fanta", Role.FACILITATOR, SEGOU), ("sira", Role.COUNCIL_SECRETARY, SEGOU))
    return found[0], found[1]


FANTA, SIRA = By("fanta", Role.FACILITATOR), By("sira", Role.COUNCIL_SECRETARY)


def grant(engine: Engine, account: str, role: Role, territory: str, by: By = ADMINISTRATOR) -> None:
    say(engine, GiveGrant(role=role, territory=territory), account, by)


def revoke(engine: Engine, account: str, number: str = "G-1") -> None:
    say(engine, RevokeGrant(grant=GrantId(number), reason="fin"), account, ADMINISTRATOR)
