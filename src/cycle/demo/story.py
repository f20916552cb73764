"""The life of one framework, from the proposal to the end: what its people decide, and what goes wrong."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from cycle.aggregates.base import Role
from cycle.aggregates.deliberation import AnnulDeliberation, EnterDeliberation, MakeExecutory, RepealDeliberation
from cycle.aggregates.framework import anytime, council, setup
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.request import ConfirmRequest, WithdrawRequest
from cycle.aggregates.terms import DeliberationId, FrameworkId, Outcome, PolicyId
from cycle.demo.councils import sitting
from cycle.demo.field import install, monitor, trouble, work_on
from cycle.demo.meeting import meet, name_needs
from cycle.demo.places import Home
from cycle.demo.review import review
from cycle.demo.steps import Import, Step, Steps
from cycle.demo.teller import Teller
from cycle.demo.words import FOUNDING
from cycle.engine import Engine

POLICY = PolicyId("wocat-pact")


def tell_framework(chance: Random, number: int, home: Home, cycles: int, engine: Engine) -> Steps:
    """From the proposal to the end of the last cycle, and a little into the next."""
    tell = Teller(chance, number, home, engine, engine.today())
    yield from set_up(tell)
    for turn in range(1, cycles + 1):
        if turn == 2 and number % 9 == 4:
            yield from annulled(tell)
        if number % 3 == 2:
            yield from newest_policy(tell)
        yield from one_cycle(tell, turn)
        if turn == 3 and number % 10 == 7 and cycles > 3:
            yield from dissolved(tell)
            return
    yield from today(tell, cycles + 1, number % 5)


def one_cycle(tell: Teller, turn: int) -> Steps:
    if tell.state.stage is Stage.NEEDS_IDENTIFICATION:
        yield from name_needs(tell, turn)
    yield from meet(tell, turn)
    yield from install(tell, turn)
    suspends = turn == 2 and tell.number % 10 == 6
    yield from monitor(tell, turn, suspended=suspended if suspends else None)
    yield from review(tell, turn)


def today(tell: Teller, turn: int, how_far: int) -> Steps:
    """Where people are now: no two communes at the same point of the cycle that runs."""
    if tell.state.stage is Stage.NEEDS_IDENTIFICATION and how_far > 0:
        yield from name_needs(tell, turn)
    if how_far > 1:
        yield from meet(tell, turn)
    if how_far > 2:
        yield from install(tell, turn)
    if how_far > 3:
        trouble(tell, tell.day + timedelta(days=9))
        work_on(tell, tell.state.negotiated()[0])
        tell.day += timedelta(days=30)
        yield from tell.meanwhile(tell.day)


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
            actor=f"{tell.words.trades[sector].actor} de {home.commune.name}",
            women=chance.randint(10, 60),
            men=chance.randint(10, 60),
        )
        yield from tell.do(actor)
    for organisation in home.organisations:
        yield from tell.do(setup.AdmitMember(organisation=organisation))
    attempts = {3: (Outcome.REJECTED, Outcome.ADOPTED), 11: (Outcome.DEFERRED, Outcome.ADOPTED)}
    for attempt, outcome in enumerate(attempts.get(tell.number, (Outcome.ADOPTED,))):
        tell.wait(5, 20)
        yield from tell.do(council.SubmitToCouncil(note=f"Passage n° {attempt + 1}"))
        tell.wait(3, 25)
        yield from deliberated(tell, outcome)
    tell.wait(1, 6)
    due = tell.day + timedelta(days=30)
    yield from tell.do(council.Formalise(needs_due_on=due), Role.MAYOR)


def deliberated(tell: Teller, outcome: Outcome) -> Steps:
    """The council decides on the proposal; its decision is followed until it binds."""
    if outcome is Outcome.DEFERRED:
        yield from deferred(tell)
        return
    decided = yield from imported(tell, outcome, founding=True)
    yield from tell.do(council.RecordDeliberation(deliberation=decided), Role.COUNCIL_SECRETARY)
    if outcome is Outcome.ADOPTED:
        tell.founding = decided
        tell.wait(2, 15)
        yield from tell.do(MakeExecutory(executory_on=tell.day), Role.COUNCIL_SECRETARY, decided)
        yield from tell.do(council.FollowDeliberation(), Role.COUNCIL_SECRETARY)


def imported(tell: Teller, outcome: Outcome, *, founding: bool) -> Steps:
    """The file of a session is imported; gives the id of the decision that the story is about."""
    session = sitting(tell.chance, tell.home, tell.day, outcome, founding=founding)
    sent = session.transmitted_on or tell.day
    yield from tell.meanwhile(max(tell.known, sent))
    what = Import(tell.home.commune.code, session.csv, f"conseil-{tell.day}.csv")
    ids: dict[str, DeliberationId] = yield Step(what, tell.who(Role.COUNCIL_SECRETARY), tell.day, tell.known)
    tell.day = max(tell.day, sent)
    return ids[session.number]


def deferred(tell: Teller) -> Steps:
    """Put off to another session. SCDL has no column for that, so the secretary enters it by hand."""
    put_off = EnterDeliberation(
        commune=tell.home.commune.code,
        number=f"{tell.day}-99",
        subject=FOUNDING,
        outcome=Outcome.DEFERRED,
        decided_on=tell.day,
    )
    yield from tell.meanwhile(max(tell.known, tell.day))
    receipt = yield Step(put_off, tell.who(Role.COUNCIL_SECRETARY), tell.day, tell.known)
    entered = DeliberationId(receipt.stream.partition("-")[2])
    yield from tell.do(council.RecordDeliberation(deliberation=entered), Role.COUNCIL_SECRETARY)


def newest_policy(tell: Teller) -> Steps:
    """Where there is a newer version of the policy, the mayor's office takes it on between two cycles."""
    newest = tell.engine.policy(POLICY)
    if newest is not None and newest.version > tell.state.policy_version:
        yield from tell.do(setup.AdoptPolicy(policy=POLICY), Role.MAYOR)


