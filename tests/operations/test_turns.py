"""Of several processes one does each piece of work at a time, and another goes on when that one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest

from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle.store import Unavailable
from cycle.turns import Turn, Turns, Work
from cycle_adapters.sql.opening import open_database
from cycle_adapters.work import ASK_SECONDS, Shift, in_turn, kept_going
from tests.access.places import two_communes
from tests.operations.processes import CYCLE, running, said, stopped
from tests.store.saves import save

WORKING = (*CYCLE, "--lang", "en", "worker", "--log", "json")


class Asked(Turns):
    """The turns of a database; tells how often it was not this process's turn."""

    def __init__(self, turns: Turns, enough: int) -> None:
        self._turns, self._left = turns, enough
        self.enough = Event()

    @contextmanager
    def turn(self, work: Work) -> Iterator[Turn | None]:
        with self._turns.turn(work) as turn:
            if turn is None:
                self._left -= 1
                if not self._left:
                    self.enough.set()
            yield turn

    def is_held(self, work: Work) -> bool:
        return self._turns.is_held(work)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cycle_adapters.work.TURN_SECONDS", 0.001)


def test_who_stands_by_begins_when_the_other_has_ended(database_url: str) -> None:
    with Engine(database_url) as one, Engine(database_url) as two:
        asked, begun, stop = Asked(two.store.turns, 3), Event(), Event()

        def part(shift: Shift) -> None:
            begun.set()
            stop.wait(60)
            assert shift.is_set()

        thread = Thread(target=in_turn, args=(asked, Work.FOLDING, part, stop))
        with one.store.turns.turn(Work.FOLDING) as held:
            assert held is not None
            thread.start()
            assert asked.enough.wait(60)
            assert not begun.is_set()
        assert begun.wait(60)
        stop.set()
        thread.join()


def test_other_work_is_nobody_elses_turn(database_url: str) -> None:
    with Engine(database_url) as one, Engine(database_url) as two:
        turns = [one.store.turns.turn(work) for work in Work]
        for work, each in zip(Work, turns, strict=True):
            with each as held:
                assert held is not None
                with two.store.turns.turn(work) as other:
                    assert other is None


