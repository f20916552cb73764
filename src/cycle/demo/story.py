"""The life of one framework: what its people decide, and what goes wrong."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.deliberation import AnnulDeliberation, MakeExecutory
from cycle.aggregates.framework import (
    adjustment,
    anytime,
    committee,
    meetings,
    monitoring,
    needs,
    obstacles,
    plan,
    setup,
)
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import ActionStage, Framework, ObstacleStage, Stage
from cycle.aggregates.terms import (
    AdjournReason,
    Aspect,
    CommuneCode,
    Constituency,
    DeadlineKind,
    DeliberationId,
    FrameworkId,
    IncentiveKind,
    Ledger,
    LogisticsKind,
    MandateCause,
    MemberId,
    Method,
    Nature,
    NeedKind,
    Presence,
    ReviewKind,
    Rhythm,
    Seat,
    Use,
    Window,
    Worth,
)
from cycle.demo.councils import sitting
from cycle.demo.places import Home, Territory
from cycle.demo.words import (
    ACTIONS,
    MINUTES,
    NEEDS,
    OBJECTIONS,
    OBSTACLES,
    SOLUTIONS,
    TASKS,
)
from cycle.engine import Engine, stream_of


class Import(Struct, frozen=True):
    """A council's file to be imported."""

    commune: CommuneCode
    data: bytes
    source: str


class Step(Struct, frozen=True):
    """One thing that happens: what, who says it, on which day, and when it gets recorded."""

    what: Command | Import
    by: By
    on: date
    recorded_on: date
    target: str | None = None
    late: bool = False
    closes_cycle: bool = False


Steps = Generator[Step, Any, Any]


class Teller:
    """Tells the steps of one framework; ``day`` moves on as the story does."""

    def __init__(self, chance: Random, number: int, home: Home, engine: Engine) -> None:
        self.chance = chance
        self.number = number
        self.home = home
        self.engine = engine
        self.day = date(2023, 1, 16) + timedelta(days=chance.randint(0, 60))
        self.known = self.day
        self.pace = max(0.5, chance.gammavariate(4, 0.25))
        """How slow this framework is: 1 is ordinary."""
        self.trust = 1.0
        """Fades with promises that are not kept; attendance follows it."""
        self.id = FrameworkId("")

    @property
    def state(self) -> Framework:
        return self.engine.framework(self.id, fresh=False)

    def wait(self, least: int, most: int) -> None:
        self.day += timedelta(days=round(self.chance.randint(least, most) * self.pace))

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    def who(self, role: Role) -> By:
        behalf = {Role.COMMITTEE: "comité-de-suivi"}.get(role)
        return By(f"{role}-{self.number + 1:02}", role, behalf)

    def do(self, command: Command, role: Role | None = None, target: str | None = None, **more: bool) -> Steps:
        """One command about the framework (or about ``target``)."""
        lag = self.chance.choice((0, 0, 0, 0, 1, 1, 2, 4, 9)) if self.likely(0.9) else self.chance.randint(15, 40)
        self.known = max(self.known, self.day + timedelta(days=lag))
        by = self.who(role or command.roles[0])
        answer = yield Step(command, by, self.day, self.known, target or self.id or None, **more)
        return answer

    def members(self, constituency: Constituency) -> list[MemberId]:
        return [m.id for m in self.state.members.values() if m.constituency is constituency]


def tell_framework(chance: Random, number: int, home: Home, territory: Territory, cycles: int, engine: Engine) -> Steps:
    """From the proposal to the end of the last cycle."""
    tell = Teller(chance, number, home, engine)
    yield from set_up(tell)
    for turn in range(1, cycles + 1):
        if turn == 2 and number % 9 == 4:
            yield from annulled(tell)
        yield from one_cycle(tell, turn, last=turn == cycles)
        if turn == 3 and number % 10 == 7 and cycles > 3:
            yield from dissolved(tell)
            return
    yield from today(tell, cycles + 1, number % 5)


