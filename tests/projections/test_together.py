"""Several rebuilds of one database at once, and new projections of a long log."""

from __future__ import annotations

import sys
from subprocess import check_output
from threading import Event as Flag
from threading import Thread

import pytest
from benchmarks.histories import history

from cycle.projections import runner as running
from cycle.projections.runner import Runner
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.projections.rows import LEAVES, append, facts_of, in_memory, tables
from tests.store.test_processes import go, program


def test_rebuilds_of_several_processes_wait_for_each_other(database_url: str) -> None:
    store = SqlRecorder(open_database(database_url))
    append(store, history("f", "ML-4-01-01", 200))
    Runner(store, LEAVES).catch_up()
    builders = [program("tests.projections.builder", database_url) for _ in range(4)]
    for each in builders:
        go(each)
    assert [each.communicate(timeout=120)[0] for each in builders] == ["built\n"] * 4
    assert tables(store) == in_memory(facts_of(store))
    store.close()


def test_a_rebuild_begins_when_the_one_before_has_ended(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", 20))
    runner, begun, ended = Runner(store, LEAVES), Flag(), Flag()

    def rebuild() -> None:
        begun.set()
        runner.rebuild()
        ended.set()

    waiting = Thread(target=rebuild)
    with store.alone():
        waiting.start()
        begun.wait()
        assert not ended.wait(0.2), "it did not wait"
    waiting.join()
    assert ended.is_set()


@pytest.mark.parametrize("long", [True, False])
def test_nobody_sees_half_of_a_new_projection_of_a_long_log(
    store: SqlRecorder, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    monkeypatch.setattr(running, "FROM_NOTHING", 200 if long else 201)
    monkeypatch.setattr(running, "SPAN", 50)
    append(store, history("f", "ML-4-01-01", 200))
    seen: set[int] = set()

    def look(done: int, of: int) -> None:
        seen.add(len(tables(store)["audit_trail"]))

    runner = Runner(store, LEAVES)
    assert runner.catch_up(batch=50, progress=look) == 200
    assert (seen <= {0, 200}) == long
    assert tables(store) == in_memory(facts_of(store))
    assert set(runner.positions().values()) == {200}


def test_the_audit_trail_takes_every_fact_whatever_is_imported_first() -> None:
    said = "from cycle.projections.all import PROJECTIONS; from cycle.aggregates.base import EVENTS; "
    said += "print(set(PROJECTIONS['audit_trail'].steps) == set(EVENTS.values()), len(EVENTS) > 50)"
    assert check_output([sys.executable, "-c", said], text=True) == "True True\n"
