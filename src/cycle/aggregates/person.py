"""Person: what is kept of somebody whom other facts only refer to; and how somebody is forgotten.

The facts stand in the commune's log without their personal fields, which the vault holds, encrypted.
The state knows which fields there are, never what they hold.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.personal import personal_fields, personal_values
from cycle.aggregates.terms import (
    CommuneCode,
    ErasureReason,
    Personal,
    PersonField,
    PersonId,
    Reference,
    Telephone,
)

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class PersonRecorded(Event):
    """A person is known under a reference; ``fields`` are those that are sealed."""

    person: PersonId
    commune: CommuneCode
    fields: tuple[PersonField, ...]
    name: Personal | None = None
    telephone: Telephone | None = None
    function: Personal | None = None


class PersonAmended(Event):
    """Other values for ``fields``; what those of ``withdrawn`` held is no longer kept."""

    fields: tuple[PersonField, ...] | None = None
    withdrawn: tuple[PersonField, ...] | None = None
    name: Personal | None = None
    telephone: Telephone | None = None
    function: Personal | None = None

    @property
    def superseded(self) -> tuple[PersonField, ...]:
        """The fields whose older values are no longer kept."""
        return (self.fields or ()) + (self.withdrawn or ())


class PersonErased(Event):
    """Asked for and confirmed: the values and the key to them are destroyed in the same transaction."""

    person: PersonId
    requested_by: Reference
    seconded_by: Reference
    reason: ErasureReason


@cache
def concerns_vault(event: type[Event]) -> bool:
    """Whether facts of this type bring something into the vault, or take something out of it."""
    return event is PersonErased or bool(personal_fields(event))


class Person(Struct, frozen=True):
    """The state of one person."""

    version: int = 0
    id: PersonId = PersonId("")
    commune: CommuneCode = CommuneCode("")
    fields: frozenset[PersonField] = frozenset()
    erased: bool = False


person: Aggregate[Person, Known] = Aggregate("person", Person())


class RecordPerson(Command):
    """Keep name, telephone and function of somebody under a reference; without one, a fresh one is made."""

    commune: CommuneCode
    name: Personal
    telephone: Telephone | None = None
    function: Personal | None = None
    person: Reference | None = None
    roles = (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.MAYOR, Role.PROGRAMME)
    makes = PersonRecorded


class AmendPerson(Command):
    """Set values of a person right, or no longer keep some of them."""

    name: Personal | None = None
    telephone: Telephone | None = None
    function: Personal | None = None
    withdrawn: tuple[PersonField, ...] = ()
    roles = (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.MAYOR, Role.PROGRAMME)


class ErasePerson(Command):
    """Forget a person for good; a second person confirms, for what is destroyed cannot be brought back."""

    reason: ErasureReason
    roles = (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.MAYOR, Role.DATA_PROTECTION)
    seconds = True


def _is_there(state: Person) -> Iterable[Finding]:
    yield Finding("person-unknown", bool(state.version), lift=(Role.FACILITATOR,))
    yield Finding("person-forgotten", not state.erased, values={"person": state.id})


@person.decides(RecordPerson)
def record_person(state: Person, command: RecordPerson, known: Known) -> Iterable[Event]:
    demand(
        Finding("commune-unknown", known.commune is not None, lift=(Role.PROGRAMME, Role.FACILITATOR)),
        Finding("person-known-already", not state.version or state.erased, values={"person": state.id}),
        Finding("person-forgotten", not state.erased, values={"person": state.id}),
        # A reference stands in the log for ever, so it must not say who it is.
        Finding("reference-says-who", not _says_who(command)),
    )
    fields = tuple(map(PersonField, personal_values(command)))
    identity = PersonId(known.new_id)
    yield PersonRecorded(identity, command.commune, fields, command.name, command.telephone, command.function)


def _says_who(command: RecordPerson) -> bool:
    """Whether somebody's own reference holds a word of the name, or the last digits of the telephone number."""
    if command.person is None:
        return False
    reference = _folded(command.person)
    digits = "".join(filter(str.isdecimal, command.telephone or ""))
    words = [word for word in _folded(command.name).split() if len(word) > 2] + ([digits[-6:]] if digits else [])
    plain = "".join(filter(str.isalnum, reference))
    return any("".join(filter(str.isalnum, word)) in plain for word in words if any(map(str.isalnum, word)))


def _folded(text: str) -> str:
    """Without accents, case and compatibility forms, as people would still read it."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))


@person.decides(AmendPerson)
def amend_person(state: Person, command: AmendPerson, known: Known) -> Iterable[Event]:
    fields = tuple(map(PersonField, personal_values(command)))
    withdrawn = tuple(dict.fromkeys(command.withdrawn))
    lost = tuple(field for field in withdrawn if field not in state.fields)
    both = tuple(field for field in withdrawn if field in fields)
    demand(*_is_there(state))
    demand(
        Finding("nothing-amended", bool(fields or withdrawn)),
        Finding("personal-field-not-held", not lost, values={"fields": lost}),
        Finding("personal-field-twice", not both, values={"fields": both}),
    )
    yield PersonAmended(fields or None, withdrawn or None, command.name, command.telephone, command.function)


@person.decides(ErasePerson)
def erase_person(state: Person, command: ErasePerson, known: Known) -> Iterable[Event]:
    demand(*_is_there(state))
    yield PersonErased(state.id, known.by.actor, known.seconded_by, command.reason)


@person.evolves(PersonRecorded)
def person_recorded(state: Person, recorded: Happened[PersonRecorded]) -> Person:
    fact = recorded.data
    return replace(state, id=fact.person, commune=fact.commune, fields=frozenset(fact.fields))


@person.evolves(PersonAmended)
def person_amended(state: Person, recorded: Happened[PersonAmended]) -> Person:
    fact = recorded.data
    return replace(state, fields=state.fields.difference(fact.superseded).union(fact.fields or ()))


@person.evolves(PersonErased)
def person_erased(state: Person, recorded: Happened[PersonErased]) -> Person:
    return replace(state, fields=frozenset(), erased=True)