def today(tell: Teller, turn: int, how_far: int) -> Steps:
    """Where people are now: no two communes at the same point of the cycle that runs."""
    if tell.state.stage is Stage.NEEDS_IDENTIFICATION and how_far > 0:
        yield from name_needs(tell, turn)
    if how_far > 1:
        yield from meet(tell, turn)
    if how_far > 2:
        yield from install(tell, turn)
    if how_far > 3:
        yield from trouble(tell, turn)
        yield from work_on(tell, tell.state.negotiated()[0].id)


def set_up(tell: Teller) -> Steps:
    home, chance = tell.home, tell.chance
    proposed = setup.ProposeFramework(commune=home.commune.code, title=f"Cadre de concertation de {home.commune.name}")
    receipt = yield from tell.do(proposed)
    tell.id = FrameworkId(receipt.stream.partition("-")[2])
    tell.wait(1, 5)
    yield from tell.do(setup.PrioritiseSectors(sectors=home.sectors), Role.MAYOR)
    for sector in home.sectors:
        tell.wait(1, 4)
        actor = setup.IdentifyActor(
            sector=sector,
            actor=f"Groupement {sector} de {home.commune.name}",
            women=chance.randint(10, 60),
            men=chance.randint(10, 60),
        )
        yield from tell.do(actor)
    for organisation, _, _ in home.organisations:
        yield from tell.do(setup.AdmitMember(organisation=organisation))
    for attempt, outcome in enumerate(_council(tell)):
        tell.wait(5, 20)
        yield from tell.do(setup.SubmitToCouncil(note=f"Passage n° {attempt + 1}"))
        tell.wait(3, 25)
        yield from deliberated(tell, outcome)
    tell.wait(1, 6)
    due = tell.day + timedelta(days=30)
    yield from tell.do(setup.Formalise(needs_due_on=due), Role.MAYOR)


def _council(tell: Teller) -> tuple[str, ...]:
    return {3: ("rejected", "adopted"), 11: ("deferred", "adopted")}.get(tell.number, ("adopted",))


def deliberated(tell: Teller, outcome: str, founding: bool = True) -> Steps:
    """The council sits; its file is imported; the decision is recorded and followed to its effect."""
    session = sitting(tell.chance, tell.home, tell.day, outcome, founding=founding)
    sent = session.transmitted_on or tell.day
    tell.known = max(tell.known, sent, tell.day)
    what = Import(tell.home.commune.code, session.csv, f"conseil-{tell.day}.csv")
    ids: dict[str, DeliberationId] = yield Step(what, tell.who(Role.COUNCIL_SECRETARY), tell.day, tell.known)
    decided = ids[session.number]
    tell.day = max(tell.day, sent)
    if not founding:
        return decided
    yield from tell.do(setup.RecordDeliberation(deliberation=decided), Role.COUNCIL_SECRETARY)
    if outcome == "adopted":
        tell.wait(2, 15)
        yield from tell.do(MakeExecutory(executory_on=tell.day), Role.COUNCIL_SECRETARY, decided)
        yield from tell.do(setup.FollowDeliberation(), Role.COUNCIL_SECRETARY)
    return decided


def one_cycle(tell: Teller, turn: int, *, last: bool) -> Steps:
    if tell.state.stage is Stage.NEEDS_IDENTIFICATION:
        yield from name_needs(tell, turn)
    yield from meet(tell, turn)
    yield from install(tell, turn)
    yield from monitor(tell, turn)
    yield from review(tell, turn, last=last)


