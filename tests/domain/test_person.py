"""People: what is kept of them, and how two together forget somebody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cycle.aggregates.base import EVENTS, By, Command, Happened, Refused, Role
from cycle.aggregates.disclosure import DisclosePerson, disclosure
from cycle.aggregates.known import Known
from cycle.aggregates.person import AmendPerson, ErasePerson, Person, PersonErased, RecordPerson, person
from cycle.aggregates.personal import is_personal, personal_fields, personal_values, without_personal
from cycle.aggregates.terms import ErasureReason, PersonField, PersonId, Purpose
from cycle.catalogue import LANGUAGES
from cycle.commands import COMMANDS
from cycle.telling import refusal_lines
from tests.domain.story import DIORO

DAY = date(2026, 3, 1)
RECORD = RecordPerson(commune=DIORO.code, name="Awa Traoré", telephone="+223 76 12 34 56")
ERASE = ErasePerson(reason=ErasureReason.OWN_REQUEST)


class Tale:
    """What became of one person."""

    def __init__(self, **known: Any) -> None:
        self.state: Person = person.initial
        self.known = {"commune": DIORO, "new_id": "p-1", "seconded_by": "moussa", **known}

    def given(self, command: Command) -> Tale:
        by = By("fanta", command.roles[0])
        for fact in person.decide(self.state, command, Known(on=DAY, today=DAY, by=by, **self.known)):
            stored = without_personal(fact)
            self.state = person.fold(self.state, [Happened(stored, DAY, self.state.version + 1)])
        return self

    def refused(self, command: Command, *codes: str) -> None:
        with pytest.raises(Refused) as caught:
            self.given(command)
        assert {finding.code for finding in caught.value.findings} == set(codes)
        for language in LANGUAGES:
            told = " ".join(refusal_lines(caught.value, language))
            assert "Awa" not in told
            assert "12 34" not in told


def test_the_state_knows_which_fields_are_kept_and_never_what_they_hold() -> None:
    told = Tale().given(RECORD).given(AmendPerson(function="maire", withdrawn=(PersonField.TELEPHONE,)))
    assert told.state.fields == {PersonField.NAME, PersonField.FUNCTION}
    assert "Awa" not in repr(told.state)
    told.refused(RECORD, "person-known-already")
    told.refused(AmendPerson(), "nothing-amended")
    told.refused(AmendPerson(withdrawn=(PersonField.TELEPHONE,)), "personal-field-not-held")
    told.refused(AmendPerson(name="A", withdrawn=(PersonField.NAME,)), "personal-field-twice")
    Tale(commune=None).refused(RECORD, "commune-unknown")
    for command in (AmendPerson(name="A"), ERASE):
        Tale().refused(command, "person-unknown")


@pytest.mark.parametrize("reference", ["awa", "a.traore@dioro", "TRAORÉ-1", "ａｗａ", "tel:76123456", "p-12-34-56"])
def test_a_reference_does_not_say_who_it_is(reference: str) -> None:
    Tale(new_id=reference).refused(RecordPerson(**{**_fields(RECORD), "person": reference}), "reference-says-who")


@pytest.mark.parametrize("reference", ["p-1", "ML-4-01-01/7", "0199", "a-w-b"])
def test_a_reference_that_says_nothing_is_taken(reference: str) -> None:
    Tale(new_id=reference).given(RecordPerson(**{**_fields(RECORD), "person": reference}))


def _fields(command: RecordPerson) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__}


def test_two_together_forget_and_the_fact_names_both_and_the_reason() -> None:
    assert ErasePerson.seconds, "see test_request: who asks does not confirm"
    told = Tale().given(RECORD)
    known = Known(on=DAY, today=DAY, by=By("fanta", Role.MAYOR), seconded_by="moussa")
    [fact] = person.decide(told.state, ERASE, known)
    assert fact == PersonErased(PersonId("p-1"), "fanta", "moussa", ErasureReason.OWN_REQUEST)
    told.given(ERASE)
    assert told.state.erased
    assert not told.state.fields


def test_who_is_forgotten_stays_forgotten() -> None:
    told = Tale().given(RECORD).given(ERASE)
    told.refused(AmendPerson(name="Awa"), "person-forgotten")
    told.refused(ERASE, "person-forgotten")
    told.refused(RECORD, "person-forgotten")


def test_what_is_not_kept_is_not_shown() -> None:
    def shown(state: Person | None, *fields: PersonField) -> set[str]:
        command = DisclosePerson(person=PersonId("p-1"), fields=fields, purpose=Purpose.CONTACT)
        known = Known(on=DAY, today=DAY, by=By("x", Role.MAYOR), person=state)
        try:
            disclosure.decide(disclosure.initial, command, known)
        except Refused as refused:
            return {finding.code for finding in refused.findings}
        return set()

    told = Tale().given(RECORD)
    assert shown(told.state, PersonField.NAME) == set()
    assert shown(told.state) == {"nothing-to-disclose"}
    assert shown(told.state, PersonField.FUNCTION) == {"personal-field-not-held"}
    assert shown(None, PersonField.NAME) == {"person-unknown"}
    forgotten = told.given(ERASE).state
    assert shown(forgotten, PersonField.NAME) == {"person-forgotten"}


def test_personal_fields_are_declared_once_and_are_where_the_vault_looks() -> None:
    personal = {event for event in EVENTS.values() if personal_fields(event)}
    assert personal <= person.events, "the key of a stream is a person's"
    for event in personal:
        assert not event.correctable & set(personal_fields(event)), "a correction would stand in a leaf"
        assert personal_values(event(**_least(event))) == {}, "absent from a leaf"
    names = {str(field) for field in PersonField}
    for struct in (*personal, *(c for c in COMMANDS.values() if personal_fields(c))):
        assert set(personal_fields(struct)) == names


def _least(event: type[Any]) -> dict[str, Any]:
    values = {"person": PersonId("p-1"), "commune": DIORO.code, "fields": (PersonField.NAME,)}
    return {name: value for name, value in values.items() if name in event.__struct_fields__}


def test_nothing_personal_hides_inside_another_field() -> None:
    from typing import get_type_hints

    from msgspec import Struct

    def inner(hint: Any) -> set[type[Struct]]:
        parts = {part for each in getattr(hint, "__args__", ()) for part in inner(each)}
        return parts | ({hint} if isinstance(hint, type) and issubclass(hint, Struct) else set())

    for struct in (*EVENTS.values(), *COMMANDS.values()):
        for hint in get_type_hints(struct, include_extras=True).values():
            for part in inner(hint):
                hints = get_type_hints(part, include_extras=True)
                assert not any(map(is_personal, hints.values())), (struct, part)


def test_a_printout_hides_what_is_personal() -> None:
    assert repr(RECORD) == ("RecordPerson(commune='ML-4-01-01', name=…, telephone=…, function=None, person=None)")
    fact = person.decide(person.initial, RECORD, Known(on=DAY, today=DAY, by=By("x", Role.MAYOR), commune=DIORO))[0]
    assert "Awa" not in repr(fact)
    assert repr(ERASE) == "ErasePerson(reason=<ErasureReason.OWN_REQUEST: 'own-request'>)"
