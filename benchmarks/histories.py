"""Long and plausible histories of one framework, as facts: fifty to a cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice, repeat
from operator import itemgetter

from cycle.aggregates.base import By, Event, LogName, Recorded, Role, StreamId
from cycle.aggregates.framework.adjustment import CycleClosed, CycleOpened, PlanReviewed, ReviewOpened, Settled
from cycle.aggregates.framework.committee import CommitteeInstalled, CommitteeKept, MandateDefined
from cycle.aggregates.framework.contributions import ContributionPledged, ContributionReceived
from cycle.aggregates.framework.council import CouncilDeliberated, FrameworkFormalised
from cycle.aggregates.framework.meetings import (
    InvitationSent,
    MeetingClosed,
    MeetingConvened,
    MeetingOpened,
    MinutesApproved,
    Quorum,
)
from cycle.aggregates.framework.monitoring import (
    ActionCompleted,
    ActionStarted,
    MonitoringRecorded,
    MonitoringStarted,
    ProgressReported,
)
from cycle.aggregates.framework.needs import (
    NeedIdentified,
    NeedsIdentificationClosed,
    NeedsIdentificationOpened,
    NeedsReopened,
    ProfessionNeedsValidated,
)
from cycle.aggregates.framework.obstacles import (
    ObstacleCommunicated,
    ObstacleIdentified,
    ObstacleResolved,
    ObstacleSolutionAgreed,
)
from cycle.aggregates.framework.plan import AgreedAction, PlanAgreed
from cycle.aggregates.framework.proposals import ActionProposed
from cycle.aggregates.framework.setup import FrameworkProposed, MemberAdmitted, SectorsPrioritised
from cycle.aggregates.terms import (
    ActionId,
    ActionOutcome,
    Aspect,
    CommuneCode,
    Constituency,
    ContributionId,
    DecisionMode,
    DeliberationId,
    FrameworkId,
    Ledger,
    MandateCause,
    MeetingId,
    MemberId,
    Method,
    Nature,
    NeedId,
    NeedKind,
    ObstacleId,
    OrganisationId,
    Outcome,
    PolicyId,
    Presence,
    ReviewKind,
    Rhythm,
    Seat,
    Use,
    Votes,
    Window,
    Worth,
)

BY = By("facilitator-1", Role.FACILITATOR)
MEMBERS = tuple(MemberId(f"MB-{n}") for n in range(1, 6))
SEATS = tuple(Seat(m, f"person-{m}", woman=n % 2 == 0, youth=n % 2 == 1) for n, m in enumerate(MEMBERS))
ACTIONS_A_CYCLE = 4
CYCLE_DAYS = 95
FIRST_DAY = date(1900, 1, 1)
STEADY = repeat(1.0)


def life(
    framework: str, commune: str, day: date = FIRST_DAY, paces: Iterable[float] = STEADY
) -> Iterator[tuple[date, Event]]:
    """The facts of one framework from its first day on, cycle after cycle, each at a pace.

    At pace 1 a cycle takes one slow quarter. What is planned is planned at pace 1, whatever comes of it.
    """
    policy = (PolicyId("wocat-pact"), 1, "0" * 64)
    yield (
        day,
        FrameworkProposed(
            FrameworkId(framework), CommuneCode(commune), "Cadre de concertation", "Africa/Bamako", *policy
        ),
    )
    yield day, SectorsPrioritised(("market-gardening", "rice"))
    kinds = [Constituency.MUNICIPALITY, *[Constituency.PROFESSIONAL_ORGANISATION] * 2,
             Constituency.TECHNICAL_SERVICE, Constituency.PARTNER]  # fmt: skip
    for member, kind in zip(MEMBERS, kinds, strict=True):
        yield day, MemberAdmitted(member, OrganisationId(f"o-{member}"), kind, f"Organisation {member}")
    council = DeliberationId("d-1")
    yield day, CouncilDeliberated(council, "1900-1", Outcome.ADOPTED, day, Votes(23, 20, 18, 1, 1))
    yield day, FrameworkFormalised(1, council)
    yield day, NeedsIdentificationOpened(1)
    for cycle, pace in enumerate(paces, 1):
        facts = sorted(one_cycle(cycle, day), key=itemgetter(0))
        yield from ((day + timedelta(days=round(after * pace)), fact) for after, fact in facts)
        day += timedelta(days=round(CYCLE_DAYS * pace))


def one_cycle(cycle: int, day: date) -> Iterator[tuple[int, Event]]:
    """Days after the beginning of the cycle at pace 1, and what happened."""
    needs = tuple(NeedId(f"N-{cycle * 4 - n}") for n in range(4))
    actions = tuple(ActionId(f"A-{cycle * ACTIONS_A_CYCLE - n}") for n in range(ACTIONS_A_CYCLE))
    for n, need in enumerate(needs):
        text = f"Réparer le puits maraîcher n° {n} et clôturer le périmètre"
        yield 1, NeedIdentified(need, cycle, MEMBERS[1 + n % 2], NeedKind.INVESTMENT, text)
    yield 2, ProfessionNeedsValidated(MEMBERS[1], needs[::2])
    yield 2, ProfessionNeedsValidated(MEMBERS[2], needs[1::2])
    yield 3, NeedsIdentificationClosed(cycle, needs)
    meeting = MeetingId(f"M-{cycle}")
    yield 3, MeetingConvened(meeting, cycle, day + timedelta(days=10), "Mairie", 1)
    yield 4, InvitationSent(meeting, MEMBERS, "radio")
    present = tuple(Presence(m, women=3, men=4, youth=2) for m in MEMBERS)
    yield 10, MeetingOpened(meeting, cycle, 1, present, Quorum("wocat-pact-1/7", 3, 5, True))
    due = day + timedelta(days=85)
    for action, need in zip(actions, needs, strict=True):
        yield (
            10,
            ActionProposed(action, cycle, "Réparer la motopompe", needs=(need,), responsible=MEMBERS[0], due_on=due),
        )
    pledges = tuple(ContributionId(f"C-{cycle * ACTIONS_A_CYCLE - n}") for n in range(ACTIONS_A_CYCLE))
    for pledge, action in zip(pledges, actions, strict=True):
        yield (
            10,
            ContributionPledged(
                pledge,
                cycle,
                MEMBERS[0],
                Ledger.ACTION,
                Nature.CASH,
                Use.OPERATING,
                Worth(50_000),
                action,
                due,
            ),
        )
    agreed = tuple(
        AgreedAction(a, "Réparer la motopompe", MEMBERS[0], due, (n,)) for a, n in zip(actions, needs, strict=True)
    )
    window = Window(day + timedelta(days=11), day + timedelta(days=90))
    yield 10, PlanAgreed(cycle, 1, window, DecisionMode.CONSENSUS, meeting, agreed, pledges)
    yield 10, MeetingClosed(meeting, "Procès-verbal lu et accepté")
    yield 11, (CommitteeInstalled if cycle == 1 else CommitteeKept)(cycle, SEATS)
    yield (
        11,
        MandateDefined(cycle, cycle, ("Suivre le plan", "Remonter les difficultés"), MandateCause.INSTALLATION),
    )
    yield 12, MonitoringStarted(cycle)
    yield 13, MinutesApproved(meeting)
    obstacle = ObstacleId(f"O-{cycle}")
    yield 30, ObstacleIdentified(obstacle, cycle, "La piste est coupée", 2, actions[0])
    yield 32, ObstacleCommunicated(obstacle, MEMBERS[:2])
    yield 35, ObstacleSolutionAgreed(obstacle, "Remblayer avant les pluies", MEMBERS[1])
    yield 50, ObstacleResolved(obstacle, "Piste praticable")
    for action, pledge in zip(actions, pledges, strict=True):
        yield 20, ActionStarted(action)
        yield 40, ProgressReported(action, 50, "Moitié faite")
        yield 60, ContributionReceived(pledge, Worth(50_000), f"recu-{pledge}")
        yield 80, ActionCompleted(action)
    for week in range(4):
        yield (
            15 + 7 * week,
            MonitoringRecorded(
                Aspect.ECONOMIC,
                Method.MEASUREMENT,
                Rhythm.REGULAR,
                "Échalotes vendues",
                Decimal(1200 + week),
                "kg",
            ),
        )
    yield 91, ReviewOpened(cycle, ReviewKind.END, window.ends_on)
    yield 91, PlanReviewed(cycle, "Le plan est tenu")
    yield 92, CycleClosed(cycle, tuple(Settled(a, ActionOutcome.COMPLETED) for a in actions))
    yield 92, CycleOpened(cycle + 1)
    yield 92, NeedsReopened(cycle + 1, "Nouvelle campagne")


def history(framework: str, commune: str, events: int, *, first_second: int = 0) -> list[Recorded[Event]]:
    """``events`` facts of one framework in their envelopes; ``recorded_at`` one second apart."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        recorded(framework, commune, version, day, data, begin + timedelta(seconds=first_second + version))
        for version, (day, data) in enumerate(islice(life(framework, commune), events), 1)
    ]


def recorded(framework: str, commune: str, version: int, day: date, data: Event, at: datetime) -> Recorded[Event]:
    """A fact in its envelope."""
    key = f"{framework}-{version}"
    return Recorded(
        by=BY,
        causation=key,
        command="history",
        correlation=key,
        data=data,
        id=f"{framework}-{version:08}-0000-7000-8000",
        log=LogName(commune),
        occurred_on=day,
        recorded_at=at,
        schema=data.schema,
        stream=StreamId(f"framework-{framework}"),
        type=data.type,
        version=version,
    )
