"""Disclosure: that somebody saw personal values, kept in the ``platform`` log. Each is a stream of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Role, demand
from cycle.aggregates.terms import CommuneCode, Count, PersonField, PersonId, Purpose

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class PersonDisclosed(Event):
    """Which fields of whom were shown, and what for; never what they hold."""

    person: PersonId
    commune: CommuneCode
    fields: tuple[PersonField, ...]
    purpose: Purpose


class PeopleDisclosed(Event):
    """The openings of a commune's log went into a bundle: of so many people, up to this size of the log."""

    commune: CommuneCode
    people: Count
    size: int
    purpose: Purpose


class Disclosure(Struct, frozen=True):
    """The state of a disclosure: it is made, and that is all."""

    version: int = 0


disclosure: Aggregate[Disclosure, Known] = Aggregate("disclosure", Disclosure())
disclosure.ignores(PersonDisclosed, PeopleDisclosed)


class DisclosePerson(Command):
    """Note that values of a person are shown, and what for."""

    person: PersonId
    fields: tuple[PersonField, ...]
    purpose: Purpose
    roles = (
        Role.FACILITATOR,
        Role.COUNCIL_SECRETARY,
        Role.MAYOR,
        Role.PROGRAMME,
        Role.SUPERVISING_AUTHORITY,
        Role.DATA_PROTECTION,
    )


class DisclosePeople(Command):
    """Note that the openings of a commune's log are handed to somebody, in a bundle."""

    commune: CommuneCode
    people: Count
    size: Count
    purpose: Purpose
    roles = (Role.SUPERVISING_AUTHORITY, Role.PROGRAMME, Role.MAYOR, Role.AUDITOR, Role.DATA_PROTECTION)


@disclosure.decides(DisclosePerson)
def disclose_person(state: Disclosure, command: DisclosePerson, known: Known) -> Iterable[Event]:
    person = known.person
    held = person.fields if person is not None else frozenset()
    lost = tuple(field for field in command.fields if field not in held)
    demand(Finding("person-unknown", person is not None, lift=(Role.FACILITATOR,)))
    assert person is not None
    demand(Finding("person-forgotten", not person.erased, values={"person": person.id}))
    demand(
        Finding("nothing-to-disclose", bool(command.fields), values={"person": person.id}),
        Finding("personal-field-not-held", not lost, values={"fields": lost}),
    )
    yield PersonDisclosed(person.id, person.commune, command.fields, command.purpose)


@disclosure.decides(DisclosePeople)
def disclose_people(state: Disclosure, command: DisclosePeople, known: Known) -> Iterable[Event]:
    demand(Finding("commune-unknown", known.commune is not None, lift=(Role.PROGRAMME, Role.FACILITATOR)))
    yield PeopleDisclosed(command.commune, command.people, command.size, command.purpose)
