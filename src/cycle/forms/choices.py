"""What a form offers where a reference is asked for: what the framework and its commune hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from msgspec import Struct

from cycle.aggregates.base import PLATFORM, LogName
from cycle.aggregates.deliberation import DeliberationRecorded
from cycle.aggregates.framework.state import Framework, Member
from cycle.aggregates.rulebook import PolicyPublished
from cycle.aggregates.terms import MemberId
from cycle.catalogue import Language, shown, text, word
from cycle.forms.declared import Input
from cycle.projections.places import OrganisationRow
from cycle.reading import Filters, Reader
from cycle.telling import worth


class Choice(Struct, frozen=True):
    """One thing that can be chosen; ``of`` is the member whose it is."""

    value: str
    label: str
    of: str = ""


class Held:
    """What can be referred to in one framework and its commune, or in general (no framework)."""

    def __init__(self, reader: Reader, state: Framework, commune: str, language: Language) -> None:
        self._reader, self._state, self._commune, self._language = reader, state, commune, language

    def offered(self, each: Input) -> tuple[Choice, ...]:
        """What an input may be filled with; nothing where that is not known."""
        if each.words:
            return tuple(Choice(value, word(value, self._language)) for value in each.words)
        if each.name == "profession":
            return tuple(self._member(self._state.members[number]) for number in self._state.professions())
        if each.name == "sector":
            return tuple(Choice(code, word(code, self._language)) for code in self._state.sectors)
        found = _OFFERED.get(each.refers)
        return tuple(found(self)) if found else ()

    @staticmethod
    def offers(kind: str) -> bool:
        """Whether things of a kind are offered at all, though there may be none yet."""
        return kind in _OFFERED

    def _member(self, member: Member) -> Choice:
        return Choice(member.id, f"{member.name} ({member.id})")

    def members(self) -> Iterator[Choice]:
        yield from map(self._member, self._state.members.values())

    def _by(self, number: MemberId | None) -> str:
        member = self._state.members.get(number) if number else None
        return f", {member.name}" if member else ""

    def needs(self) -> Iterator[Choice]:
        """Those of one profession after those of another."""
        order = {member: number for number, member in enumerate(self._state.members)}
        for need in sorted(self._state.needs.values(), key=lambda each: order.get(each.profession, len(order))):
            yield Choice(need.id, f"{need.id} · {need.description}{self._by(need.profession)}", need.profession)

    def actions(self) -> Iterator[Choice]:
        """Those of this cycle first; earlier ones say of which, for few commands take them."""
        now = self._state.cycle
        for action in sorted(self._state.actions.values(), key=lambda each: each.cycle != now):
            stage = str(shown(action.stage, self._language))
            if action.cycle != now:
                stage += f", {text('message.cycle-number', self._language, cycle=action.cycle)}"
            yield Choice(action.id, f"{action.id} · {action.description} ({stage})")

    def obstacles(self) -> Iterator[Choice]:
        for obstacle in self._state.obstacles.values():
            stage = shown(obstacle.stage, self._language)
            yield Choice(obstacle.id, f"{obstacle.id} · {obstacle.description} ({stage})")

    def contributions(self) -> Iterator[Choice]:
        for promise in self._state.contributions.values():
            what = f"{word(promise.nature, self._language)}, {worth(promise.pledged, self._language)}"
            yield Choice(promise.id, f"{promise.id} · {what}{self._by(promise.member)}")

    def meetings(self) -> Iterator[Choice]:
        meeting = self._state.meeting
        numbers = dict.fromkeys((*self._state.unapproved_minutes, *((meeting.id,) if meeting else ())))
        yield from (Choice(number, number) for number in numbers)

    def organisations(self) -> Iterator[Choice]:
        """Those of the commune that are no members yet come first."""
        inside = {member.organisation for member in self._state.members.values()}
        rows = [row for row in self._organisations if row.organisation not in inside]
        rows += [row for row in self._organisations if row.organisation in inside]
        for row in rows:
            yield Choice(row.organisation, f"{row.name} ({word(row.constituency, self._language)})")

    @cached_property
    def _organisations(self) -> list[OrganisationRow]:
        filters = Filters(commune=self._commune)
        return cast("list[OrganisationRow]", self._reader.rows("organisations", filters)) if self._commune else []

    def deliberations(self) -> Iterator[Choice]:
        """Those of the commune, the newest first."""
        if not self._commune:
            return
        for fact in reversed(self._recorded(self._commune, DeliberationRecorded.type)):
            decided = f"{shown(fact.outcome, self._language)}, {shown(fact.decided_on, self._language)}"
            yield Choice(fact.deliberation, f"{fact.number} · {fact.subject} ({decided})")

    def policies(self) -> Iterator[Choice]:
        for policy in dict.fromkeys(fact.policy for fact in self._recorded(PLATFORM, PolicyPublished.type)):
            yield Choice(policy, policy)

    def _recorded(self, log: str, topic: str) -> list[Any]:
        engine = self._reader.engine
        rows = engine.store.read(0, log=LogName(log), types=(topic,))
        return [engine.leaves[kind, schema](leaf).data for _, kind, schema, leaf in rows]

    def communes(self) -> Iterator[Choice]:
        for row in sorted(self._reader.communes(), key=lambda each: each.name):
            yield Choice(row.code, f"{row.name} ({row.circle}, {row.region})")


_OFFERED: Mapping[str, Callable[[Held], Iterator[Choice]]] = {
    "MemberId": Held.members,
    "NeedId": Held.needs,
    "ActionId": Held.actions,
    "ObstacleId": Held.obstacles,
    "ContributionId": Held.contributions,
    "MeetingId": Held.meetings,
    "OrganisationId": Held.organisations,
    "DeliberationId": Held.deliberations,
    "PolicyId": Held.policies,
    "CommuneCode": Held.communes,
}