def suspended(tell: Teller) -> Steps:
    """Nobody meets for a while; whether the window is over by then decides where it goes on."""
    yield from tell.do(anytime.Suspend(reason=tell.chance.choice(tell.words.suspended)), Role.MAYOR)
    tell.wait(30, 80)
    yield from tell.do(anytime.Resume(reason="La cause est levée, les réunions reprennent"), Role.MAYOR)


def annulled(tell: Teller) -> Steps:
    """The supervising authority annuls the founding deliberation, or a new council repeals it; it decides anew."""
    founding = tell.founding
    tell.wait(1, 5)
    if tell.number < 9:
        annul = AnnulDeliberation(annulled_on=tell.day, reason="Convocation hors délai")
        yield from tell.do(annul, Role.SUPERVISING_AUTHORITY, founding)
    else:
        repeal = RepealDeliberation(repealed_on=tell.day, reason="Le nouveau conseil veut revoir l'appui de la commune")
        yield from tell.do(repeal, Role.COUNCIL_SECRETARY, founding)
    yield from tell.do(council.FollowDeliberation(), Role.COUNCIL_SECRETARY)
    tell.wait(10, 25)
    yield from deliberated(tell, Outcome.ADOPTED)
    yield from tell.do(anytime.Resume(reason="Nouvelle délibération exécutoire"), Role.MAYOR)


def dissolved(tell: Teller) -> Steps:
    """The council dissolves the framework and takes back the decision that had founded it."""
    tell.wait(5, 20)
    decided = yield from imported(tell, Outcome.ADOPTED, founding=False)
    tell.wait(1, 9)
    end = anytime.Dissolve(deliberation=decided, reason="La commune rejoint un cadre intercommunal")
    hasty = yield from tell.do(end, Role.MAYOR)
    withdraw = WithdrawRequest(reason="Un courrier de la tutelle est attendu")
    yield from tell.do(withdraw, Role.MAYOR, hasty.stream.partition("-")[2])
    tell.wait(3, 9)
    asked = yield from tell.do(end, Role.MAYOR)
    tell.wait(1, 4)
    yield from tell.do(ConfirmRequest(), Role.COUNCIL_SECRETARY, asked.stream.partition("-")[2])
    taken_back = RepealDeliberation(repealed_on=tell.day, reason="Le cadre est dissous")
    yield from tell.do(taken_back, Role.COUNCIL_SECRETARY, tell.founding)
