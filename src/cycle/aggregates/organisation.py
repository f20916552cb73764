"""Organisation: a legal person that lives across frameworks. It may be a member of several."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Recorded, Role, demand
from cycle.aggregates.corrections import Correction, FactCorrected, corrected, stays_visible
from cycle.aggregates.terms import Code, CommuneCode, Constituency, Count, Name, OrganisationId, Past, Text

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class Form(StrEnum):
    """How formal it is."""

    GROUP = "group"
    COOPERATIVE = "cooperative"
    ASSOCIATION = "association"
    UNION = "union"
    COMPANY = "company"
    PUBLIC_BODY = "public-body"
    PROGRAMME = "programme"


class OrganisationRegistered(Event):
    """``commune`` is where it is at home and in whose log it stands."""

    organisation: OrganisationId
    commune: CommuneCode
    name: Name
    constituency: Constituency
    form: Form
    sector: Code | None = None
    may_invest: bool = False
    correctable = frozenset({"name", "form", "sector", "may_invest"})


class OrganisationFormalised(Event):
    """It got its papers: receipt number and new form."""

    form: Form
    receipt: Name
    formalised_on: Past
    correctable = frozenset({"receipt", "formalised_on"})


class MembershipCounted(Event):
    """How many people belong to it on a day."""

    women: Count
    men: Count
    youth: Count = 0
    correctable = frozenset({"women", "men", "youth"})


class InvestmentRightChanged(Event):
    """Whether it may make capital investments."""

    may_invest: bool
    reason: Text


class Organisation(Struct, frozen=True):
    """The state of one organisation."""

    version: int = 0
    id: OrganisationId = OrganisationId("")
    commune: CommuneCode = CommuneCode("")
    name: str = ""
    constituency: Constituency = Constituency.PROFESSIONAL_ORGANISATION
    form: Form = Form.GROUP
    sector: str | None = None
    may_invest: bool = False
    women: int = 0
    men: int = 0
    youth: int = 0


organisation: Aggregate[Organisation, Known] = Aggregate("organisation", Organisation())


class RegisterOrganisation(Command):
    """Register an organisation at home in a commune."""

    commune: CommuneCode
    name: Name
    constituency: Constituency
    form: Form
    sector: Code | None = None
    may_invest: bool = True
    roles = (Role.FACILITATOR, Role.PROGRAMME)
    makes = OrganisationRegistered


class FormaliseOrganisation(Command):
    """Note that an organisation got its papers."""

    form: Form
    receipt: Name
    formalised_on: Past
    roles = (Role.FACILITATOR, Role.MAYOR)


class CountMembership(Command):
    """Note how many people belong to an organisation."""

    women: Count
    men: Count
    youth: Count = 0
    roles = (Role.FACILITATOR, Role.ORGANISATION)


class ChangeInvestmentRight(Command):
    """Note whether an organisation may make capital investments."""

    may_invest: bool
    reason: Text
    roles = (Role.PROGRAMME, Role.FACILITATOR)


class CorrectOrganisation(Correction):
    """Set fields of a fact about the organisation right; the wrong fact stays visible."""

    roles = (Role.FACILITATOR, Role.PROGRAMME)


def _registered(state: Organisation) -> Finding:
    return Finding("organisation-unknown", bool(state.version), values={"organisation": "—"}, lift=(Role.FACILITATOR,))


@organisation.decides(RegisterOrganisation)
def register_organisation(state: Organisation, command: RegisterOrganisation, known: Known) -> Iterable[Event]:
    demand(Finding("commune-unknown", known.commune is not None, lift=(Role.PROGRAMME, Role.FACILITATOR)))
    yield OrganisationRegistered(
        OrganisationId(known.new_id),
        command.commune,
        command.name,
        command.constituency,
        command.form,
        command.sector,
        command.may_invest,
    )


@organisation.decides(FormaliseOrganisation)
def formalise_organisation(state: Organisation, command: FormaliseOrganisation, known: Known) -> Iterable[Event]:
    demand(_registered(state))
    yield OrganisationFormalised(command.form, command.receipt, command.formalised_on)


@organisation.decides(CountMembership)
def count_membership(state: Organisation, command: CountMembership, known: Known) -> Iterable[Event]:
    counted = MembershipCounted(command.women, command.men, command.youth)
    demand(_registered(state), _youth_among(state, counted))
    yield counted


def _youth_among(state: Organisation, counted: MembershipCounted) -> Finding:
    met = counted.youth <= counted.women + counted.men
    return Finding("more-youth-than-people", met, values={"members": state.name})


@organisation.decides(ChangeInvestmentRight)
def change_investment_right(state: Organisation, command: ChangeInvestmentRight, known: Known) -> Iterable[Event]:
    demand(_registered(state), Finding("nothing-amended", command.may_invest != state.may_invest))
    yield InvestmentRightChanged(command.may_invest, command.reason)


@organisation.decides(CorrectOrganisation)
def correct_organisation(state: Organisation, command: CorrectOrganisation, known: Known) -> Iterable[Event]:
    def holds(before: Recorded[Event], after: Recorded[Event]) -> Iterable[Finding]:
        if isinstance(after.data, MembershipCounted):
            yield _youth_among(state, after.data)

    yield corrected(command, known, holds)


organisation.evolves(FactCorrected)(stays_visible)


@organisation.evolves(OrganisationRegistered)
def organisation_registered(state: Organisation, recorded: Happened[OrganisationRegistered]) -> Organisation:
    fact = recorded.data
    return replace(
        state,
        id=fact.organisation,
        commune=fact.commune,
        name=fact.name,
        constituency=fact.constituency,
        form=fact.form,
        sector=fact.sector,
        may_invest=fact.may_invest,
    )


@organisation.evolves(OrganisationFormalised)
def organisation_formalised(state: Organisation, recorded: Happened[OrganisationFormalised]) -> Organisation:
    return replace(state, form=recorded.data.form)


@organisation.evolves(MembershipCounted)
def membership_counted(state: Organisation, recorded: Happened[MembershipCounted]) -> Organisation:
    fact = recorded.data
    return replace(state, women=fact.women, men=fact.men, youth=fact.youth)


@organisation.evolves(InvestmentRightChanged)
def investment_right_changed(state: Organisation, recorded: Happened[InvestmentRightChanged]) -> Organisation:
    return replace(state, may_invest=recorded.data.may_invest)
