"""The sample territory: communes, councils, and the organisations that will be members."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from cycle.aggregates.base import By, Role
from cycle.aggregates.commune import BeginCouncilTerm, RegisterCommune
from cycle.aggregates.organisation import CountMembership, Form, RegisterOrganisation
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode, Constituency, OrganisationId
from cycle.demo.words import SECTORS
from cycle.policy import sample

if TYPE_CHECKING:
    from cycle.demo.simulation import Simulated

PROGRAMME = By("programme-pact", Role.PROGRAMME)


class SampleCommune(Struct, frozen=True):
    """A commune of the sample, as the source writes it; ``aliases`` as other sources do."""

    code: CommuneCode
    name: str
    circle: str
    region: str
    aliases: tuple[str, ...] = ()


class Home(Struct, frozen=True):
    """A commune with what the story needs of it."""

    commune: SampleCommune
    sectors: tuple[str, ...]
    in_office: int
    organisations: tuple[tuple[OrganisationId, str, Constituency], ...]


class Territory(Struct, frozen=True):
    communes: tuple[Home, ...]


def sample_communes() -> tuple[SampleCommune, ...]:
    """The twenty communes. Source: WOCAT approach, with our own stable codes."""
    text = (files("cycle.demo") / "territory.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[SampleCommune, ...])


def found(simulated: Simulated) -> Territory:
    """Publish the policy, register communes, councils and organisations."""
    today = simulated.clock.now.date()
    simulated.say(PublishPolicy(document=sample()), PROGRAMME, today)
    return Territory(tuple(_home(simulated, commune) for commune in sample_communes()))


def _home(simulated: Simulated, commune: SampleCommune) -> Home:
    chance, today = simulated.chance, simulated.clock.now.date()
    simulated.say(
        RegisterCommune(
            commune=commune.code,
            name=commune.name,
            region=commune.region,
            circle=commune.circle,
            aliases=commune.aliases,
        ),
        PROGRAMME,
        today,
    )
    in_office = chance.choice((11, 17, 23, 27))
    simulated.say(
        BeginCouncilTerm(since=today.replace(month=1, day=1), in_office=in_office), PROGRAMME, today, commune.code
    )
    sectors = tuple(chance.sample(SECTORS, chance.choice((2, 2, 3))))
    cooperative = (Constituency.PROFESSIONAL_ORGANISATION, Form.COOPERATIVE)
    wanted = (
        (f"Mairie de {commune.name}", Constituency.MUNICIPALITY, Form.PUBLIC_BODY, None, True),
        (f"Coopérative Benkadi de {commune.name}", *cooperative, sectors[0], True),
        (f"Coopérative Jigiya de {commune.name}", *cooperative, sectors[1], True),
        ("Secteur de l'agriculture", Constituency.TECHNICAL_SERVICE, Form.PUBLIC_BODY, None, False),
        ("PACT", Constituency.PARTNER, Form.PROGRAMME, None, False),
        (f"ONG Sabu de {commune.circle}", Constituency.NGO, Form.ASSOCIATION, None, True),
    )
    organisations = []
    for name, constituency, form, sector, may_invest in wanted:
        command = RegisterOrganisation(
            commune=commune.code,
            name=name,
            constituency=constituency,
            form=form,
            sector=sector,
            may_invest=may_invest,
        )
        stream = simulated.say(command, PROGRAMME, today).stream
        identity = OrganisationId(stream.partition("-")[2])
        organisations.append((identity, name, constituency))
        if constituency is Constituency.PROFESSIONAL_ORGANISATION:
            women, men = chance.randint(20, 70), chance.randint(30, 60)
            count = CountMembership(women=women, men=men, youth=chance.randint(10, 30))
            simulated.say(count, PROGRAMME, today, identity)
    return Home(commune, sectors, in_office, tuple(organisations))
