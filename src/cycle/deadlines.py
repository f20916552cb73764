"""What the worker does about days that go by: each deadline that has passed becomes a fact, once.

Where to look is asked of the calendar; whether a deadline has passed is decided on the framework itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import MetaData, select

from cycle.aggregates.base import By, LogName, Refused, Role
from cycle.aggregates.framework.anytime import RecordDeadlinePassed, deadlines
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.terms import DeadlineKind, FrameworkId
from cycle.engine import Busy, Engine, Said, stream_of
from cycle.projections.meetings import calendar
from cycle.store import Conflict, KeyReused

Passed = tuple[DeadlineKind, str, date]


class Deadlines:
    """Records deadlines under the account of the worker, in the territories in which it holds the role.

    Any number of workers may do so at once: the key of the command is the deadline.
    """

    def __init__(self, engine: Engine, account: str) -> None:
        self.account = account
        self._engine, self._by = engine, By(account, Role.WORKER)
        self._settled: dict[FrameworkId, tuple[int, date]] = {}
        """Version and day on which there was nothing more to record of a framework."""

    @property
    def may(self) -> bool:
        """Whether the account holds the role of the worker today, anywhere."""
        door = self._engine.door
        door.refresh()
        return any(grant.role is Role.WORKER for grant in door.now.grants(self._by.actor, door.today()))

    def record(self) -> int:
        """Record whatever has passed and is not recorded; returns how many this worker recorded."""
        return sum(self._record(identity) for identity in self._looked_for()) if self.may else 0

    def _looked_for(self) -> list[FrameworkId]:
        """Frameworks with a day that may have gone by; tomorrow's, because days begin earlier elsewhere."""
        table = calendar.table_named(calendar.name, MetaData())
        until = (self._engine.today() + timedelta(days=1)).isoformat()
        query = select(table.c.framework).where(table.c.status == "open", table.c.day < until).distinct()
        with self._engine.store.database.connect().execution_options(cycle_read_only=True) as connection:
            return [FrameworkId(each) for each in connection.scalars(query.order_by(table.c.framework))]

    def _record(self, identity: FrameworkId) -> int:
        store = self._engine.store
        head = store.head().position
        version = store.version_at(stream_of(framework, identity), head)
        today = self._engine.today()
        if self._settled.get(identity) == (version, today):
            return 0
        state = self._engine.framework(identity)
        count = sum(self._say(state, each, head) for each in self._passed(state))
        if not count:
            self._settled[identity] = version, today
        return count

    def _passed(self, state: Framework) -> Iterator[Passed]:
        door, today = self._engine.door, self._engine.today(state.zone)
        path, _ = door.home(LogName(state.commune))
        if door.now.holds(self._by.actor, Role.WORKER, path, today):
            for kind, about, day in deadlines(state):
                passed = kind, about, day
                if day < today and passed not in state.deadlines_passed:
                    yield passed

    def _say(self, state: Framework, passed: Passed, head: int) -> bool:
        kind, about, day = passed
        said = Said(
            command=RecordDeadlinePassed(kind=kind, about=about),
            by=self._by,
            on=self._engine.today(state.zone),
            target=state.id,
            key=f"deadline {state.id} {kind} {about} {day}",
        )
        try:
            return self._engine.execute(said).position > head
        except (Refused, KeyReused, Conflict, Busy):
            # Another worker was quicker, or something else has become of it since.
            return False
