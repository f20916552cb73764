"""Facts and findings read as a person would write them, also where something is absent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cycle.aggregates.base import By, Event, Finding, LogName, Recorded, Role, StreamId
from cycle.aggregates.framework.anytime import FactCorrected
from cycle.aggregates.framework.contributions import ContributionPledged
from cycle.aggregates.framework.council import CouncilDeliberated
from cycle.aggregates.framework.meetings import LogisticsArranged
from cycle.aggregates.framework.monitoring import MonitoringRecorded
from cycle.aggregates.framework.needs import NeedAmended
from cycle.aggregates.framework.proposals import ActionProposed
from cycle.aggregates.framework.setup import ActorIdentified
from cycle.aggregates.terms import (
    ActionId,
    Aspect,
    ContributionId,
    DeliberationId,
    Ledger,
    LogisticsKind,
    MeetingId,
    MemberId,
    Method,
    Nature,
    NeedId,
    Outcome,
    Rhythm,
    Use,
    Votes,
    Worth,
)
from cycle.telling import reason, sentence, what_helps

PLAIN = {0xA0: " ", 0x202F: " "}
M1, MB2 = MeetingId("M-1"), MemberId("MB-2")
PLEDGED = ContributionPledged(
    ContributionId("C-1"),
    1,
    MB2,
    Ledger.APPROACH,
    Nature.LABOUR,
    Use.OPERATING,
    Worth(quantity=Decimal("2.50"), unit="jours"),
)


def recorded(data: Event) -> Recorded[Event]:
    return Recorded(
        data=data,
        occurred_on=date(2026, 1, 1),
        version=1,
        by=By("awa", Role.FACILITATOR),
        causation="k",
        command="c",
        correlation="k",
        id="e",
        log=LogName("ML-4-01-01"),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        schema=1,
        stream=StreamId("framework-1"),
        type=data.type,
    )


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (LogisticsArranged(M1, LogisticsKind.ROOM), "Pour M-1 : salle."),
        (LogisticsArranged(M1, LogisticsKind.ROOM, None, 5000, MB2), "Pour M-1 : salle, 5 000 F CFA payés par MB-2."),
        (PLEDGED, "MB-2 promet C-1 : 2,5 jours (travail, fonctionnement, registre : démarche)."),
        (ActionProposed(ActionId("A-1"), 1, "Curer le canal"), "L'action A-1 est proposée : Curer le canal."),
        (NeedAmended(NeedId("N-1"), estimate_xof=50000), "Le besoin N-1 est modifié (estimation : 50 000 F CFA)."),
        (ActorIdentified("rice", "Association Benkadi"), "Riz : un acteur est identifié, Association Benkadi."),
        (
            ActorIdentified("rice", "Association Benkadi", 1, 2),
            "Riz : un acteur est identifié, Association Benkadi (1 femme, 2 hommes).",
        ),
        (
            MonitoringRecorded(Aspect.ECONOMIC, Method.MEASUREMENT, Rhythm.REGULAR, "Échalotes", Decimal(3557), "kg"),
            "Suivi (aspect : économique ; méthode : mesure ; rythme : régulier) : Échalotes — 3 557 kg.",
        ),
        (
            CouncilDeliberated(DeliberationId("d"), "7", Outcome.ADOPTED, date(2026, 1, 1), Votes(23, 18, 16, 1, 1, 2)),
            "Le conseil a délibéré le 1er janvier 2026 (numéro 7) : adoptée ; 16 pour, 1 contre, 1 abstention ;"
            " 18 présents sur 23, procurations : 2.",
        ),
        (
            CouncilDeliberated(DeliberationId("d"), "7", Outcome.NOTED, date(2026, 1, 1)),
            "Le conseil a délibéré le 1er janvier 2026 (numéro 7) : prise d'acte.",
        ),
        (
            FactCorrected("e", 3, "meeting-opened", (), "Liste mal lue"),
            "Le fait n° 3 de cet historique est corrigé : Liste mal lue",
        ),
    ],
)
def test_a_fact_reads_as_a_sentence(fact: Event, words: str) -> None:
    assert sentence(recorded(fact), "fr").translate(PLAIN) == words


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            Finding(
                "wrong-stage", values={"command": "c", "stage": "suspended", "wanted": ("monitoring", "adjustment")}
            ),
            "Ceci est possible aux étapes suivi par le comité ou réajustement ; état actuel du cadre : suspendu.",
        ),
        (
            Finding("more-than-pledged", values={"contribution": "C-1", "open": "1.0", "arriving": "2.5"}),
            "2,5 dépasse ce qui reste de C-1 : 1.",
        ),
        (
            Finding("no-quorum", values={"present": 1, "members": 4, "required": 2, "absent": ("MB-1",)}),
            "1 membre sur 4 est présent, il en faut 2 ; absents : MB-1.",
        ),
        (
            Finding("too-few-sectors", values={"count": 1, "sectors": ("rice",), "minimum": 2}),
            "1 filière retenue (riz), il en faut au moins 2.",
        ),
    ],
)
def test_a_finding_agrees_with_its_numbers(finding: Finding, words: str) -> None:
    assert reason(finding, "fr").translate(PLAIN) == words
    assert "{" not in what_helps(finding, "fr")
