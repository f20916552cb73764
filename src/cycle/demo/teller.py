"""Tells the steps of one framework: its day, its pace, and what it hears of only later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from heapq import heappop, heappush
from random import Random

from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.framework.anytime import RecordDeadlinePassed, deadlines
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.framework.table import stages_of
from cycle.aggregates.terms import ActionId, Constituency, DeliberationId, FrameworkId, MemberId, NeedId
from cycle.demo.people import WORKER, person
from cycle.demo.places import Home
from cycle.demo.steps import Step, Steps
from cycle.demo.words import Wish, words
from cycle.engine import Engine

SOON = (0, 0, 0, 0, 1, 1, 2, 3, 5)
"""Days until somebody types what happened; now and then a list lies in a bag for two weeks."""
LATE = (0, 0, 1, 2, 4, 7, 12, 21, 40)
"""The same for what the field keeps in a notebook: receipts, trainings, measures."""


class Teller:
    """``day`` is where the story is, ``known`` the day on which it was last written down."""

    def __init__(self, chance: Random, number: int, home: Home, engine: Engine, begin: date) -> None:
        self.chance = chance
        self.number = number
        self.home = home
        self.engine = engine
        self.words = words()
        self.day = begin + timedelta(days=chance.randint(7, 67))
        self.known = self.day
        self.pace = min(1.8, max(0.5, chance.gammavariate(4, 0.25)))
        """How slow this framework is: 1 is ordinary."""
        self.trust = 1.0
        """Fades with promises that are not kept; attendance follows it."""
        self.id = FrameworkId("")
        self.founding: DeliberationId | None = None
        self.wishes: dict[NeedId, Wish] = {}
        self.blocked: set[ActionId] = set()
        """Actions that an open obstacle of severity 2 or 3 holds up."""
        self._notebook: list[tuple[date, int, Callable[[], Steps]]] = []
        self._noted = 0
        self._closed = False

    @property
    def state(self) -> Framework:
        return self.engine.framework(self.id, fresh=False)

    def wait(self, least: int, most: int) -> None:
        self.day += timedelta(days=round(self.chance.randint(least, most) * self.pace))

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    def believe(self, change: float) -> None:
        """Trust grows slowly and goes quickly."""
        self.trust = min(1.0, max(0.25, self.trust + change))

    def who(self, role: Role) -> By:
        behalf = {Role.COMMITTEE: "comité-de-suivi"}.get(role)
        return By(person(role, self.number), role, behalf)

    def members(self, constituency: Constituency) -> list[MemberId]:
        return [m.id for m in self.state.members.values() if m.constituency is constituency]

    def do(
        self,
        command: Command,
        role: Role | None = None,
        target: str | None = None,
        *,
        closes_cycle: bool = False,
    ) -> Steps:
        """One command about the framework (or about ``target``), on the day of the story."""
        lag = self.chance.choice(SOON) if self.likely(0.97) else self.chance.randint(8, 16)
        on, recorded_on = self.day, max(self.known, self.day + timedelta(days=lag))
        yield from self.meanwhile(recorded_on)
        by = self.who(role or command.roles[0])
        return (yield Step(command, by, on, self.known, target or self.id or None, closes_cycle=closes_cycle))

    def later(self, on: date, say: Callable[[], Steps], lags: tuple[int, ...] = SOON) -> None:
        """Keep something that happens on a day in the notebook until somebody types it."""
        self._noted += 1
        recorded_on = on + timedelta(days=self.chance.choice(lags))
        heappush(self._notebook, (recorded_on, self._noted, say))

    def note(self, command: Command, on: date, role: Role | None = None) -> Steps:
        """One command out of the notebook; nothing, when the stage has no room for it any more."""
        if self.state.stage not in stages_of(type(command)):
            return None
        late = on < self.known
        return (yield Step(command, self.who(role or command.roles[0]), on, self.known, self.id, late))

    @contextmanager
    def sitting(self) -> Iterator[None]:
        """While people sit together nobody types from the notebook: what they see stays as it is."""
        self._closed = True
        yield
        self._closed = False

    def meanwhile(self, until: date) -> Steps:
        """What is typed out of the notebook, and what the worker notices each Monday, up to a day."""
        while self.id and not self._closed and self.state.stage is not Stage.DISSOLVED:
            overdue = self._overdue(until)
            if self._notebook and self._notebook[0][0] <= min(until, overdue[0] if overdue else until):
                recorded_on, _, say = heappop(self._notebook)
                self.known = max(self.known, recorded_on)
                yield from say()
            elif overdue:
                monday, passed = overdue
                self.known = max(self.known, monday)
                yield Step(passed, WORKER, monday, self.known, self.id)
            else:
                break
        self.known = max(self.known, until)

    def _overdue(self, until: date) -> tuple[date, RecordDeadlinePassed] | None:
        state = self.state
        found = [
            (due + timedelta(days=7 - due.weekday()), RecordDeadlinePassed(kind=kind, about=about))
            for kind, about, due in deadlines(state)
            if (kind, about, due) not in state.deadlines_passed
        ]
        found = [item for item in found if item[0] <= until]
        return min(found, key=lambda item: item[0]) if found else None
