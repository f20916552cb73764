"""A deadline that has passed is noticed once: by however many workers, after any downtime, and after a restore.

The fact says what was due and when; that it was noticed, and when, is its own day and its time of record.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.framework.adjustment import ActionChange, AdjustPlan, OpenReview
from cycle.aggregates.framework.anytime import DeadlinePassed, Resume, Suspend, deadlines
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import ActionId, FrameworkId, ReviewKind
from cycle.deadlines import Deadlines
from cycle.engine import Engine, stream_of
from cycle.projections.runner import Runner
from cycle_adapters.files.events import export, import_
from tests.engine.path import STEPS, Path, said
from tests.files.everything import backup, restore
from tests.operations.test_worker import WORKER

BEFORE = datetime(2026, 5, 1, 12, tzinfo=UTC)
"""Nothing is due yet."""


class Noticed(NamedTuple):
    """What a fact says of a deadline: which, when it was due, and when it was noticed."""

    kind: str
    about: str
    due_on: date
    noticed_on: date
    recorded_at: datetime


class Workers:
    """Some workers on one log, each as a process of its own has it; their clock is moved by hand."""

    def __init__(self, url: str, framework: FrameworkId, many: int = 1) -> None:
        self.now, self._framework = BEFORE, framework
        self.engines = [Engine(url, clock=lambda: self.now) for _ in range(many)]
        self._workers = [Deadlines(engine, WORKER) for engine in self.engines]
        self._runners = [Runner(engine.store, engine.leaves) for engine in self.engines]

    def at(self, now: datetime) -> Workers:
        self.now = now
        return self

    def work(self, which: int = 0) -> int:
        """One round of one of them, as ``watch_days`` does it; returns how many deadlines it recorded."""
        self._runners[which].catch_up()
        return self._workers[which].record()

    @property
    def noticed(self) -> list[Noticed]:
        history = self.engines[0].states.history(stream_of(framework, self._framework))
        return [
            Noticed(fact.data.kind, fact.data.about, fact.data.due_on, fact.occurred_on, fact.recorded_at)
            for fact in history
            if isinstance(fact.data, DeadlinePassed)
        ]

    def due(self) -> dict[tuple[str, str], date]:
        """Every deadline that there is, and its day."""
        return {(kind, about): day for kind, about, day in deadlines(self.engines[0].framework(self._framework))}

    def close(self) -> None:
        for engine in self.engines:
            engine.close()


class Begun(NamedTuple):
    """A log in a file, that nobody works on, and its framework, which is monitored."""

    file: File
    framework: FrameworkId

    def copied(self, to: File) -> str:
        shutil.copy(self.file, to / "worked.db")
        return f"sqlite:///{to / 'worked.db'}"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    file = tmp_path_factory.mktemp("deadlines") / "begun.db"
    with Engine(f"sqlite:///{file}", clock=lambda: BEFORE) as engine:
        found = Path(engine).to(Stage.MONITORING)
    return Begun(file, found)


@pytest.fixture
def workers(begun: Begun, tmp_path: File) -> Iterator[Workers]:
    found = Workers(begun.copied(tmp_path), begun.framework)
    yield found
    found.close()


STEP = st.one_of(st.integers(1, 20).map(lambda days: ("days", days)), st.integers(0, 2).map(lambda n: ("work", n)))


@settings(max_examples=25, deadline=None)
@given(schedule=st.lists(STEP, max_size=12))
def test_whoever_works_when_each_deadline_is_noticed_once_by_the_first_who_looks(
    begun: Begun, schedule: list[tuple[str, int]]
) -> None:
    """Days go by, and now and then one of three workers looks: as when they are started, killed and left off."""
    with TemporaryDirectory() as folder, ExitStack() as end:
        workers = Workers(begun.copied(File(folder)), begun.framework, 3)
        end.callback(workers.close)
        due, wanted = workers.due(), set[Noticed]()
        for what, number in [*schedule, ("days", 60), ("work", 0), ("work", 1)]:
            if what == "days":
                workers.at(workers.now + timedelta(days=number))
                continue
            known = {each[:2] for each in wanted}
            new = {
                Noticed(*about, day, workers.now.date(), workers.now)
                for about, day in due.items()
                if day < workers.now.date() and about not in known
            }
            assert workers.work(number) == len(new)
            wanted |= new
        assert len(wanted) == len(due) == 2
        assert len(workers.noticed) == len(wanted)
        assert set(workers.noticed) == wanted


def test_a_worker_that_was_down_for_weeks_says_when_it_was_due_and_when_it_was_noticed(workers: Workers) -> None:
    due = workers.due()
    assert workers.work() == 0
    afterwards = datetime(2026, 8, 3, 7, 30, tzinfo=UTC)
    assert workers.at(afterwards).work() == len(due)
    assert {(each.kind, each.about): each.due_on for each in workers.noticed} == due
    assert {(each.noticed_on, each.recorded_at) for each in workers.noticed} == {(afterwards.date(), afterwards)}


def test_what_an_adjusted_plan_puts_off_is_noticed_again_when_it_passes_again(workers: Workers, begun: Begun) -> None:
    engine, (_, action) = workers.engines[0], next(each for each in workers.due() if each[0] == "action")
    first, second = date(2026, 5, 5), date(2026, 5, 12)

    def adjusted(on: date, due_on: date) -> None:
        change = ActionChange(action=ActionId(action), due_on=due_on)
        for command in (OpenReview(kind=ReviewKind.MID_TERM), AdjustPlan(causes=("Crue",), changes=(change,))):
            engine.execute(said(command, on, begun.framework))

    workers.at(at_noon(date(2026, 5, 2)))
    adjusted(date(2026, 5, 2), first)
    assert workers.at(at_noon(date(2026, 5, 6))).work() == 1
    adjusted(date(2026, 5, 6), second)
    assert workers.at(at_noon(second)).work() == 0
    assert workers.at(at_noon(date(2026, 5, 13))).work() == 1
    assert workers.work() == 0
    assert [(each.about, each.due_on) for each in workers.noticed] == [(action, first), (action, second)]


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture
def restored(workers: Workers, engine: Engine, tmp_path: File) -> Workers:
    """A backup of the first of May in an empty database, in which everything due was noticed on the twentieth."""
    old = workers.engines[0]
    backup(old.store, tmp_path / "may.zip")
    assert workers.at(datetime(2026, 5, 20, 12, tzinfo=UTC)).work() == 2
    restore(engine.store, tmp_path / "may.zip")
    found = Workers(str(engine.env["CYCLE_DATABASE"]), workers._framework, 2)
    return found.at(datetime(2026, 5, 22, 12, tzinfo=UTC))


def test_what_was_noticed_after_a_backup_is_noticed_again_after_a_restore_once(restored: Workers) -> None:
    assert (restored.work(0), restored.work(1), restored.work(0)) == (2, 0, 0)
    assert {each.recorded_at for each in restored.noticed} == {restored.now}
    restored.close()


def test_what_is_recovered_was_noticed_when_it_was(restored: Workers, workers: Workers) -> None:
    """The missing events come first, then the worker: it finds nothing more to notice."""
    lines = BytesIO()
    export(workers.engines[0], lines)  # type: ignore[arg-type]
    lines.seek(0)
    assert import_(restored.engines[0], lines, lambda done: None, follow_on=True) == 2
    assert (restored.work(0), restored.work(1)) == (0, 0)
    assert restored.noticed == workers.noticed
    restored.close()


def test_a_framework_that_was_suspended_meanwhile_is_looked_at_as_it_is(workers: Workers, begun: Begun) -> None:
    """What its members owe goes by all the same; the end of the plan is nobody's until it is taken up again."""
    engine = workers.engines[0]
    day = date(2026, 5, 2)
    workers.at(datetime(2026, 5, 2, 12, tzinfo=UTC))
    engine.execute(said(Suspend(reason="Crue"), day, begun.framework))
    assert workers.at(datetime(2026, 6, 20, 12, tzinfo=UTC)).work() == 1
    assert [each.kind for each in workers.noticed] == ["action"]
    engine.execute(said(Resume(reason="Décrue"), date(2026, 6, 20), begun.framework))
    # Its window is over: it is adjusted, and the plan's end is past minding.
    assert (workers.work(), workers.work()) == (0, 0)


def test_of_a_framework_that_was_dissolved_meanwhile_nothing_is_noticed(begun: Begun, tmp_path: File) -> None:
    workers = Workers(begun.copied(tmp_path), begun.framework)
    way = Path(workers.engines[0])
    way.framework = begun.framework
    workers.at(datetime(2026, 5, 16, 12, tzinfo=UTC))
    for stage in (Stage.ADJUSTMENT, Stage.SUSPENDED, Stage.DISSOLVED):
        STEPS[stage](way)
    head = workers.engines[0].store.head().position
    assert workers.at(datetime(2026, 8, 1, 12, tzinfo=UTC)).work() == 0
    assert (workers.noticed, workers.engines[0].store.head().position) == ([], head)
    workers.close()
