"""Stories for the tests of shares and signs, beside those of Dioro."""

from __future__ import annotations

from datetime import date

from cycle.aggregates.framework.committee import AmendMandate, KeepCommittee
from cycle.aggregates.framework.contributions import PledgeContribution
from cycle.aggregates.framework.council import Formalise, RecordDeliberation, SubmitToCouncil
from cycle.aggregates.framework.meetings import CloseMeeting
from cycle.aggregates.framework.monitoring import StartMonitoring
from cycle.aggregates.framework.needs import CloseNeeds, IdentifyNeed, ValidateNeeds
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.setup import AdmitMember, IdentifyActor, PrioritiseSectors
from cycle.aggregates.terms import (
    DeliberationId,
    Ledger,
    MandateCause,
    Nature,
    NeedId,
    NeedKind,
    Outcome,
    Window,
    Worth,
)
from tests.domain.dioro import A1, FISH, RICE, convened
from tests.domain.story import Story
from tests.domain.walks import ORGANISATIONS, tale_begun

PUMP_DUE, TRACK_DUE = date(2026, 4, 15), date(2026, 5, 10)
YEAR_END = date(2026, 12, 31)
SECOND = Window(date(2026, 6, 10), date(2026, 8, 31))
CASH_DUE = PledgeContribution(
    member=RICE, ledger=Ledger.ACTION, nature=Nature.CASH, worth=Worth(50_000), action=A1, due_on=PUMP_DUE
)


def next_plan(told: Story, *actions: ProposeAction, on: date = SECOND.starts_on) -> Story:
    """The second cycle has a plan of these actions, and is monitored."""
    convened(told, on)
    told.given(*actions, AgreePlan(window=SECOND), CloseMeeting(minutes="Adopté."), on=on)
    return told.given(
        KeepCommittee(), AmendMandate(cause=MandateCause.RESULTS, tasks=("Suivre",)), StartMonitoring(), on=on
    )


def with_two_needs() -> Story:
    """Needs of two professions are closed; no meeting is convened yet."""
    told = tale_begun().given(PrioritiseSectors(sectors=("rice", "fish")))
    told.given(IdentifyActor(sector="rice", actor="Benkadi"), IdentifyActor(sector="fish", actor="Jigiya"))
    told.given(*(AdmitMember(organisation=organisation) for organisation in ORGANISATIONS))
    told.given(SubmitToCouncil(), RecordDeliberation(deliberation=DeliberationId(f"d-{Outcome.ADOPTED}")), Formalise())
    for profession in (RICE, FISH):
        told.given(IdentifyNeed(profession=profession, kind=NeedKind.INVESTMENT, description="Besoin"))
    for profession, need in ((RICE, "N-1"), (FISH, "N-2")):
        told.given(ValidateNeeds(profession=profession, ranked=(NeedId(need),)))
    return told.given(CloseNeeds())
