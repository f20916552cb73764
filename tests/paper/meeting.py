"""A meeting of Dioro as the tests of paper want it: in session, with actions of their choice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from cycle.aggregates.framework.contributions import PledgeContribution, ReceiveContribution
from cycle.aggregates.framework.meetings import ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import ActionId, ContributionId, Ledger, Nature, NeedId, Presence, Use, Window, Worth
from cycle.reading import Reader
from tests.engine.path import ENDS, FISH, MAIRIE, MET, PARTNER, RICE
from tests.engine.path import Path as Way

DUE = date(2026, 5, 10)
EVERYBODY = tuple(Presence(member, women=2, men=3, youth=1) for member in (MAIRIE, RICE, FISH))


def in_session(way: Way, place: str = "Mairie") -> None:
    """The partner has stayed away."""
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place=place), OpenMeeting(attendance=EVERYBODY), on=MET)


def agreed(way: Way, descriptions: Iterable[str]) -> None:
    """A plan of these actions."""
    needs = (NeedId("N-1"),)
    for description in descriptions:
        way.say(ProposeAction(description=description, needs=needs, responsible=RICE, due_on=DUE), on=MET)
    way.say(AgreePlan(window=Window(MET, ENDS)), on=MET)


def with_pledges(way: Way) -> None:
    """One action of the plan: cash of two, of which a part has come, sacks and days of work."""
    in_session(way)
    buy = ProposeAction(description="Acheter la décortiqueuse", needs=(NeedId("N-1"),), responsible=RICE, due_on=DUE)
    way.say(buy, on=MET)
    of_action = {"ledger": Ledger.ACTION, "action": ActionId("A-1"), "due_on": DUE}
    for member, nature, worth in (
        (RICE, Nature.CASH, Worth(amount_xof=50_000)),
        (MAIRIE, Nature.CASH, Worth(amount_xof=75_000)),
        (FISH, Nature.IN_KIND, Worth(quantity=Decimal(12), unit="sacs")),
        (FISH, Nature.LABOUR, Worth(quantity=Decimal(8), unit="jours")),
    ):
        way.say(PledgeContribution(member=member, nature=nature, worth=worth, **of_action), on=MET)
    approach = PledgeContribution(
        member=PARTNER, ledger=Ledger.APPROACH, nature=Nature.CASH, worth=Worth(amount_xof=30_000), use=Use.OPERATING
    )
    way.say(approach, AgreePlan(window=Window(MET, ENDS)), on=MET)


def received(way: Way) -> None:
    """Monitoring has started, and a part of the first pledge has come."""
    with_pledges(way)
    way.start_monitoring()
    way.say(ReceiveContribution(contribution=ContributionId("C-1"), worth=Worth(amount_xof=20_000)), on=MET)


def reader(way: Way, actor: str = "facilitator") -> Reader:
    found = Reader(way.engine, actor)
    found.catch_up()
    return found
