"""Time and chance of the demo: a clock that moves with the story, ids and keys out of the seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from heapq import heapify, heappop, heappush
from random import Random
from types import TracebackType
from typing import Self
from uuid import UUID

from msgspec import Struct

from cycle.aggregates.base import By, Command
from cycle.aggregates.terms import CommuneCode, DeliberationId
from cycle.demo.places import found, years
from cycle.demo.steps import Import, Step, Steps
from cycle.demo.story import tell_framework
from cycle.engine import Engine, Said
from cycle.store import Receipt

Recorded = Callable[[Engine, CommuneCode, bytes, str, By], dict[str, DeliberationId]]
Progress = Callable[[int, int], None]
BEGIN = date(2023, 1, 9)
KEY = "demo-{:06}"
"""The keys of the commands of the demo, by which its log is known again."""


class LogNotEmpty(Exception):  # noqa: N818
    """The demo fills an empty log only."""


class Summary(Struct, frozen=True):
    """What the demo did."""

    events: int
    communes: int
    frameworks: int
    cycles: int
    commands: int
    until: date


class Clock:
    """Says the moment that the story has reached; it never goes back."""

    def __init__(self, begin: date) -> None:
        self.now = datetime.combine(begin, time(8), UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, to: datetime) -> None:
        self.now = max(self.now + timedelta(milliseconds=7), to)


class Simulated:
    """An engine in simulated time.

    Args:
        database: the URL of a database with an empty log.
        seed: makes every id, time and turn of the story.
    """

    def __init__(self, database: str, seed: int) -> None:
        self.chance = Random(seed)
        # Ids have a chance of their own, so that one more fact changes no story.
        self._bits = Random(f"ids of {seed}")
        self.clock = Clock(BEGIN)
        self.engine = Engine(database, clock=self.clock, ids=self._id)
        self.commands = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.close()

    def _id(self) -> str:
        """A UUIDv7 of the simulated moment."""
        milliseconds = int(self.clock.now.timestamp() * 1000)
        bits = milliseconds << 80 | 0x7 << 76 | self._bits.getrandbits(12) << 64
        return str(UUID(int=bits | 0b10 << 62 | self._bits.getrandbits(62)))

    def say(self, command: Command, by: By, on: date, target: str | None = None, *, late: bool = False) -> Receipt:
        """Execute one command of the story; a refusal is a mistake of the story."""
        self.commands += 1
        key = KEY.format(self.commands)
        said = Said(command=command, by=by, on=on, target=target, key=key, late_record=late)
        return self.engine.execute(said)

    def tell(
        self,
        recorded: Recorded,
        *,
        frameworks: int = 20,
        cycles: int = 6,
        progress: Progress = lambda done, of: None,
    ) -> Summary:
        """Fill the log: every commune, then the frameworks side by side, day by day.

        Raises:
            LogNotEmpty: there is something in it already.
        """
        if self.engine.store.head().position:
            raise LogNotEmpty(str(self.engine.store.head().position))
        # A longer story begins earlier, so that none ends in the future.
        self.clock.now -= timedelta(days=210 * max(0, cycles - 6))
        territory = found(self)
        waiting: list[tuple[datetime, int, Steps, Step]] = []
        for number, home in enumerate(territory.homes[:frameworks]):
            story = tell_framework(Random(self.chance.getrandbits(64)), number, home, cycles, self.engine)
            waiting += self._first(number, story)
        total, done = len(waiting) * cycles, 0
        # What happens beside the frameworks ends before they do, however short the story is.
        until = self.clock.now.date() + timedelta(days=130 * cycles)
        waiting += self._first(len(territory.homes), years(self, territory, until))
        heapify(waiting)
        while waiting:
            moment, number, story, step = heappop(waiting)
            self.clock.move(moment)
            answer = self._do(step, recorded)
            done += step.closes_cycle
            progress(min(done, total), total)
            try:
                following = story.send(answer)
            except StopIteration:
                continue
            heappush(waiting, (self._when(following), number, story, following))
        progress(total, total)
        return Summary(
            self.engine.store.head().position,
            len(territory.homes),
            frameworks,
            cycles,
            self.commands,
            self.clock.now.date(),
        )

    def _first(self, number: int, story: Steps) -> list[tuple[datetime, int, Steps, Step]]:
        step = next(story, None)
        return [(self._when(step), number, story, step)] if step is not None else []

    def _when(self, step: Step) -> datetime:
        """When somebody gets to record it: the same day, or days and sometimes weeks later."""
        minute = self.chance.randint(0, 600)
        return datetime.combine(step.recorded_on, time(8), UTC) + timedelta(minutes=minute)

    def _do(self, step: Step, recorded: Recorded) -> object:
        match step.what:
            case Import(commune=commune, data=data, source=source):
                return recorded(self.engine, commune, data, source, step.by)
            case Command():
                return self.say(step.what, step.by, step.on, step.target, late=step.late)
        raise TypeError(step.what)
