"""Organisation: a legal person that lives across frameworks. It may be a member of several."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from cycle.aggregates.base import Event
from cycle.aggregates.terms import Code, CommuneCode, Constituency, Count, Name, OrganisationId, Text


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
    formalised_on: date
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
