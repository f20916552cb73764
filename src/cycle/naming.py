"""Names beside numbers: a history that is told to people says what A-2 and MB-3 stand for."""

from __future__ import annotations

import re

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.framework.contributions import ContributionPledged
from cycle.aggregates.framework.meetings import MeetingConvened
from cycle.aggregates.framework.needs import NeedIdentified
from cycle.aggregates.framework.obstacles import ObstacleIdentified
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.proposals import ActionProposed
from cycle.aggregates.framework.setup import MemberAdmitted
from cycle.catalogue import Language, shown
from cycle.telling import worth

_NUMBER = re.compile(r"\b(?:MB|[ACMNO])-[0-9]+\b")
LONGEST = 60
"""Characters of a description that stands beside a number."""


class Names:
    """What the numbers of each framework stand for, as far as its history has been told."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._known: dict[tuple[str, str], str] = {}

    def learn(self, fact: Recorded[Event]) -> None:
        """Take up what a fact gives a number to."""
        match fact.data:
            case MemberAdmitted(member=number, name=name):
                self._put(fact, number, name)
            case (
                NeedIdentified(need=number, description=words)
                | ActionProposed(action=number, description=words)
                | ObstacleIdentified(obstacle=number, description=words)
            ):
                self._put(fact, number, words)
            case PlanAgreed(actions=actions):
                for action in actions:
                    self._put(fact, action.action, action.description)
            case ContributionPledged(contribution=number, member=member) as pledge:
                who = self._known.get((fact.stream, member), member)
                self._put(fact, number, f"{who}, {worth(pledge.worth, self._language)}")
            case MeetingConvened(meeting=number, held_on=day):
                self._put(fact, number, str(shown(day, self._language)))

    def _put(self, fact: Recorded[Event], number: str, words: str) -> None:
        self._known[fact.stream, number] = words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"

    def beside(self, fact: Recorded[Event], words: str) -> str:
        """A sentence about a fact in which each number has its name beside it, once."""
        said: set[str] = set()
        day = str(shown(fact.occurred_on, self._language))

        def named(found: re.Match[str]) -> str:
            number = found[0]
            name = self._known.get((fact.stream, number))
            # The pledge itself tells all that its number stands for.
            own = isinstance(fact.data, ContributionPledged) and number == fact.data.contribution
            if name is None or own or number in said or name == day or name.rstrip("…") in words:
                return number
            said.add(number)
            return f"{name} ({number})" if number.startswith("MB") else f"{number} ({name})"

        return _NUMBER.sub(named, words)
