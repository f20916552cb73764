"""Communes and organisations: where frameworks are, and who takes part."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from cycle.aggregates.commune import (
    AliasAdded,
    CommuneRegistered,
    CommuneRenamed,
    CouncilTermBegan,
    ParentChanged,
)
from cycle.aggregates.organisation import (
    Form,
    InvestmentRightChanged,
    MembershipCounted,
    OrganisationFormalised,
    OrganisationRegistered,
)
from cycle.aggregates.terms import Constituency
from cycle.history import Fact
from cycle.projections.base import Projection, Row, itself


class CommuneRow(Row):
    code: str
    name: str
    region: str
    circle: str
    aliases: tuple[str, ...] = ()
    in_office: int | None = None
    term_since: date | None = None
    projection = "communes"


class OrganisationRow(Row):
    organisation: str
    name: str
    constituency: Constituency
    form: Form
    sector: str | None = None
    may_invest: bool = False
    women: int = 0
    men: int = 0
    youth: int = 0
    projection = "organisations"


communes = Projection(CommuneRow)
organisations = Projection(OrganisationRow)


@communes.on(CommuneRegistered, rows=itself)
def registered(row: CommuneRow | None, fact: Fact, part: None) -> CommuneRow | None:
    match fact.recorded.data:
        case CommuneRegistered() as event:
            return CommuneRow(
                commune=fact.recorded.log,
                code=event.commune,
                name=event.name,
                region=event.region,
                circle=event.circle,
                aliases=event.aliases,
            )
    return row


@communes.on(CommuneRenamed, AliasAdded, ParentChanged, CouncilTermBegan, rows=itself)
def commune_changed(row: CommuneRow | None, fact: Fact, part: None) -> CommuneRow | None:
    if row is None:
        return None
    match fact.recorded.data:
        case CommuneRenamed(name=name):
            return replace(row, name=name, aliases=(*row.aliases, row.name))
        case AliasAdded(alias=alias):
            return replace(row, aliases=(*row.aliases, alias))
        case ParentChanged(region=region, circle=circle):
            return replace(row, region=region, circle=circle)
        case CouncilTermBegan(since=since, in_office=in_office):
            return replace(row, in_office=in_office, term_since=since)
    return row


@organisations.on(OrganisationRegistered, rows=itself)
def organisation_registered(row: OrganisationRow | None, fact: Fact, part: None) -> OrganisationRow | None:
    match fact.recorded.data:
        case OrganisationRegistered() as event:
            return OrganisationRow(
                commune=fact.recorded.log,
                organisation=event.organisation,
                name=event.name,
                constituency=event.constituency,
                form=event.form,
                sector=event.sector,
                may_invest=event.may_invest,
            )
    return row


@organisations.on(OrganisationFormalised, MembershipCounted, InvestmentRightChanged, rows=itself)
def organisation_changed(row: OrganisationRow | None, fact: Fact, part: None) -> OrganisationRow | None:
    if row is None:
        return None
    match fact.recorded.data:
        case OrganisationFormalised(form=form):
            return replace(row, form=form)
        case MembershipCounted(women=women, men=men, youth=youth):
            return replace(row, women=women, men=men, youth=youth)
        case InvestmentRightChanged(may_invest=may_invest):
            return replace(row, may_invest=may_invest)
    return row
