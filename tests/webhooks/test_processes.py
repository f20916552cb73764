"""One process delivers at a time; whichever of them is killed, another one goes on, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
from threading import Event

from cycle.turns import Work
from tests.operations.processes import CYCLE, running, said, stopped
from tests.webhooks.receiver import Receiver, Sent
from tests.webhooks.town import Town


def worker(town: Town) -> tuple[tuple[str, ...], dict[str, str]]:
    command = (*CYCLE, "--lang", "en", "--database", town.url, "worker", "--log", "json")
    return command, {"CYCLE_VAULT_KEY": str(town.key), "CYCLE_WEBHOOK_NETWORKS": "127.0.0.0/8"}


def trouble(process: subprocess.Popen[str]) -> str:
    """What it says next about webhooks."""
    assert process.stderr is not None
    for line in process.stderr:
        told = json.loads(line)
        if told["event"] == "webhooks":
            return str(told["text"])
    raise AssertionError("it has ended")


def has(positions: list[int]) -> object:
    return lambda receiver: set(receiver.positions) >= set(positions)


def test_of_two_workers_one_delivers_and_each_event_comes_once_in_order(town: Town) -> None:
    town.registered(types=("document-attached",))
    command, environment = worker(town)
    with running(*command, **environment) as one, running(*command, **environment) as two:
        said(one)
        said(two)
        positions = town.happens(town.dioro, 20)
        town.receiver.hears(has(positions))  # type: ignore[arg-type]
        for process in (one, two):
            code, lines = stopped(process)
            assert code == 0
            assert [line for line in lines if line["level"] in ("warning", "error")] == []
    assert town.receiver.positions == positions


def test_the_one_that_delivers_is_killed_in_the_middle_and_the_other_one_goes_on(town: Town) -> None:
    """The receiver has an event and has not answered: it is sent again, with the same id."""
    town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 6)
    answers = Event()

    def slowly(sent: Sent) -> int:
        if sent.position == positions[2]:
            answers.wait(60)
        return 200

    town.receiver.answers = slowly
    command, environment = worker(town)
    with running(*command, **environment) as first:
        said(first)
        town.receiver.hears(has(positions[:3]))  # type: ignore[arg-type]
        with running(*command, **environment) as second:
            said(second)
            first.kill()
            first.wait()
            answers.set()
            positions += town.happens(town.koula, 2)
            town.receiver.hears(has(positions))  # type: ignore[arg-type]
            assert stopped(second)[0] == 0
    ids = {(each.position, each.id) for each in town.receiver.sent}
    assert len(ids) == len(positions), "one id for each event, however often it came"
    assert list(dict.fromkeys(town.receiver.positions)) == positions, "in order"
    assert town.receiver.positions.count(positions[2]) == 2


def test_a_turn_is_one_processes_alone_and_is_let_go_of(town: Town) -> None:
    other = town.another()
    own, others = town.engine.store.turns, other.engine.store.turns
    with own.turn(Work.DELIVERING) as first, others.turn(Work.DELIVERING) as second:
        assert first is not None
        assert first.held()
        assert second is None
        with others.turn(Work.PUBLISHING) as other_work:
            assert other_work is not None
    with others.turn(Work.DELIVERING) as third:
        assert third is not None


def test_whoever_may_not_deliver_says_so_once_and_delivers_nothing(town: Town, receiver: Receiver) -> None:
    made = town.registered(types=("document-attached",))
    town.happens(town.dioro)
    command, environment = worker(town)
    with running(*command, "--worker-account", "nobody", **environment) as process:
        assert "nobody" in trouble(process)
        code, lines = stopped(process)
    assert code == 0
    assert [line for line in lines if line["event"] == "webhooks"] == []
    assert receiver.sent == []
    assert town.webhooks.queue.progress(made.webhook) == []


def test_without_the_key_nothing_is_sent_and_why_is_said(town: Town) -> None:
    town.registered(types=("document-attached",))
    town.happens(town.dioro)
    command, environment = worker(town)
    del environment["CYCLE_VAULT_KEY"]
    with running(*command, **environment) as process:
        assert "CYCLE_VAULT_KEY" in trouble(process)
        assert stopped(process)[0] == 0
    assert town.receiver.sent == []


def test_who_has_lost_the_connection_to_the_server_has_lost_its_turn(postgres_url: str, receiver: Receiver) -> None:
    town, other = Town(postgres_url, None, receiver), Town(postgres_url, None, receiver)
    with town.engine.store.turns.turn(Work.DELIVERING) as turn:
        assert turn is not None
        with town.engine.store.database.connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.exec_driver_sql(ended).all() == [(True,)]
        assert not turn.held()
        with other.engine.store.turns.turn(Work.DELIVERING) as next_one:
            assert next_one is not None
    town.close()
    other.close()
