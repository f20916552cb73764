"""Incremental, rebuilt and as of the head are one; what was believed stays believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Flag
from threading import Thread

import pytest
from benchmarks.histories import history
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cycle.history import Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Fact, Projection
from cycle.projections.obstacles import ObstacleRow, obstacles
from cycle.projections.runner import NotThereYet, Runner
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.projections.rows import DECODE, append, facts_of, in_memory, tables, walked


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[SqlRecorder]:
    store = SqlRecorder(open_database(sqlite_url))
    yield store
    store.close()


# A failing example is a database and takes a second to run: it is reported as it was found.
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=3), batch=st.integers(1, 40), cut=st.integers(1, 60))
def test_incremental_rebuilt_and_as_of_head_are_one(seeds: list[int], batch: int, cut: int) -> None:
    with TemporaryDirectory() as folder:
        store = SqlRecorder(open_database(f"sqlite:///{Path(folder) / 'a.db'}"))
        runner = Runner(store, DECODE)
        for n, seed in enumerate(seeds):
            facts = walked(seed, f"{n}")
            append(store, facts[:cut])
            runner.catch_up(batch=batch)
            append(store, facts[cut:])
        runner.catch_up(batch=batch)
        incremental = tables(store)
        Runner(store, DECODE).rebuild(batch=batch)
        assert tables(store) == incremental
        assert runner.problems() == {}
        expected = in_memory(facts_of(store))
        for name, rows in incremental.items():
            assert [tuple(map(_plain, row)) for row in rows] == [tuple(map(_plain, row)) for row in expected[name]], (
                name
            )
        store.close()


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.integers(0, 80))
def test_what_was_believed_at_a_time_never_changes(seed: int, at: int) -> None:
    history_ = [Fact(n, r) for n, r in enumerate(walked(seed, "a"), 1)]
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=at)
    cutoffs = Cutoffs(known_at=moment)
    earlier = [f for f in history_ if f.recorded.recorded_at <= moment]
    assert cutoffs.cut(history_) == cutoffs.cut(earlier)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.integers(0, 80))
def test_a_position_cuts_and_a_day_holds(seed: int, at: int) -> None:
    history_ = [Fact(n, r) for n, r in enumerate(walked(seed, "a"), 1)]
    assert [p for p, _ in Cutoffs(at=at).cut(history_)] == list(range(1, min(at, len(history_)) + 1))
    day = history_[min(at, len(history_) - 1)].recorded.occurred_on
    held = Cutoffs(as_of=day).cut(history_)
    assert all(r.occurred_on <= day for _, r in held)


def test_projections_follow_both_databases(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", 400))
    runner = Runner(store, DECODE)
    assert runner.catch_up() == 400
    before = tables(store)
    runner.rebuild()
    assert tables(store) == before
    assert set(runner.positions().values()) == {400}


def test_two_runners_apply_nothing_twice(store: SqlRecorder) -> None:
    append(store, history("f", "ML-4-01-01", 600))
    runners = [Runner(store, DECODE) for _ in range(3)]
    threads = [Thread(target=runner.catch_up, kwargs={"batch": 20}) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = tables(store)
    runners[0].rebuild()
    assert tables(store) == found


def test_readers_see_whole_tables_during_a_rebuild(sqlite_store: SqlRecorder) -> None:
    append(sqlite_store, history("f", "ML-4-01-01", 800))
    runner = Runner(sqlite_store, DECODE)
    runner.catch_up()
    whole = len(tables(sqlite_store)["audit_trail"])
    seen: list[int] = []
    runner.rebuild(progress=lambda done, of: seen.append(len(tables(sqlite_store)["audit_trail"])), batch=50)
    assert set(seen) == {whole}
    assert len(seen) > 10


def test_a_rebuild_that_dies_leaves_the_live_tables(sqlite_store: SqlRecorder) -> None:
    append(sqlite_store, history("f", "ML-4-01-01", 300))
    runner = Runner(sqlite_store, DECODE)
    runner.catch_up()
    before = tables(sqlite_store)

    def die(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.rebuild(progress=die, batch=50)
    assert tables(sqlite_store) == before
    runner.rebuild()
    assert tables(sqlite_store) == before


def test_a_fold_that_fails_stops_its_projection_and_no_other(sqlite_store: SqlRecorder) -> None:
    append(sqlite_store, history("f", "ML-4-01-01", 200))
    broken = Projection(ObstacleRow)
    for event, (keys, _) in obstacles.steps.items():
        broken.on(event, keys=keys)(lambda row, fact, of: 1 / 0)  # type: ignore[arg-type, return-value]
    runner = Runner(sqlite_store, DECODE, {**PROJECTIONS, "obstacles": broken})
    runner.catch_up()
    assert list(runner.problems()) == ["obstacles"]
    assert "ZeroDivisionError" in runner.problems()["obstacles"]
    assert {p for n, p in runner.positions().items() if n != "obstacles"} == {200}
    with pytest.raises(NotThereYet, match=r"obstacles.*cycle rebuild"):
        runner.wait_for(200, 5)
    healed = Runner(sqlite_store, DECODE)
    healed.rebuild(["obstacles"])
    assert healed.problems() == {}
    assert len(tables(sqlite_store)["obstacles"]) > 0


def test_a_changed_definition_begins_again(sqlite_store: SqlRecorder) -> None:
    append(sqlite_store, history("f", "ML-4-01-01", 200))
    Runner(sqlite_store, DECODE).catch_up()
    changed = Projection(ObstacleRow, definition=2)
    changed.steps.update(obstacles.steps)
    runner = Runner(sqlite_store, DECODE, {**PROJECTIONS, "obstacles": changed})
    assert runner.positions()["obstacles"] == 0
    runner.catch_up()
    assert set(runner.positions().values()) == {200}


def test_reading_your_own_writes_waits_and_gives_up(sqlite_store: SqlRecorder) -> None:
    append(sqlite_store, history("f", "ML-4-01-01", 50))
    runner, stop = Runner(sqlite_store, DECODE), Flag()
    with pytest.raises(NotThereYet, match="have not reached position 50"):
        runner.wait_for(50, 0.01)
    follower = Runner(sqlite_store, DECODE)
    thread = Thread(target=follower.run, args=(stop,))
    thread.start()
    runner.wait_for(50, 30)
    append(sqlite_store, history("g", "ML-4-01-02", 50))
    runner.wait_for(100, 30)
    stop.set()
    thread.join(30)
