"""The board: what needs somebody first, framework by framework, and who is waited for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import cast

from msgspec import Struct

from cycle.access import ACTING, SAYING, Forbidden
from cycle.aggregates.base import LogName, Role
from cycle.aggregates.framework.adjustment import ReopenNeeds
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.plan import ReopenNegotiation
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.framework.table import stages_of
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import Language, listed
from cycle.commands import COMMANDS
from cycle.door import Door
from cycle.projections.frameworks import FrameworkRow
from cycle.projections.places import CommuneRow
from cycle.projections.requests import RequestRow
from cycle.reading import Filters, Overdue, Reader
from cycle.telling import Steps, members_named, steps, whom_to_call

BACKWARD = frozenset({ReopenNegotiation.type, ReopenNeeds.type})
"""Moves that go back: possible, and seldom what one came for."""


class Need(IntEnum):
    """How much something needs somebody, the most first."""

    CONFIRM = 0
    LATE = 1
    MOVE = 2
    TASK = 3
    NOTHING = 4


class Standing(Struct, frozen=True):
    """How a framework stands for one account. ``mine`` are the tasks that it can do now, moves first.

    ``waits_for`` says who can do what the next stage waits for, in words; ``left`` are the days left in the plan.
    """

    row: FrameworkRow
    state: Framework
    home: CommuneRow
    late: Sequence[Overdue]
    requests: Sequence[RequestRow]
    mine: Sequence[Option]
    waits_for: str
    left: int | None
    need: Need

    @property
    def key(self) -> str:
        """Its place on the board: a cursor that stays good when others move."""
        left = 50_000 + (self.left if self.left is not None else 9_999)
        return f"{self.need:d}.{left:06d}.{self.home.name}.{self.row.framework}"


class Hands(Struct, frozen=True):
    """What one account may do in one place, asked of the one door."""

    door: Door
    actor: str
    commune: str

    @classmethod
    def of(cls, reader: Reader, commune: str) -> Hands:
        """What whoever reads may do there."""
        return cls(reader.engine.door, reader.actor, commune)

    def demanded(self, command: str) -> tuple[Role, ...]:
        """The roles in which it may say a command there today.

        Raises:
            Forbidden: in none, with whom to call.
        """
        path, zone = self.door.home(LogName(self.commune))
        access = self.door.now
        self.door.let(access, self.actor, SAYING[command], path, zone=zone)
        today = self.door.today(zone)
        return tuple(role for role in SAYING[command].roles if access.holds(self.actor, role, path, today))

    def roles(self, command: str) -> tuple[Role, ...]:
        """The same; none where it may not."""
        try:
            return self.demanded(command)
        except Forbidden:
            return ()

    def held(self) -> frozenset[Role]:
        """The roles that it holds there today."""
        path, zone = self.door.home(LogName(self.commune))
        grants = self.door.now.grants(self.actor, self.door.today(zone))
        return frozenset(grant.role for grant in grants if grant.covers(path))

    def carries_out(self, act: str) -> bool:
        """Whether it may do something there that is no command: hand out paper, take the log away."""
        return not self.held().isdisjoint(ACTING[act].roles)

    def may(self, command: str) -> bool:
        return bool(self.roles(command))

    def confirms(self, row: RequestRow) -> bool:
        """Whether it is the second person of a request: not who asked, and with the right to what is asked for."""
        return row.act in SAYING and self.actor not in (row.asked_by, row.on_behalf_of) and self.may(row.act)


class Board:
    """All that an account may read, in the order in which it needs that account."""

    def __init__(self, reader: Reader, language: Language) -> None:
        self._reader, self._language = reader, language
        self._today = reader.engine.today()

    def standings(self, filters: Filters) -> list[Standing]:
        """Every framework that is not dissolved, the one that needs most first; dissolved ones at the end."""
        reader = self._reader
        homes = {row.code: row for row in reader.communes()}
        rows = cast("list[FrameworkRow]", reader.rows("frameworks", filters))
        late = _by_framework(reader.overdue(self._today, filters))
        waiting = [row for row in cast("list[RequestRow]", reader.rows("requests", filters)) if row.waits(self._today)]
        asked = _by_framework(waiting)
        found = [self._one(row, homes[row.commune], late[row.framework], asked[row.framework]) for row in rows]
        return sorted(found, key=lambda each: each.key)

    def _one(
        self, row: FrameworkRow, home: CommuneRow, late: Sequence[Overdue], asked: Sequence[RequestRow]
    ) -> Standing:
        engine = self._reader.engine
        hands = Hands.of(self._reader, row.commune)
        told = steps(engine.options(FrameworkId(row.framework)))
        mine = mine_first(told, hands)
        state = engine.framework(FrameworkId(row.framework), fresh=False)
        return Standing(
            row,
            state,
            home,
            late,
            [each for each in asked if hands.confirms(each)],
            mine,
            waited_for(told, state, hands, self._language),
            days_left(row, self._today),
            _need(asked, late, mine, hands),
        )


def mine_first(told: Steps, hands: Hands) -> list[Option]:
    """What an account can do now to bring a framework on: the moves, then what else belongs to the stage."""
    onward = [option for option in told.moves if option.command not in BACKWARD]
    back = [option for option in told.moves if option.command in BACKWARD]
    wanted = (*onward, *nearest_first(told.possible), *back)
    return [option for option in wanted if hands.may(option.command)]


def nearest_first(options: Iterable[Option]) -> list[Option]:
    """What belongs to few stages belongs most to this one."""
    return sorted(options, key=lambda option: len(stages_of(COMMANDS[option.command])))


def _need(asked: Iterable[RequestRow], late: Sequence[Overdue], mine: Sequence[Option], hands: Hands) -> Need:
    if any(hands.confirms(each) for each in asked):
        return Need.CONFIRM
    if not mine:
        return Need.NOTHING
    if late:
        return Need.LATE
    return Need.MOVE if mine[0].to and mine[0].command not in BACKWARD else Need.TASK


def waited_for(told: Steps, state: Framework, hands: Hands, language: Language) -> str:
    """Who can bring it to the next stage, where that is somebody else: by name where members are waited for."""
    for missing in told.missing:
        for finding in missing.findings:
            named = listed(members_named(finding, state.members), language)
            others = [role for role in finding.lift if role not in hands.held()]
            if named or (others and len(others) == len(finding.lift)):
                return named or whom_to_call(others, language)
    rest = [role for option in told.moves if not hands.may(option.command) for role in option.roles]
    return whom_to_call(dict.fromkeys(rest), language) if rest else ""


def days_left(row: FrameworkRow, today: date) -> int | None:
    """Days left in the plan in force; below zero where it is over."""
    if row.plan_ends_on is None or row.stage not in (Stage.PLAN, Stage.MONITORING, Stage.ADJUSTMENT):
        return None
    return (row.plan_ends_on - today).days


def _by_framework(rows: Iterable[Overdue] | Iterable[RequestRow]) -> Mapping[str, list]:  # type: ignore[type-arg]
    found: dict[str, list[Overdue | RequestRow]] = defaultdict(list)
    for row in rows:
        if row.framework is not None:
            found[row.framework].append(row)
    return found
