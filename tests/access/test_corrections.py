"""Who sets a fact right: where duties stand apart, only who may record it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import encode

from cycle.access import SAYING, Forbidden
from cycle.aggregates.base import By, Event, Recorded, Role
from cycle.aggregates.deliberation import CorrectDeliberation, deliberation
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Stage
from cycle.catalogue import LANGUAGES
from cycle.engine import Engine, Said
from cycle.lookup import stream_of
from cycle.telling import refusal_lines
from tests.engine.path import ENDS, Path
from tests.people import admit, by

FACILITATOR, SECRETARY = by(Role.FACILITATOR), by(Role.COUNCIL_SECRETARY)
OF_THE_COUNCIL = {
    "council-deliberated": ("number", "2026-04"),
    "deliberation-became-executory": ("executory_on", date(2026, 1, 19)),
}
"""What a framework copies of the council's decision, and a field of it."""


@pytest.fixture
def way(engine: Engine) -> Path:
    found = Path(engine)
    found.to(Stage.MEETING)
    return found


def fact_of(way: Path, kind: str) -> Recorded[Event]:
    history = way.engine.states.history(stream_of(framework, way.framework))
    return next(fact for fact in history if fact.type == kind)


def correct(way: Path, fact: Recorded[Event], who: By, field: str, value: object) -> None:
    changes = {field: Raw(encode(value))}
    command = CorrectFact(fact_version=fact.version, changes=changes, reason="Erreur de saisie")
    way.engine.execute(Said(command=command, by=who, on=ENDS, target=way.framework))


@pytest.mark.parametrize("kind", OF_THE_COUNCIL)
def test_who_facilitates_does_not_set_right_what_the_council_decided(way: Path, kind: str) -> None:
    fact, change = fact_of(way, kind), OF_THE_COUNCIL[kind]
    # What was let through a moment ago was another fact.
    correct(way, fact_of(way, "need-identified"), FACILITATOR, "description", "Une décortiqueuse neuve")
    with pytest.raises(Forbidden) as caught:
        correct(way, fact, FACILITATOR, *change)
    assert [finding.code for finding in caught.value.findings] == ["not-to-set-right"]
    assert caught.value.readable
    told = {language: " ".join(refusal_lines(caught.value, language)) for language in LANGUAGES}
    assert f"Fact {fact.version} was recorded with `{fact.command}`" in told["en"]
    assert "falls to the role secretary of the council: as facilitator" in told["en"]
    assert "réservé au rôle secrétaire du conseil communal" in told["fr"]
    correct(way, fact, SECRETARY, *change)
    assert fact_of(way, kind) != fact


def test_who_facilitates_too_does_not_set_it_right_in_another_role(way: Path) -> None:
    admit(way.engine, (SECRETARY.actor, Role.FACILITATOR, "/"))
    for kind, change in OF_THE_COUNCIL.items():
        with pytest.raises(Forbidden) as caught:
            correct(way, fact_of(way, kind), SECRETARY, *change)
        assert [finding.code for finding in caught.value.findings] == ["duties-apart"]


def test_other_facts_are_set_right_as_before(way: Path) -> None:
    for who, what in ((FACILITATOR, "Une décortiqueuse neuve"), (SECRETARY, "Deux décortiqueuses")):
        correct(way, fact_of(way, "need-identified"), who, "description", what)
        assert fact_of(way, "need-identified").data.description == what  # type: ignore[attr-defined]


def test_the_register_of_the_council_keeps_to_the_same_rule(way: Path) -> None:
    founding = way.engine.framework(way.framework).deliberation
    assert founding is not None

    def set_right(who: By, number: str) -> Any:
        changes = {"number": Raw(encode(number))}
        command = CorrectDeliberation(fact_version=1, changes=changes, reason="Erreur de saisie")
        return way.engine.execute(Said(command=command, by=who, on=ENDS, target=founding.id))

    with pytest.raises(Forbidden, match="not-to-set-right"):
        set_right(by(Role.SUPERVISING_AUTHORITY), "2026-05")
    set_right(by(Role.MAYOR), "2026-06")
    assert way.engine.states.history(stream_of(deliberation, founding.id))[0].data.number == "2026-06"  # type: ignore[attr-defined]


def test_the_rule_follows_from_the_declarations() -> None:
    """A command that keeps a role apart is all that it takes."""
    apart = {name for name, action in SAYING.items() if action.apart}
    assert apart == {"record-deliberation", "follow-deliberation", "enter-deliberation"}
