"""Numbers in a history have their names beside them."""

from __future__ import annotations

import re

import msgspec
from benchmarks.histories import history

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.corrections import Change, FactCorrected
from cycle.aggregates.framework.contributions import ContributionReceived
from cycle.aggregates.framework.monitoring import ActionStarted
from cycle.aggregates.framework.obstacles import ObstacleCommunicated
from cycle.naming import Names
from cycle.telling import corrections, sentence

PLAIN = str.maketrans("\u00a0\u202f", "  ")
TOLD = history("f", "ML-4-01-01", 60)


def told(fact: Recorded[Event], names: Names) -> str:
    return names.beside(fact, sentence(fact, "fr")).translate(PLAIN)


def first(kind: type[Event]) -> Recorded[Event]:
    return next(fact for fact in TOLD if isinstance(fact.data, kind))


def learned() -> Names:
    names = Names("fr")
    for fact in TOLD:
        names.learn(fact)
    return names


def test_actions_promises_and_members_are_named() -> None:
    names = learned()
    assert re.search(r"A-[1-4] \(Réparer la motopompe\)", told(first(ActionStarted), names))
    assert re.search(r"C-[1-4] \(Organisation MB-1, 50 000 F CFA\)", told(first(ContributionReceived), names))
    communicated = told(first(ObstacleCommunicated), names)
    assert "O-1 (La piste est coupée)" in communicated
    assert "Organisation MB-1 (MB-1) et Organisation MB-2 (MB-2)" in communicated


def test_another_framework_has_other_names() -> None:
    elsewhere = msgspec.structs.replace(first(ActionStarted), stream="framework-g")
    assert "(" not in told(elsewhere, learned())


def test_a_correction_says_values_in_words() -> None:
    worth = Change("worth", msgspec.Raw(b'{"amount_xof":425000}'), msgspec.Raw(b'{"amount_xof":420000}'))
    day = Change("occurred_on", msgspec.Raw(b'"2023-10-15"'), msgspec.Raw(b'"2023-10-10"'))
    note = Change("receipt", now=msgspec.Raw(b'"recu-1"'))
    people = Change("attendance", msgspec.Raw(b"[]"), msgspec.Raw(b'[{"member":"MB-1","women":3}]'))

    def said(kind: str, change: Change) -> str:
        fact = FactCorrected("e", 7, kind, (change,), "Erreur")
        return corrections(msgspec.structs.replace(TOLD[0], data=fact), "fr")[0].translate(PLAIN)

    assert said("contribution-received", worth).endswith(" : 425 000 F CFA → 420 000 F CFA")
    assert said("contribution-received", day).endswith(" : 15 octobre 2023 → 10 octobre 2023")
    assert said("contribution-received", note).endswith(" : — → recu-1")
    assert "MB-1" in said("meeting-opened", people)
    assert "{" not in said("meeting-opened", people)