def name_needs(tell: Teller, turn: int) -> Steps:
    chance = tell.chance
    for nth, profession in enumerate(tell.members(Constituency.PROFESSIONAL_ORGANISATION)):
        tell.wait(2, 9)
        own = [n for n in tell.state.needs.values() if n.profession == profession]
        if not own and nth == 1 and turn == 1 and tell.number % 4 == 1:
            yield from tell.do(needs.DeclareNoNeeds(profession=profession), Role.ORGANISATION)
            continue
        for _ in range(chance.randint(2, 4)):
            kind = chance.choice(list(NeedKind))
            need = needs.IdentifyNeed(
                profession=profession,
                kind=kind,
                description=chance.choice(NEEDS[kind]),
                estimate_xof=chance.randint(2, 60) * 50_000 if kind is NeedKind.INVESTMENT else None,
            )
            yield from tell.do(need, Role.ORGANISATION)
        own = [n for n in tell.state.needs.values() if n.profession == profession]
        if tell.likely(0.2):
            words = own[-1].description + " (précisé après visite)"
            yield from tell.do(needs.AmendNeed(need=own[-1].id, description=words), Role.ORGANISATION)
        if len(own) > 2 and tell.likely(0.2):
            gone = needs.WithdrawNeed(need=own[0].id, reason="Réglé par un autre projet")
            yield from tell.do(gone, Role.ORGANISATION)
            own = own[1:]
        ranked = tuple(n.id for n in chance.sample(own, len(own)))
        yield from tell.do(needs.ValidateNeeds(profession=profession, ranked=ranked), Role.ORGANISATION)
    if tell.state.needs_due_on and tell.day > tell.state.needs_due_on and tell.likely(0.7):
        passed = anytime.RecordDeadlinePassed(kind=DeadlineKind.NEEDS, about=f"cycle-{tell.state.cycle}")
        yield from tell.do(passed, Role.WORKER)
    tell.wait(1, 5)
    yield from tell.do(needs.CloseNeeds())


def meet(tell: Teller, turn: int) -> Steps:
    """Convene until somebody agrees: adjourned, postponed and called off on the way."""
    chance = tell.chance
    place = f"Mairie de {tell.home.commune.name}"
    if turn == 2 and tell.number % 6 == 2:
        yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=9), place=place))
        tell.wait(1, 4)
        yield from tell.do(meetings.CancelMeeting(reason="Deuil dans la commune"))
    yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=chance.randint(5, 14)), place=place))
    everybody = tuple(tell.state.members)
    yield from tell.do(
        meetings.SendInvitations(members=everybody, channel=chance.choice(("radio", "crieur", "téléphone")))
    )
    hall = tell.members(Constituency.MUNICIPALITY)[0]
    costs = (
        (LogisticsKind.CHAIR_HIRE, 15_000, hall),
        (LogisticsKind.ROOM, 0, None),
        (LogisticsKind.ACCOMMODATION, 40_000, hall),
    )
    for kind, cost, payer in costs[: chance.randint(1, 3)]:
        yield from tell.do(meetings.ArrangeLogistics(kind=kind, cost_xof=cost, payer=payer))
    if tell.likely(0.15):
        later = _held_on(tell) + timedelta(days=7)
        yield from tell.do(meetings.PostponeMeeting(held_on=later, reason="Jour de foire"))
    tell.day = _held_on(tell)
    came = attendance(tell)
    if 2 * len([p for p in came if p.women + p.men + p.proxies]) < len(everybody):
        adjourned = meetings.AdjournMeeting(
            reason=AdjournReason.NO_QUORUM, explanation="Quorum non atteint à onze heures", attendance=came
        )
        yield from tell.do(adjourned)
        tell.wait(3, 8)
        yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=8), place=place))
        tell.day = _held_on(tell)
        came = attendance(tell, everybody=True)
    yield from tell.do(meetings.OpenMeeting(attendance=came))
    if turn == 1 and tell.number % 8 == 5:
        for _ in range(3 if tell.number == 5 else 1):
            words = (chance.choice(OBJECTIONS),)
            yield from tell.do(plan.RecordDisagreement(objections=words))
    if turn == 4 and tell.number % 7 == 3:
        night = "La nuit tombe, la discussion reprend dans trois jours"
        yield from tell.do(meetings.AdjournMeeting(reason=AdjournReason.TIME, explanation=night))
        yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=3), place=place))
        tell.day = _held_on(tell)
        yield from tell.do(meetings.OpenMeeting(attendance=attendance(tell, everybody=True)))
    yield from negotiate(tell, turn)
    yield from tell.do(meetings.CloseMeeting(minutes=chance.choice(MINUTES)))


def _held_on(tell: Teller) -> date:
    meeting = tell.state.meeting
    assert meeting is not None
    return max(meeting.held_on, tell.day)


