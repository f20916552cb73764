"""How far the framework of Dioro has got: each function tells its story up to one stage.

Members: MB-1 the municipality, MB-2 and MB-3 professional organisations, MB-4 technical services,
MB-5 a partner that may not make capital investments. N-1 is the need of MB-2.
"""

from __future__ import annotations

from datetime import date

from cycle.aggregates.framework.adjustment import CarryOverAction, NextMeeting, OpenReview
from cycle.aggregates.framework.committee import DefineMandate, InstallCommittee
from cycle.aggregates.framework.contributions import PledgeContribution
from cycle.aggregates.framework.council import Formalise, RecordDeliberation, SubmitToCouncil
from cycle.aggregates.framework.meetings import CloseMeeting, ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.monitoring import StartMonitoring
from cycle.aggregates.framework.needs import CloseNeeds, DeclareNoNeeds, IdentifyNeed, ValidateNeeds
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.setup import AdmitMember, IdentifyActor, PrioritiseSectors
from cycle.aggregates.terms import (
    ActionId,
    ContributionId,
    DeliberationId,
    Ledger,
    MemberId,
    Nature,
    NeedId,
    NeedKind,
    ObstacleId,
    Outcome,
    Presence,
    ReviewKind,
    Seat,
    Window,
    Worth,
)
from tests.domain.story import Story
from tests.domain.walks import ORGANISATIONS, tale_begun

MAIRIE, RICE, FISH, SERVICE, PARTNER = (MemberId(f"MB-{n}") for n in range(1, 6))
NOBODY = MemberId("MB-9")
NEED = NeedId("N-1")
A1, A2, A9 = ActionId("A-1"), ActionId("A-2"), ActionId("A-9")
C1, C2, C9 = ContributionId("C-1"), ContributionId("C-2"), ContributionId("C-9")
O1, O9 = ObstacleId("O-1"), ObstacleId("O-9")

MET = date(2026, 3, 1)
WINDOW = Window(date(2026, 3, 2), date(2026, 5, 31))
MONITORED = date(2026, 3, 3)
ENDED = WINDOW.ends_on
EVERYBODY = tuple(Presence(m, women=2, men=3, youth=1) for m in (MAIRIE, RICE, FISH, SERVICE, PARTNER))
SEATS = (
    Seat(MAIRIE, "person-1"),
    Seat(RICE, "person-2", woman=True),
    Seat(FISH, "person-3", youth=True),
)
PUMP = ProposeAction(description="Réparer la motopompe", needs=(NEED,), responsible=RICE, due_on=date(2026, 4, 15))
TRACK = ProposeAction(description="Recharger la piste", needs=(NEED,), responsible=MAIRIE, due_on=date(2026, 5, 10))
CASH = PledgeContribution(member=RICE, ledger=Ledger.ACTION, nature=Nature.CASH, worth=Worth(50_000), action=A1)


def at_the_meeting() -> Story:
    """Needs are closed; no meeting is convened yet."""
    told = tale_begun().given(PrioritiseSectors(sectors=("rice", "fish")))
    told.given(IdentifyActor(sector="rice", actor="Benkadi"), IdentifyActor(sector="fish", actor="Jigiya"))
    told.given(*(AdmitMember(organisation=organisation) for organisation in ORGANISATIONS))
    told.given(SubmitToCouncil(), RecordDeliberation(deliberation=DeliberationId(f"d-{Outcome.ADOPTED}")), Formalise())
    told.given(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Motopompe en panne"))
    return told.given(ValidateNeeds(profession=RICE, ranked=(NEED,)), DeclareNoNeeds(profession=FISH), CloseNeeds())


def convened(told: Story, held_on: date) -> Story:
    """A meeting of everybody is in session on this day."""
    told.given(ConveneMeeting(held_on=held_on, place="Mairie"))
    return told.given(OpenMeeting(attendance=EVERYBODY), on=held_on)


def in_session() -> Story:
    return convened(at_the_meeting(), MET)


def proposed() -> Story:
    """A-1 and A-2 are proposed and complete; the meeting is in session."""
    return in_session().given(PUMP, TRACK, on=MET)


def agreed() -> Story:
    """The plan of cycle 1 is agreed; the meeting is still in session."""
    return proposed().given(AgreePlan(window=WINDOW), on=MET)


def planned() -> Story:
    """The plan of cycle 1 is agreed and the meeting closed."""
    return agreed().given(CloseMeeting(minutes="Plan adopté par consensus."), on=MET)


def with_committee() -> Story:
    return planned().given(InstallCommittee(seats=SEATS), DefineMandate(tasks=("Suivre le plan",)), on=MET)


def monitored() -> Story:
    """Monitoring of cycle 1 has started."""
    return with_committee().given(StartMonitoring(), on=MONITORED)


def reviewed() -> Story:
    """The end review of cycle 1 is open, on the last day of the plan."""
    return monitored().given(OpenReview(kind=ReviewKind.END), on=ENDED)


def settled() -> Story:
    """Both actions go on in the next plan."""
    return reviewed().given(*(CarryOverAction(action=action, reason="Pas fini") for action in (A1, A2)))


def second_cycle() -> Story:
    """Cycle 2 begins with its meeting; A-1 and A-2 were carried over."""
    return settled().given(NextMeeting())
