"""The sample territory: communes, councils, and the organisations that will be members."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from cycle.aggregates.account import CloseAccount, RevokeGrant
from cycle.aggregates.base import Command
from cycle.aggregates.commune import AddAlias, BeginCouncilTerm, ChangeParent, RegisterCommune, RenameCommune
from cycle.aggregates.organisation import (
    ChangeInvestmentRight,
    CountMembership,
    Form,
    FormaliseOrganisation,
    RegisterOrganisation,
)
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode, Constituency, GrantId, OrganisationId
from cycle.demo.people import ADMINISTRATOR, AUDITOR, FACILITATOR, PROGRAMME, begin, of_a_commune
from cycle.demo.steps import Step, Steps
from cycle.policy import Policy, sample

if TYPE_CHECKING:
    from cycle.demo.simulation import Simulated

COOPERATIVES = ("Benkadi", "Jigiya", "Faso Jigi", "Sabougnouma", "Kotognogontala", "Danaya")
SEATS = (11, 17, 23, 27)
"""Seats of a commune council: they go by its population."""


class SampleCommune(Struct, frozen=True):
    """A commune of the sample, as the source writes it; ``aliases`` as other sources do.

    ``sectors`` are plausible there: fish and rice on the river, livestock where it is dry.
    """

    code: CommuneCode
    name: str
    circle: str
    region: str
    aliases: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()


class Home(Struct, frozen=True):
    """A commune with what the story needs of it."""

    commune: SampleCommune
    in_office: int
    organisations: tuple[OrganisationId, ...]
    cooperatives: tuple[OrganisationId, ...]

    @property
    def sectors(self) -> tuple[str, ...]:
        return self.commune.sectors


class Territory(Struct, frozen=True):
    """All the homes, and the organisations that several of them share."""

    homes: tuple[Home, ...]
    ngos: tuple[OrganisationId, ...]


def sample_communes() -> tuple[SampleCommune, ...]:
    """The twenty communes. Source: WOCAT approach, with our own stable codes."""
    text = (files("cycle.demo") / "territory.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[SampleCommune, ...])


def found(simulated: Simulated) -> Territory:
    """Open the accounts, publish the policy, register communes, councils and organisations."""
    today, communes = simulated.clock.now.date(), sample_communes()
    begin(simulated)
    simulated.say(PublishPolicy(document=sample()), PROGRAMME, today)
    for number, commune in enumerate(communes):
        _register(simulated, commune)
        of_a_commune(simulated, commune, number)
    # The programme is at work everywhere, services and NGOs in a circle: each stands once in the log.
    pact = _organisation(simulated, communes[0], "PACT", Constituency.PARTNER, Form.PROGRAMME)
    services, ngos = {}, {}
    for circle in dict.fromkeys(commune.circle for commune in communes):
        seat = next(commune for commune in communes if commune.circle == circle)
        name = f"Secteur de l'agriculture de {circle}"
        services[circle] = _organisation(simulated, seat, name, Constituency.TECHNICAL_SERVICE, Form.PUBLIC_BODY)
        ngos[circle] = _organisation(simulated, seat, f"ONG Sabu de {circle}", Constituency.NGO, Form.ASSOCIATION)
    homes = []
    for commune in communes:
        hall = _organisation(
            simulated,
            commune,
            f"Mairie de {commune.name}",
            Constituency.MUNICIPALITY,
            Form.PUBLIC_BODY,
            invests=True,
        )
        names = simulated.chance.sample(COOPERATIVES, 2)
        own = tuple(
            _cooperative(simulated, commune, name, sector) for name, sector in zip(names, commune.sectors, strict=False)
        )
        everybody = (hall, *own, services[commune.circle], pact, ngos[commune.circle])
        homes.append(Home(commune, simulated.chance.choice(SEATS), everybody, own))
        term = BeginCouncilTerm(since=today - timedelta(days=39), in_office=homes[-1].in_office)
        simulated.say(term, PROGRAMME, today, commune.code)
    return Territory(tuple(homes), tuple(ngos.values()))


def _register(simulated: Simulated, commune: SampleCommune) -> None:
    # In Macina the other way to write a name is noticed later, when the council's file arrives.
    registered = RegisterCommune(
        commune=commune.code,
        name=commune.name,
        region=commune.region,
        circle=commune.circle,
        aliases=() if commune.circle == "Macina" else commune.aliases,
    )
    today = simulated.clock.now.date()
    simulated.say(registered, PROGRAMME, today)
    if commune.circle == "Macina":
        for alias in commune.aliases:
            simulated.say(AddAlias(alias=alias), PROGRAMME, today, commune.code)


def _organisation(
    simulated: Simulated,
    commune: SampleCommune,
    name: str,
    constituency: Constituency,
    form: Form,
    sector: str | None = None,
    *,
    invests: bool = False,
) -> OrganisationId:
    command = RegisterOrganisation(
        commune=commune.code,
        name=name,
        constituency=constituency,
        form=form,
        sector=sector,
        may_invest=invests,
    )
    receipt = simulated.say(command, PROGRAMME, simulated.clock.now.date())
    return OrganisationId(receipt.stream.partition("-")[2])


def _cooperative(simulated: Simulated, commune: SampleCommune, name: str, sector: str) -> OrganisationId:
    """On average a commune has two cooperatives of 60 to 120 members each (WOCAT)."""
    constituency = Constituency.PROFESSIONAL_ORGANISATION
    label = f"Coopérative {name} de {commune.name}"
    identity = _organisation(simulated, commune, label, constituency, Form.GROUP, sector, invests=True)
    people = simulated.chance.randint(60, 120)
    women = round(people * simulated.chance.uniform(0.25, 0.75))
    count = CountMembership(women=women, men=people - women, youth=people * simulated.chance.randint(15, 45) // 100)
    simulated.say(count, FACILITATOR, simulated.clock.now.date(), identity)
    return identity


def second_policy() -> Policy:
    """What two years taught: longer notice, and two rounds before a mediator is called."""
    first = sample()
    return msgspec.structs.replace(
        first,
        version=2,
        meeting_notice_days=msgspec.structs.replace(first.meeting_notice_days, value=10),
        negotiation_rounds=msgspec.structs.replace(first.negotiation_rounds, value=2),
    )


def years(simulated: Simulated, territory: Territory, until: date) -> Steps:
    """What happens beside the frameworks: papers, counts, rights, names, circles, a new version of the policy."""
    chance, first = simulated.chance, simulated.clock.now.date()
    planned: list[Step] = []

    def plan(day: date, command: Command, target: str | None = None) -> None:
        by = next(by for by in (PROGRAMME, FACILITATOR, ADMINISTRATOR) if by.role in command.roles)
        planned.append(Step(command, by, day, day + timedelta(days=chance.randint(0, 6)), target))

    for number, home in enumerate(territory.homes):
        for cooperative in home.cooperatives:
            papers = first + timedelta(days=chance.randint(30, 700))
            receipt = f"recepisse-{number + 1:02}-{chance.randint(100, 999)}"
            formalised = FormaliseOrganisation(form=Form.COOPERATIVE, receipt=receipt, formalised_on=papers)
            plan(papers, formalised, cooperative)
            for year in (1, 2, 3):
                women, men = chance.randint(25, 70), chance.randint(30, 55)
                count = CountMembership(women=women, men=men, youth=chance.randint(10, 40))
                plan(first + timedelta(days=365 * year + chance.randint(0, 40)), count, cooperative)
    right = ChangeInvestmentRight(may_invest=True, reason="Un bailleur finance désormais des équipements")
    plan(first + timedelta(days=400), right, territory.ngos[0])
    codes = {home.commune.name: home.commune.code for home in territory.homes}
    # Nyamina became the seat of a circle of its own in 2023; Kolongo is also known by its longer name.
    day = first + timedelta(days=63)
    plan(day, ChangeParent(region="Koulikoro", circle="Nyamina", since=day), codes["Nyamina"])
    day = first + timedelta(days=210)
    plan(day, RenameCommune(name="Kolongotomo", since=day), codes["Kolongo"])
    plan(first + timedelta(days=520), PublishPolicy(document=second_policy()))
    day = first + timedelta(days=300)
    plan(day, RevokeGrant(grant=GrantId("G-1"), reason="La mission d'audit est terminée"), AUDITOR)
    plan(day + timedelta(days=7), CloseAccount(reason="La mission d'audit est terminée"), AUDITOR)
    for step in sorted(planned, key=lambda step: (step.recorded_on, step.target or "")):
        if step.recorded_on <= until:
            yield step