def attendance(tell: Teller, *, everybody: bool = False) -> tuple[Presence, ...]:
    """Who comes; fewer where promises were not kept."""
    chance, found = tell.chance, []
    for member in tell.state.members.values():
        needed = member.constituency in (Constituency.MUNICIPALITY, Constituency.PROFESSIONAL_ORGANISATION)
        if not everybody and not tell.likely(0.55 + 0.45 * tell.trust if needed else 0.75 * tell.trust):
            found.append(Presence(member.id))
            continue
        many = member.constituency is Constituency.PROFESSIONAL_ORGANISATION
        women = chance.randint(2, 9) if many else chance.randint(0, 1)
        men = chance.randint(2, 9) if many else 1
        found.append(Presence(member.id, women, men, chance.randint(0, (women + men) // 2), 0))
    if not any(p.women + p.men for p in found if p.member in tell.members(Constituency.MUNICIPALITY)):
        found = [Presence(p.member, 1, 2) if p.member in tell.members(Constituency.MUNICIPALITY) else p for p in found]
    professions = tell.members(Constituency.PROFESSIONAL_ORGANISATION)
    if not any(p.women + p.men for p in found if p.member in professions):
        found = [Presence(p.member, 3, 4, 2) if p.member == professions[0] else p for p in found]
    return tuple(found)


def negotiate(tell: Teller, turn: int) -> Steps:
    chance, state = tell.chance, tell.state
    starts = max(tell.day, state.plan.free_from if state.plan else tell.day)
    window = Window(starts, plan.add_months(starts, 3) - timedelta(days=1))
    length = (window.ends_on - window.starts_on).days
    responsible = [m for m in state.members if state.members[m].constituency is not Constituency.PARTNER]
    carried = [a for a in state.actions.values() if a.cycle < state.cycle]
    for action in carried[:2]:
        again = plan.ProposeAction(
            description=action.description,
            continues=action.id,
            responsible=chance.choice(responsible),
            due_on=starts + timedelta(days=length // 2),
        )
        yield from tell.do(again)
    open_needs = list(tell.state.needs)
    for need in chance.sample(open_needs, min(len(open_needs), chance.randint(2, 4))):
        proposed = plan.ProposeAction(
            description=chance.choice(ACTIONS),
            sector=chance.choice(tell.home.sectors),
            needs=(need,),
            responsible=chance.choice(responsible),
            due_on=starts + timedelta(days=chance.randint(20, length)),
        )
        yield from tell.do(proposed)
    for obstacle in tell.state.open_obstacles()[:1]:
        lift = plan.ProposeAction(
            description=f"Lever la difficulté : {obstacle.description}",
            obstacles=(obstacle.id,),
            responsible=chance.choice(responsible),
            due_on=starts + timedelta(days=length),
        )
        yield from tell.do(lift)
    actions = tell.state.negotiated()
    if len(actions) > 3 and tell.likely(0.2):
        yield from tell.do(plan.WithdrawAction(action=actions[-1].id, reason="Pas de moyens ce trimestre"))
    if tell.likely(0.3):
        yield from tell.do(plan.AmendAction(action=actions[0].id, description=actions[0].description + ", avec suivi"))
    actions = tell.state.negotiated()
    ranked = tuple(a.id for a in chance.sample(actions, len(actions)))
    yield from tell.do(plan.RankActions(ranked=ranked))
    yield from pledges(tell, window)
    objections = (chance.choice(OBJECTIONS),) if tell.likely(0.2) else ()
    yield from tell.do(plan.AgreePlan(window=window, objections=objections))
    if turn == 3 and tell.number % 9 == 1:
        yield from tell.do(meetings.CloseMeeting(minutes=chance.choice(MINUTES)))
        yield from tell.do(plan.ReopenNegotiation(reason="Une OP demande de revoir l'apport"))
        yield from tell.do(meetings.ConveneMeeting(held_on=tell.day, place=f"Mairie de {tell.home.commune.name}"))
        yield from tell.do(meetings.OpenMeeting(attendance=attendance(tell, everybody=True)))
        yield from tell.do(plan.AgreePlan(window=window))


def pledges(tell: Teller, window: Window) -> Steps:
    chance = tell.chance
    for action in tell.state.negotiated():
        for _ in range(chance.randint(1, 2)):
            nature = chance.choice((Nature.CASH, Nature.CASH, Nature.LABOUR, Nature.IN_KIND, Nature.LAND))
            member = chance.choice(list(tell.state.members.values()))
            use = Use.CAPITAL if member.may_invest and tell.likely(0.4) else Use.OPERATING
            promise = plan.PledgeContribution(
                member=member.id,
                ledger=Ledger.ACTION,
                nature=nature,
                worth=_worth(chance, nature),
                use=use,
                action=action.id,
                due_on=action.due_on,
            )
            yield from tell.do(promise, Role.FACILITATOR)
    pact = tell.members(Constituency.PARTNER)
    if pact:
        support = plan.PledgeContribution(
            member=pact[0],
            ledger=Ledger.APPROACH,
            nature=Nature.CASH,
            worth=Worth(chance.randint(2, 8) * 25_000),
            due_on=window.starts_on + timedelta(days=30),
        )
        yield from tell.do(support, Role.PARTNER)


def _worth(chance: Random, nature: Nature) -> Worth:
    match nature:
        case Nature.CASH:
            return Worth(chance.randint(1, 20) * 25_000)
        case Nature.LABOUR:
            return Worth(None, Decimal(str(chance.randint(5, 60))), "jours de travail")
        case Nature.LAND:
            return Worth(None, Decimal(f"{chance.randint(1, 4)}.5"), "ha")
        case _:
            return Worth(None, Decimal(str(chance.randint(10, 80))), "sacs de ciment")


def install(tell: Teller, turn: int) -> Steps:
    chance, state = tell.chance, tell.state
    tell.wait(1, 6)
    wanted = (Constituency.MUNICIPALITY, Constituency.PROFESSIONAL_ORGANISATION, Constituency.NGO)
    seats = tuple(
        Seat(member.id, f"personne-{tell.number + 1:02}-{turn}-{n}", woman=n % 2 == 1, youth=n % 3 == 1)
        for n, member in enumerate(m for m in state.members.values() if m.constituency in wanted)
    )
    if state.committee is None:
        yield from tell.do(committee.InstallCommittee(seats=seats))
        yield from tell.do(committee.DefineMandate(tasks=tuple(chance.sample(TASKS, 3))))
    else:
        members_left = any(seat.member not in state.members for seat in state.committee.seats)
        if members_left or tell.likely(0.3):
            yield from tell.do(committee.RenewCommittee(seats=seats))
        else:
            yield from tell.do(committee.KeepCommittee())
        cause = chance.choice((MandateCause.RESULTS, MandateCause.NEW_NEEDS))
        yield from tell.do(committee.AmendMandate(tasks=tuple(chance.sample(TASKS, 3)), cause=cause))
    if turn == 3 and tell.number % 4 == 0:
        leaves = tell.state.committee
        assert leaves is not None
        seat = msgspec.structs.replace(leaves.seats[0], person=f"personne-{tell.number + 1:02}-{turn}-suppléant")
        words = "A quitté la commune"
        yield from tell.do(committee.ReplaceCommitteeMember(leaves=leaves.seats[0].person, seat=seat, reason=words))
    tell.wait(0, 5)
    yield from tell.do(monitoring.StartMonitoring())
    tell.wait(1, 4)
    meeting = tell.state.unapproved_minutes[0]
    objections = (chance.choice(OBJECTIONS),) if tell.likely(0.15) else ()
    yield from tell.do(meetings.ApproveMinutes(meeting=meeting, objections=objections))


def monitor(tell: Teller, turn: int) -> Steps:
    """Three months in the field."""
    chance, state = tell.chance, tell.state
    assert state.plan is not None
    ends = state.plan.window.ends_on
    if tell.likely(0.5):
        action = chance.choice(state.negotiated())
        yield from tell.do(plan.RegisterInPdesc(action=action.id, reference=f"PDESC-{turn}-{action.id}"), Role.MAYOR)
    if tell.likely(0.4):
        yield from tell.do(
            monitoring.HoldTraining(
                topic="Tenue des comptes d'une coopérative",
                days=chance.randint(1, 4),
                members=tuple(tell.members(Constituency.PROFESSIONAL_ORGANISATION)),
                women=chance.randint(4, 15),
                men=chance.randint(4, 15),
                youth=chance.randint(0, 6),
            )
        )
    if tell.likely(0.3):
        helped = tell.members(Constituency.PROFESSIONAL_ORGANISATION)[0]
        incentive = monitoring.GrantIncentive(
            kind=chance.choice(list(IncentiveKind)), member=helped, description="Mise à disposition d'un hectare"
        )
        yield from tell.do(incentive, Role.MAYOR)
    for nth, action in enumerate(state.negotiated()):
        tell.wait(2, 8)
        if nth == 0:
            yield from trouble(tell, turn)
        yield from work_on(tell, action.id)
        if tell.likely(0.5):
            seen = monitoring.RecordMonitoring(
                aspect=Aspect.ECONOMIC,
                method=Method.MEASUREMENT,
                rhythm=Rhythm.REGULAR,
                subject="Échalotes vendues au marché",
                value=Decimal(str(chance.randint(80, 900))),
                unit="kg",
            )
            yield from tell.do(seen, Role.COMMITTEE)
        elif tell.likely(0.4):
            seen = monitoring.RecordMonitoring(
                aspect=Aspect.SOCIO_CULTURAL,
                method=Method.OBSERVATION,
                rhythm=Rhythm.AD_HOC,
                subject="Les jeunes viennent plus nombreux aux réunions du comité",
            )
            yield from tell.do(seen, Role.COMMITTEE)
    yield from deliveries(tell)
    if turn == 2 and tell.number % 10 == 6:
        yield from suspended(tell)
        return
    if turn == 3 and tell.number % 9 == 8:
        yield from member_leaves(tell)
    if turn == 2 and tell.number % 3 == 0:
        yield from mid_term(tell)
    tell.day = max(tell.day, ends + timedelta(days=round(chance.randint(-1, 25) * tell.pace)))


def work_on(tell: Teller, action: Any) -> Steps:
    chance = tell.chance
    if tell.likely(0.15):
        return
    if tell.likely(0.5):
        yield from tell.do(monitoring.StartAction(action=action), Role.COMMITTEE)
        tell.wait(1, 6)
    for percent in sorted(chance.sample((20, 40, 50, 60, 80), chance.randint(1, 2))):
        note = "Constaté sur place" if tell.likely(0.5) else None
        yield from tell.do(monitoring.ReportProgress(action=action, percent=percent, note=note), Role.COMMITTEE)
        tell.wait(1, 7)
    if tell.likely(0.6):
        yield from tell.do(
            monitoring.CompleteAction(action=action, result="Réceptionnée par le comité"), Role.COMMITTEE
        )


def trouble(tell: Teller, turn: int) -> Steps:
    chance = tell.chance
    for _ in range(chance.randint(0, 2)):
        raised = obstacles.RaiseObstacle(
            description=chance.choice(OBSTACLES),
            severity=chance.choice((1, 1, 2, 2, 3)),
            action=chance.choice(tell.state.negotiated()).id,
        )
        yield from tell.do(raised, Role.COMMITTEE)
        obstacle = tell.state.open_obstacles()[-1].id
        tell.wait(1, 5)
        told = tuple(chance.sample(list(tell.state.members), 2))
        yield from tell.do(obstacles.CommunicateObstacle(obstacle=obstacle, members=told, channel="téléphone"))
        if tell.likely(0.7):
            solved = obstacles.AgreeSolution(
                obstacle=obstacle,
                solution=chance.choice(SOLUTIONS),
                responsible=told[0],
                due_on=tell.day + timedelta(days=15),
            )
            yield from tell.do(solved)
        if tell.likely(0.5):
            tell.wait(2, 9)
            yield from tell.do(obstacles.ResolveObstacle(obstacle=obstacle, how="Vérifié par le comité"))
            if tell.likely(0.12):
                yield from tell.do(obstacles.ReopenObstacle(obstacle=obstacle, reason="Revenu après la pluie"))


def deliveries(tell: Teller) -> Steps:
    """What arrives of the promises: whole, in parts, late, or never."""
    chance = tell.chance
    for promise in list(tell.state.contributions.values()):
        fate = chance.random()
        left = monitoring.still_open(promise)
        cash = promise.nature is Nature.CASH

        def part(amount: Any, cash: bool = cash, unit: str | None = promise.pledged.unit) -> Worth:
            return Worth(int(amount)) if cash else Worth(None, amount, unit)

        if fate < 0.55:
            yield from tell.do(
                monitoring.ReceiveContribution(contribution=promise.id, worth=part(left), receipt=f"recu-{promise.id}")
            )
            if cash and tell.likely(0.05):
                yield from corrected(tell)
        elif fate < 0.75 and left >= 2:
            half = left // 2
            yield from tell.do(monitoring.ReceiveContribution(contribution=promise.id, worth=part(half)))
            tell.trust = max(0.3, tell.trust - 0.02)
        elif fate < 0.8:
            yield from tell.do(monitoring.WaiveContribution(contribution=promise.id, reason="Mauvaise récolte"))
        elif fate < 0.86:
            yield from tell.do(monitoring.RecordRenege(contribution=promise.id, reason="Fonds dépensés ailleurs"))
            tell.trust = max(0.3, tell.trust - 0.08)
        elif promise.due_on and tell.day > promise.due_on and tell.likely(0.5):
            about = (DeadlineKind.CONTRIBUTION, promise.id)
            if about not in tell.state.deadlines_passed:
                yield from tell.do(anytime.RecordDeadlinePassed(kind=about[0], about=promise.id), Role.WORKER)


def corrected(tell: Teller) -> Steps:
    """Somebody wrote a wrong figure; the wrong fact stays visible."""
    facts = tell.engine.history(stream_of(framework, tell.id))
    fact = facts[-1]
    if fact.type != "contribution-received":
        return
    worth = getattr(fact.data, "worth", None)
    if worth is None or worth.amount_xof is None:
        return
    right = msgspec.Raw(msgspec.json.encode({"amount_xof": max(1, worth.amount_xof - 5_000)}))
    words = "Le reçu dit un autre montant"
    yield from tell.do(anytime.CorrectFact(fact_version=fact.version, changes={"worth": right}, reason=words))


def mid_term(tell: Teller) -> Steps:
    """A review in the middle: the plan is adjusted in its window."""
    state = tell.state
    assert state.plan is not None
    running = state.unsettled()
    if tell.day >= state.plan.window.ends_on or not running:
        return
    yield from tell.do(adjustment.OpenReview(kind=ReviewKind.MID_TERM))
    yield from tell.do(
        adjustment.RecordReview(findings="La moitié du temps est passée, deux actions tiennent leur date")
    )
    change = adjustment.ActionChange(running[0].id, due_on=state.plan.window.ends_on)
    causes = (state.open_obstacles()[0].description,) if state.open_obstacles() else ("Retard de livraison",)
    yield from tell.do(adjustment.AdjustPlan(causes=causes, changes=(change,)))


def member_leaves(tell: Teller) -> Steps:
    gone = tell.members(Constituency.NGO)
    if gone:
        yield from tell.do(setup.WithdrawMember(member=gone[0], reason="Fin du projet de l'ONG"))


def suspended(tell: Teller) -> Steps:
    yield from tell.do(anytime.Suspend(reason="Insécurité sur l'axe"), Role.MAYOR)
    tell.wait(30, 80)
    yield from tell.do(anytime.Resume(reason="La route est rouverte"), Role.MAYOR)
    state = tell.state
    assert state.plan is not None
    if state.stage is Stage.MONITORING:
        tell.day = max(tell.day, state.plan.window.ends_on + timedelta(days=2))


def annulled(tell: Teller) -> Steps:
    """The supervising authority annuls the founding deliberation; the council decides anew."""
    founding = tell.state.deliberation
    assert founding is not None
    tell.wait(1, 5)
    annul = AnnulDeliberation(annulled_on=tell.day, reason="Convocation hors délai")
    yield from tell.do(annul, Role.SUPERVISING_AUTHORITY, founding.id)
    yield from tell.do(setup.FollowDeliberation(), Role.COUNCIL_SECRETARY)
    tell.wait(10, 25)
    yield from deliberated(tell, "adopted")
    yield from tell.do(anytime.Resume(reason="Nouvelle délibération exécutoire"), Role.MAYOR)


def review(tell: Teller, turn: int, *, last: bool) -> Steps:
    chance, state = tell.chance, tell.state
    assert state.plan is not None
    ends = state.plan.window.ends_on
    tell.day = max(tell.day, ends)
    if state.stage is Stage.MONITORING:
        if tell.day > ends + timedelta(days=10) and tell.likely(0.8):
            yield from tell.do(
                anytime.RecordDeadlinePassed(kind=DeadlineKind.PLAN, about=f"plan-{state.plan.cycle}"), Role.WORKER
            )
        kind = ReviewKind.OVERDUE if tell.day > ends + timedelta(days=10) else ReviewKind.END
        yield from tell.do(adjustment.OpenReview(kind=kind))
    lessons = ("Commencer les apports avant les pluies",) if tell.likely(0.4) else ()
    yield from tell.do(adjustment.RecordReview(findings="Plan lu action par action", lessons=lessons))
    for action in tell.state.unsettled():
        if action.percent >= 60 and tell.likely(0.5):
            yield from tell.do(monitoring.CompleteAction(action=action.id), Role.FACILITATOR)
        elif tell.likely(0.75):
            carry = adjustment.CarryOverAction(action=action.id, reason="Commencée, à finir")
            yield from tell.do(carry)
        else:
            yield from tell.do(monitoring.AbandonAction(action=action.id, reason="Plus de moyens"))
    for obstacle in tell.state.open_obstacles():
        if obstacle.stage is ObstacleStage.SOLUTION_AGREED and tell.likely(0.4):
            yield from tell.do(obstacles.ResolveObstacle(obstacle=obstacle.id, how="Constaté en rencontre"))
        elif tell.likely(0.2):
            yield from tell.do(obstacles.AcceptObstacle(obstacle=obstacle.id, reason="On fait avec"))
        else:
            yield from tell.do(adjustment.CarryOverObstacle(obstacle=obstacle.id, reason="À reprendre"))
    for promise in list(tell.state.contributions.values()):
        if promise.member not in tell.state.members:
            yield from tell.do(monitoring.WaiveContribution(contribution=promise.id, reason="Le membre est parti"))
    if tell.likely(0.1):
        paper = anytime.AttachDocument(
            title="Liste de présence scannée",
            sha256=f"{chance.getrandbits(256):064x}",
            bytes=chance.randint(40_000, 900_000),
            media="application/pdf",
            about=f"plan-{turn}",
        )
        yield from tell.do(paper)
    tell.wait(1, 20)
    completed = [a for a in tell.state.negotiated() if a.stage is ActionStage.COMPLETED]
    answered = {need for action in completed for need in action.needs}
    if len(set(tell.state.needs) - answered) < 2 or turn % 2 == 0:
        again = adjustment.ReopenNeeds(reason="Nouvelle campagne agricole", due_on=tell.day + timedelta(days=25))
        yield from tell.do(again, closes_cycle=True)
    else:
        yield from tell.do(adjustment.NextMeeting(), closes_cycle=True)
    if not last:
        tell.wait(0, 12)


def dissolved(tell: Teller) -> Steps:
    tell.wait(5, 20)
    decided = yield from deliberated(tell, "adopted", founding=False)
    tell.wait(1, 9)
    end = anytime.Dissolve(
        deliberation=decided, seconded_by="maire-adjoint", reason="La commune rejoint un cadre intercommunal"
    )
    yield from tell.do(end, Role.MAYOR)