def test_whose_connection_is_lost_has_lost_his_turn(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has let go of the lock: somebody else may have it, and is to have it for himself."""
    monkeypatch.setattr("cycle_adapters.work.ASK_SECONDS", 0)
    with Engine(postgres_url) as engine:
        ends, stop = list[bool](), Event()

        def part(shift: Shift) -> None:
            assert not shift.is_set()
            with engine.store.database.connect() as connection:
                connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            ends.append(shift.is_set())
            if len(ends) == 2:
                stop.set()

        in_turn(engine.store.turns, Work.FOLDING, part, stop)
        assert ends == [True, True]


def test_the_one_that_folds_is_killed_and_the_other_one_goes_on(database_url: str) -> None:
    with Engine(database_url) as engine:
        two_communes(engine)
        runner = Runner(engine.store, engine.leaves)
        with running(*WORKING, CYCLE_DATABASE=database_url) as first:
            said(first)
            runner.wait_for(engine.store.head().position, 60)
            with running(*WORKING, CYCLE_DATABASE=database_url) as second:
                said(second)
                first.kill()
                first.wait()
                position = engine.store.append(save("afterwards")).position
                runner.wait_for(position, 60)
                code, lines = stopped(second)
        assert code == 0
        assert [line for line in lines if line["level"] == "error"] == []
        assert set(runner.positions().values()) == {position}


def test_who_comes_late_folds_nothing_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that serves looks how far the worker is before it reads what that has folded long ago."""
    with Engine(database_url) as one, Engine(database_url) as two:
        two_communes(one)
        worker, serving = (Runner(each.store, each.leaves) for each in (one, two))
        assert serving.catch_up() == worker.catch_up()
        one.store.append(save("more", many=5))
        worker.catch_up()

        def read(*given: object, **named: object) -> object:
            raise AssertionError("it was folded already")

        monkeypatch.setattr(two.store, "read", read)
        assert serving.catch_up() == one.store.head().position


def test_what_is_healed_elsewhere_is_taken_up_again(database_url: str) -> None:
    with Engine(database_url) as one, Engine(database_url) as two:
        two_communes(one)
        worker = Runner(one.store, one.leaves)
        worker.catch_up()
        with one.store.database.begin() as connection:
            connection.exec_driver_sql("UPDATE projections SET problem = 'x' WHERE name = 'plans'")
        position = one.store.append(save("more")).position
        worker.catch_up()
        assert worker.positions()["plans"] < position
        Runner(two.store, two.leaves).rebuild(["plans"])
        position = one.store.append(save("again")).position
        worker.catch_up()
        assert (worker.positions()["plans"], worker.problems()) == (position, {})


def test_an_outage_however_often_it_comes_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    stop = Event()
    monkeypatch.setattr(stop, "wait", pauses.append)
    times = iter([0, 1, 1, 2, 2, 3, 3, 4, 4, 1_000, 1_000, 1_001])
    monkeypatch.setattr("cycle_adapters.work.monotonic", lambda: next(times))

    def work() -> None:
        if len(pauses) == 5:
            stop.set()
        raise Unavailable("no-server", "somewhere")

    kept_going("projections", work, stop)
    # After it has worked for a while it begins anew with a short one.
    assert pauses == [2.0, 4.0, 5.0, 5.0, 1.0, 2.0]


def test_a_server_that_vanishes_is_noticed_and_the_address_may_say_how_soon(postgres_url: str) -> None:
    def asked(url: str) -> dict[str, str]:
        database = open_database(url)
        with database.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            found = driver.info.get_parameters()
        database.dispose()
        return found

    assert asked(postgres_url).items() >= {"tcp_user_timeout": "10000", "keepalives_idle": "5"}.items()
    assert asked(f"{postgres_url}?tcp_user_timeout=3000")["tcp_user_timeout"] == "3000"


def test_the_server_asks_after_whoever_has_his_turn(postgres_url: str) -> None:
    with Engine(postgres_url) as engine, engine.store.turns.turn(Work.FOLDING) as turn:
        connection: psycopg.Connection[tuple[str]] = turn._connection  # type: ignore[union-attr]
        found = [connection.execute(f"SHOW tcp_keepalives_{name}").fetchone() for name in ("idle", "interval", "count")]
        assert found == [("3",), ("1",), ("3",)]


def test_connections_that_broke_while_nobody_used_them_are_replaced_unnoticed(postgres_url: str) -> None:
    """The server was started again: no request is refused for each connection that there was."""
    with Engine(postgres_url) as engine, Engine(postgres_url) as other:
        database = engine.store.database
        held = [database.connect() for _ in range(3)]
        for each in held:
            each.close()
        with other.store.database.connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            connection.exec_driver_sql(f"{ended} AND pid <> pg_backend_pid()")
        for _ in held:
            assert engine.store.head().position == 0


def test_a_connection_that_breaks_in_use_is_put_away_without_a_word(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks next is given another one."""
    with Engine(postgres_url) as engine, Engine(postgres_url) as other:
        used = engine.store.database.raw_connection()
        cursor = used.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone() or (0,)
        with other.store.database.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend({process}, 5000)")
        used.close()
        assert engine.store.head().position == 0
    assert caplog.records == []


def test_a_shift_asks_now_and_then_whether_it_is_still_its_turn() -> None:
    """A question costs a round trip, and each piece of work is small."""

    class Lost:
        asked, is_held = 0, True

        def held(self) -> bool:
            self.asked += 1
            return self.is_held

    turn, seconds = Lost(), 0.0
    shift = Shift(turn, Event(), lambda: seconds)
    for _ in range(50):
        assert not shift.is_set()
    assert turn.asked == 1
    turn.is_held = False
    assert not shift.is_set()
    seconds += ASK_SECONDS
    assert shift.is_set()
    turn.is_held = True
    seconds += ASK_SECONDS
    assert shift.is_set(), "another one has had it meanwhile"
    assert turn.asked == 2
