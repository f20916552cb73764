"""From the needs to an agreed plan: who names what, who comes, and how long they negotiate."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from cycle.aggregates.base import Role
from cycle.aggregates.framework import anytime, contributions, meetings, needs, plan, proposals
from cycle.aggregates.framework.state import Need
from cycle.aggregates.terms import (
    AdjournReason,
    Constituency,
    DecisionMode,
    Ledger,
    LogisticsKind,
    MemberId,
    Nature,
    NeedId,
    Presence,
    Use,
    Window,
    Worth,
)
from cycle.demo.steps import Steps
from cycle.demo.teller import Teller
from cycle.leaf import canonical

NEEDED = (Constituency.MUNICIPALITY, Constituency.PROFESSIONAL_ORGANISATION)
NATURES = (Nature.CASH, Nature.CASH, Nature.LABOUR, Nature.IN_KIND)
"""What everybody may promise; land is the commune's and the professions' to give."""


def name_needs(tell: Teller, turn: int) -> Steps:
    """Every profession names its needs and ranks them, or says that it has none."""
    chance = tell.chance
    for nth, profession in enumerate(tell.members(Constituency.PROFESSIONAL_ORGANISATION)):
        tell.wait(2, 9)
        if not _own(tell, profession) and nth == 1 and turn == 1 and tell.number % 4 == 1:
            yield from tell.do(needs.DeclareNoNeeds(profession=profession), Role.ORGANISATION)
            continue
        sector = tell.state.members[profession].sector
        assert sector is not None
        spoken_of = {need.description for need in tell.state.needs.values()}
        for wish in chance.sample(tell.words.trades[sector].wishes, chance.randint(2, 4)):
            wished = wish.at(chance.choice(tell.words.sites))
            if wished.need in spoken_of:
                continue
            need = needs.IdentifyNeed(
                profession=profession,
                kind=wished.kind,
                description=wished.need,
                estimate_xof=wished.estimate_xof and wished.estimate_xof * chance.randint(80, 125) // 100,
            )
            yield from tell.do(need, Role.ORGANISATION)
            tell.wishes[list(tell.state.needs)[-1]] = wished
        yield from _thought_over(tell, profession)
        own = [need.id for need in _own(tell, profession)]
        ranked = tuple(chance.sample(own, len(own)))
        yield from tell.do(needs.ValidateNeeds(profession=profession, ranked=ranked), Role.ORGANISATION)
    tell.wait(1, 5)
    yield from tell.do(needs.CloseNeeds())


def _own(tell: Teller, profession: MemberId) -> list[Need]:
    return [need for need in tell.state.needs.values() if need.profession == profession]


def _thought_over(tell: Teller, profession: MemberId) -> Steps:
    """Second thoughts before the ranking: made more precise, or taken back."""
    own = _own(tell, profession)
    if tell.likely(0.2):
        words = own[-1].description + " (précisé après visite)"
        yield from tell.do(needs.AmendNeed(need=own[-1].id, description=words), Role.ORGANISATION)
    if len(own) > 2 and tell.likely(0.2):
        yield from tell.do(needs.WithdrawNeed(need=own[0].id, reason="Réglé par un autre projet"), Role.ORGANISATION)


def meet(tell: Teller, turn: int) -> Steps:
    """Convene until a plan is agreed: adjourned, postponed and called off on the way."""
    yield from called(tell, turn)
    tell.day = _held_on(tell)
    yield from tell.meanwhile(tell.day)
    with tell.sitting():
        yield from held(tell, turn)


def held(tell: Teller, turn: int) -> Steps:
    """The session itself, on as many days as it takes."""
    came = attendance(tell)
    if 2 * len([p for p in came if p.women + p.men]) < len(tell.state.members):
        nobody = meetings.AdjournMeeting(
            reason=AdjournReason.NO_QUORUM, explanation="Quorum non atteint à onze heures", attendance=came
        )
        yield from tell.do(nobody)
        tell.wait(3, 8)
        yield from again(tell, 8)
        came = attendance(tell, needed=True)
    elif turn == 5 and tell.number % 8 == 2:
        alarm = "Alerte sur la route, chacun est rentré avant l'ouverture"
        yield from tell.do(meetings.AdjournMeeting(reason=AdjournReason.SECURITY, explanation=alarm))
        yield from again(tell, 12)
    yield from opened(tell, came)
    if turn == 1 and tell.number % 8 == 5:
        for _ in range(3 if tell.number == 5 else 1):
            yield from tell.do(plan.RecordDisagreement(objections=(tell.chance.choice(tell.words.objections),)))
    if turn == 4 and tell.number % 7 == 3:
        night = "La nuit tombe, la discussion reprend dans trois jours"
        yield from tell.do(meetings.AdjournMeeting(reason=AdjournReason.TIME, explanation=night))
        yield from again(tell, 3)
        yield from opened(tell, attendance(tell, needed=True))
    yield from negotiate(tell, turn)
    yield from tell.do(meetings.CloseMeeting(minutes=tell.chance.choice(tell.words.minutes)))


def called(tell: Teller, turn: int) -> Steps:
    """Invitations and logistics; in one commune the first date falls through."""
    chance, place = tell.chance, _place(tell)
    if turn == 2 and tell.number % 6 == 2:
        yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=9), place=place))
        tell.wait(1, 4)
        yield from tell.do(meetings.CancelMeeting(reason="Deuil dans la commune"))
    yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=chance.randint(5, 16)), place=place))
    everybody = tuple(tell.state.members)
    yield from tell.do(meetings.SendInvitations(members=everybody, channel=chance.choice(tell.words.channels)))
    hall, partner = tell.members(Constituency.MUNICIPALITY)[0], tell.members(Constituency.PARTNER)[0]
    costs = (
        (LogisticsKind.CHAIR_HIRE, chance.randint(2, 5) * 5_000, hall),
        (LogisticsKind.ROOM, 0, None),
        (LogisticsKind.ACCOMMODATION, chance.randint(4, 12) * 5_000, partner),
        (LogisticsKind.INVITATION, chance.randint(1, 4) * 2_500, hall),
        (LogisticsKind.OTHER, chance.randint(3, 9) * 5_000, partner),
    )
    for kind, cost, payer in sorted(chance.sample(costs, chance.randint(1, 3))):
        words = "Repas et déplacements" if kind is LogisticsKind.OTHER else None
        yield from tell.do(meetings.ArrangeLogistics(kind=kind, description=words, cost_xof=cost, payer=payer))
    if tell.likely(0.15):
        later = _held_on(tell) + timedelta(days=7)
        yield from tell.do(meetings.PostponeMeeting(held_on=later, reason=chance.choice(tell.words.postponed)))


def again(tell: Teller, days: int) -> Steps:
    """Convene once more; the story goes on on that day."""
    yield from tell.do(meetings.ConveneMeeting(held_on=tell.day + timedelta(days=days), place=_place(tell)))
    tell.day = _held_on(tell)


def opened(tell: Teller, came: tuple[Presence, ...]) -> Steps:
    """The session opens; now and then the list turns out to be wrong, and is corrected."""
    came = _with_those_needed(tell, came)
    receipt = yield from tell.do(meetings.OpenMeeting(attendance=came))
    if tell.likely(0.12):
        most = max(came, key=lambda presence: presence.women)
        right = tuple(msgspec.structs.replace(p, women=p.women + 2) if p is most else p for p in came)
        correct = anytime.CorrectFact(
            fact_version=receipt.version,
            changes={"attendance": msgspec.Raw(canonical(right))},
            reason="Deux signatures étaient au verso de la liste",
        )
        on = tell.day + timedelta(days=tell.chance.randint(4, 20))
        tell.later(on, lambda: tell.note(correct, on))


def _place(tell: Teller) -> str:
    return f"Mairie de {tell.home.commune.name}"


def _held_on(tell: Teller) -> date:
    meeting = tell.state.meeting
    assert meeting is not None
    return max(meeting.held_on, tell.day)


def attendance(tell: Teller, *, needed: bool = False) -> tuple[Presence, ...]:
    """Who comes; fewer members and fewer people where promises were not kept."""
    chance, found = tell.chance, []
    for member in tell.state.members.values():
        must = member.constituency in NEEDED
        comes = 0.45 + 0.53 * tell.trust if must else 0.2 + 0.65 * tell.trust
        if not (needed and must) and not tell.likely(comes):
            found.append(Presence(member.id))
            continue
        many = member.constituency is Constituency.PROFESSIONAL_ORGANISATION
        women = round(chance.randint(2, 11) * tell.trust) if many else chance.randint(0, 1)
        men = 1 + round(chance.randint(1, 9) * tell.trust) if many else 1
        found.append(Presence(member.id, women, men, chance.randint(0, (women + men) // 2)))
    return tuple(found)


def _with_those_needed(tell: Teller, came: tuple[Presence, ...]) -> tuple[Presence, ...]:
    """The session begins when the town hall and a profession are there: somebody is sent for."""
    found = {presence.member: presence for presence in came}
    for constituency in NEEDED:
        members = tell.members(constituency)
        if not any(found[m].women + found[m].men for m in members if m in found):
            found[members[0]] = Presence(members[0], 1, 2, 1)
    return tuple(found.values())


def negotiate(tell: Teller, turn: int) -> Steps:
    """Actions are proposed, ranked and promised for, until the plan is agreed."""
    chance, state = tell.chance, tell.state
    starts = max(tell.day, state.plan.free_from if state.plan else tell.day)
    ends = plan.add_months(starts, 3) if tell.likely(0.75) else plan.add_months(starts, 2)
    window = Window(starts, ends - timedelta(days=1))
    yield from propose(tell, window)
    actions = tell.state.negotiated()
    if len(actions) > 3 and tell.likely(0.2):
        yield from tell.do(proposals.WithdrawAction(action=actions[-1].id, reason="Pas de moyens ce trimestre"))
    if tell.likely(0.3):
        yield from tell.do(
            proposals.AmendAction(action=actions[0].id, description=actions[0].description + ", avec suivi")
        )
    actions = tell.state.negotiated()
    ranked = tuple(a.id for a in chance.sample(actions, len(actions)))
    yield from tell.do(proposals.RankActions(ranked=ranked))
    yield from pledges(tell, window)
    objections = (chance.choice(tell.words.objections),) if tell.likely(0.2) else ()
    mode = DecisionMode.VOTE if objections else DecisionMode.CONSENSUS
    yield from tell.do(plan.AgreePlan(window=window, mode=mode, objections=objections))
    if turn == 3 and tell.number % 9 == 1:
        yield from tell.do(meetings.CloseMeeting(minutes=chance.choice(tell.words.minutes)))
        yield from tell.do(plan.ReopenNegotiation(reason="Une OP demande de revoir l'apport"))
        yield from again(tell, 0)
        yield from opened(tell, attendance(tell, needed=True))
        yield from tell.do(plan.AgreePlan(window=window))


def propose(tell: Teller, window: Window) -> Steps:
    """What was carried over first, then actions for the needs, then one against what stands in the way."""
    chance, state = tell.chance, tell.state
    days = (window.ends_on - window.starts_on).days
    responsible = [m.id for m in state.members.values() if m.constituency is not Constituency.PARTNER]

    def due(least: int) -> date:
        return window.starts_on + timedelta(days=chance.randint(least, days))

    for action in [a for a in state.actions.values() if a.cycle < state.cycle][:2]:
        going_on = proposals.ProposeAction(
            description=action.description,
            continues=action.id,
            responsible=action.responsible if action.responsible in state.members else chance.choice(responsible),
            due_on=due(20),
        )
        yield from tell.do(going_on)
    for need in _first_of_each(tell)[: chance.randint(2, 4)]:
        profession = state.members.get(state.needs[need].profession)
        proposed = proposals.ProposeAction(
            description=tell.wishes[need].action,
            sector=profession.sector if profession else None,
            needs=(need,),
            responsible=profession.id if profession and tell.likely(0.6) else chance.choice(responsible),
            due_on=due(20),
        )
        yield from tell.do(proposed)
    for obstacle in tell.state.open_obstacles()[:1]:
        lift = proposals.ProposeAction(
            description=f"Lever la difficulté : {obstacle.description}",
            obstacles=(obstacle.id,),
            responsible=chance.choice(responsible),
            due_on=due(30),
        )
        yield from tell.do(lift)


def _first_of_each(tell: Teller) -> list[NeedId]:
    """The open needs, the professions in turn."""
    needs = sorted(tell.state.needs.values(), key=lambda need: (need.cycle, int(need.id[2:])))
    turns: dict[MemberId, int] = {}
    placed = []
    for need in needs:
        turns[need.profession] = turns.get(need.profession, 0) + 1
        placed.append((turns[need.profession], int(need.id[2:]), need.id))
    return [identity for _, _, identity in sorted(placed)]


def pledges(tell: Teller, window: Window) -> Steps:
    """Who brings what: to each action, and to the approach itself."""
    chance = tell.chance
    for action in tell.state.negotiated():
        for _ in range(chance.randint(1, 2)):
            member = chance.choice(list(tell.state.members.values()))
            nature = chance.choice((*NATURES, Nature.LAND) if member.constituency in NEEDED else NATURES)
            use = Use.CAPITAL if member.may_invest and tell.likely(0.4) else Use.OPERATING
            promise = contributions.PledgeContribution(
                member=member.id,
                ledger=Ledger.ACTION,
                nature=nature,
                worth=_worth(tell, nature),
                use=use,
                action=action.id,
                due_on=action.due_on,
            )
            yield from tell.do(promise)
    for member_id in (*tell.members(Constituency.PARTNER), *tell.members(Constituency.MUNICIPALITY)):
        if tell.likely(0.7):
            support = contributions.PledgeContribution(
                member=member_id,
                ledger=Ledger.APPROACH,
                nature=Nature.CASH,
                worth=Worth(chance.randint(2, 8) * 25_000),
                due_on=window.starts_on + timedelta(days=30),
            )
            yield from tell.do(support)


def _worth(tell: Teller, nature: Nature) -> Worth:
    chance = tell.chance
    match nature:
        case Nature.CASH:
            return Worth(chance.randint(1, 24) * 25_000)
        case Nature.LABOUR:
            return Worth(None, Decimal(chance.randint(5, 60)), "jours de travail")
        case Nature.LAND:
            return Worth(None, Decimal(f"{chance.randint(0, 3)}.{chance.choice((25, 5, 75))}"), "ha")
        case _:
            unit = chance.choice(("sacs de ciment", "voyages de sable", "chevrons", "charrettes de moellons"))
            return Worth(None, Decimal(chance.randint(10, 80)), unit)
