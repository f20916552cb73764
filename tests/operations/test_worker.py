"""What the worker does, it does once, however many of them there are."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path as File
from threading import Barrier, Event, Thread

import pytest

from cycle.aggregates.base import Role
from cycle.aggregates.framework.anytime import DeadlinePassed, deadlines
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Stage
from cycle.deadlines import Deadlines
from cycle.engine import Engine, stream_of
from cycle.failures import Failure
from cycle.projections.runner import Runner
from cycle.sealing import SealsUnavailable
from cycle_adapters.sealing.beside import StandBy, sealing, working
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.looking import last_seal
from cycle_adapters.sql.recorder import SqlRecorder
from cycle_adapters.work import watch_days
from tests.engine.path import Path
from tests.operations.processes import CYCLE, running, said, stopped
from tests.people import accounts_begin, admit
from tests.proofs.sealing import KEY
from tests.sealing.logs import Teller

AFTERWARDS = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORKER = Role.WORKER.value
WORKING = (*CYCLE, "--lang", "en", "worker")


def monitored(engine: Engine) -> Path:
    """A framework whose plan is over and that nobody has looked at."""
    way = Path(engine)
    way.to(Stage.MONITORING)
    Runner(engine.store, engine.leaves).catch_up()
    return way


def passed(engine: Engine, way: Path) -> Counter[tuple[str, str]]:
    history = engine.states.history(stream_of(framework, way.framework))
    facts = [fact for fact in history if isinstance(fact.data, DeadlinePassed)]
    assert {(fact.by.actor, fact.by.role) for fact in facts} <= {(WORKER, Role.WORKER)}
    return Counter((fact.data.kind, fact.data.about) for fact in facts if isinstance(fact.data, DeadlinePassed))


def due(engine: Engine, way: Path) -> set[tuple[str, str]]:
    return {(kind, about) for kind, about, day in deadlines(engine.framework(way.framework)) if day < AFTERWARDS.date()}


def test_each_deadline_that_has_passed_is_recorded_once(database_url: str) -> None:
    with Engine(database_url, clock=lambda: AFTERWARDS) as engine:
        way = monitored(engine)
        wanted = due(engine, way)
        assert ("plan", "plan-1") in wanted
        worker = Deadlines(engine, WORKER)
        assert worker.record() == len(wanted)
        assert passed(engine, way) == dict.fromkeys(wanted, 1)
        Runner(engine.store, engine.leaves).catch_up()
        assert (worker.record(), Deadlines(engine, WORKER).record()) == (0, 0)


def test_nothing_has_passed_before_its_day_is_over(sqlite_url: str) -> None:
    with Engine(sqlite_url, clock=lambda: datetime(2026, 5, 15, 23, tzinfo=UTC)) as engine:
        way = monitored(engine)
        Deadlines(engine, WORKER).record()
        # It ends on that very day.
        assert ("plan", "plan-1") not in passed(engine, way)


def test_workers_at_the_same_moment_record_nothing_twice(database_url: str) -> None:
    with Engine(database_url, clock=lambda: AFTERWARDS) as engine:
        way = monitored(engine)
        wanted = due(engine, way)
        begin, counts = Barrier(4), []

        def work() -> None:
            with Engine(database_url, clock=lambda: AFTERWARDS) as own:
                worker = Deadlines(own, WORKER)
                begin.wait(60)
                counts.append(worker.record())

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert passed(engine, way) == dict.fromkeys(wanted, 1)


@pytest.mark.parametrize("territory", ["", "ML/Koulikoro"])
def test_a_worker_without_a_right_there_records_nothing_and_is_in_no_list_of_refusals(
    sqlite_url: str, territory: str
) -> None:
    with Engine(sqlite_url, clock=lambda: AFTERWARDS) as engine:
        way = monitored(engine)
        if territory:
            admit(engine, ("other", Role.WORKER, territory))
        head = engine.store.head()
        worker = Deadlines(engine, "other")
        assert worker.record() == 0
        assert worker.may == bool(territory)
        assert engine.store.head() == head
        assert not passed(engine, way)


def test_a_worker_without_its_role_says_so(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with Engine(sqlite_url) as engine:
        accounts_begin(engine)
        stop = Event()

        class Once(Deadlines):
            @property
            def may(self) -> bool:
                stop.set()
                return super().may

        watch_days(Once(engine, WORKER), Runner(engine.store, engine.leaves), stop)
    (told,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert isinstance(told, Failure)
    assert "cycle account open worker --machine" in told.told("en")


def test_two_workers_as_processes(database_url: str, tmp_path: File) -> None:
    with Engine(database_url) as engine:
        way = monitored(engine)
        wanted = due(engine, way)
        head = engine.store.head().position
        key = tmp_path / "key"
        key.write_text(KEY.secret())
        key.chmod(0o600)
        given = {"CYCLE_DATABASE": database_url, "CYCLE_SEAL_KEY": str(key), "CYCLE_SEALS": str(tmp_path / "seals")}
        runner = Runner(engine.store, engine.leaves)
        with running(*WORKING, **given) as one, running(*WORKING, **given) as other:
            assert "Working on" in said(one) + said(other)
            waker = engine.store.waker()
            while engine.store.head().position < head + len(wanted):
                waker.wait(1)
            runner.wait_for(head + len(wanted), 60)
            waker.close()
            ends = [stopped(one), stopped(other)]
        assert [code for code, _ in ends] == [0, 0]
        assert passed(engine, way) == dict.fromkeys(wanted, 1)
        assert engine.store.head().position == head + len(wanted)
        assert (runner.problems(), set(runner.positions().values())) == ({}, {head + len(wanted)})
    lines = [line for _, lines in ends for line in lines]
    # One seals; the other waits for its turn.
    assert [line["error"] for line in lines if line["event"] == "seal" and "error" in line] == ["SealsUnavailable"]
    assert not [line for line in lines if line["level"] == "error"]
    assert Folder(tmp_path / "seals").checkpoint(None) is not None


def test_who_stands_by_seals_when_the_other_has_ended(
    store: SqlRecorder, database_url: str, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    Teller(store).tell(5)
    key = tmp_path / "key"
    key.write_text(KEY.secret())
    key.chmod(0o600)
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    heard: list[object] = []
    with sealing(store, database_url, "en"), sealing(store, database_url, "en", heard.append, stands_by=True):
        pass
    assert [str(said.cause) for said in heard if isinstance(said, SealsUnavailable)] == ["locked"]
    sealed = Event()
    turn = StandBy(lambda: working(store, tmp_path / "seals", key, KEY, lambda said: sealed.set()), heard.append, 0.01)
    thread = Thread(target=turn.run)
    with Folder(tmp_path / "seals").locked():
        thread.start()
        assert not sealed.is_set()
    assert sealed.wait(60)
    turn.stop()
    thread.join()
    seen = last_seal(database_url)
    assert (seen.has_key, seen.refused, seen.when is not None) == (True, False, True)
