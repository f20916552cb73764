"""The accounts of the demo: who may do what, where. Opened and granted as on a real log, from the first one on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cycle.aggregates.account import BeginAccounts, GiveGrant, OpenAccount
from cycle.aggregates.base import By, Role
from cycle.aggregates.terms import AccountKind, CommuneCode

if TYPE_CHECKING:
    from cycle.demo.places import SampleCommune
    from cycle.demo.simulation import Simulated

OPERATOR = By("operator", Role.OPERATOR)
ADMINISTRATOR = By("administrator-pact", Role.ADMINISTRATOR)
PROGRAMME = By("programme-pact", Role.PROGRAMME)
FACILITATOR = By("facilitator-pact", Role.FACILITATOR)
WORKER = By("worker", Role.WORKER)
AUDITOR = "auditor-segou"
OF_A_COMMUNE = (
    Role.FACILITATOR,
    Role.COUNCIL_SECRETARY,
    Role.MAYOR,
    Role.ORGANISATION,
    Role.TECHNICAL_SERVICE,
    Role.PARTNER,
    Role.COMMITTEE,
    Role.SUPERVISING_AUTHORITY,
)
"""Each of them is an account of its own in every commune: ``facilitator-01`` …"""
EVERYWHERE = "/"


def person(role: Role, number: int) -> str:
    """The account of a role in the commune of this number, from 0."""
    return f"{role}-{number + 1:02}"


def begin(simulated: Simulated) -> None:
    """The operator's account, the administrator, and those who are at work everywhere."""
    day = simulated.clock.now.date()
    simulated.say(BeginAccounts(account=OPERATOR.actor), OPERATOR, day)
    simulated.say(OpenAccount(account=ADMINISTRATOR.actor), OPERATOR, day)
    first = GiveGrant(role=Role.ADMINISTRATOR, territory=EVERYWHERE)
    simulated.say(first, OPERATOR, day, ADMINISTRATOR.actor)
    # Who runs the machine has a right to nothing that is recorded; here he is let look around.
    grant(simulated, OPERATOR.actor, Role.AUDITOR, EVERYWHERE)
    for by in (PROGRAMME, FACILITATOR):
        admit(simulated, by.actor, by.role, EVERYWHERE)
    admit(simulated, WORKER.actor, WORKER.role, EVERYWHERE, AccountKind.MACHINE)
    admit(simulated, AUDITOR, Role.AUDITOR, "ML/Ségou")
    admit(simulated, "evaluator-pact", Role.EVALUATOR, "ML")
    admit(simulated, "data-protection-pact", Role.DATA_PROTECTION, EVERYWHERE)


def of_a_commune(simulated: Simulated, commune: SampleCommune, number: int) -> None:
    """The people of one commune."""
    for role in OF_A_COMMUNE:
        admit(simulated, person(role, number), role, territory(commune))


def territory(commune: SampleCommune) -> str:
    return f"{CommuneCode(commune.code).partition('-')[0]}/{commune.region}/{commune.circle}/{commune.code}"


def admit(simulated: Simulated, account: str, role: Role, where: str, kind: AccountKind = AccountKind.PERSON) -> None:
    """An account with one grant."""
    simulated.say(OpenAccount(account=account, kind=kind), ADMINISTRATOR, simulated.clock.now.date())
    grant(simulated, account, role, where)


def grant(simulated: Simulated, account: str, role: Role, where: str) -> None:
    simulated.say(GiveGrant(role=role, territory=where), ADMINISTRATOR, simulated.clock.now.date(), account)
