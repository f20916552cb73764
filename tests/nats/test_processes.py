"""A worker hands on; whatever is killed, the stream ends at the head with every event in its place."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from random import Random
from threading import Event, Thread, Timer

import pytest
from nats.js import JetStreamContext

from cycle.aggregates.base import Role
from tests.access.places import grant, revoke
from tests.feeds.test_dropping import held_open
from tests.nats.reader import STREAM, Reader, asked, everything, reading
from tests.nats.server import LIMIT_SECONDS, Node
from tests.nats.town import WORKER, Town
from tests.operations.processes import running, said, stopped

WRITERS, MOST, KILLS, SEEDS = 8, 40, 3, (1,)
"""Writers, what each of them writes at most, how often the server is killed meanwhile, and by which chance."""


def line(process: subprocess.Popen[str], level: str) -> str:
    """What it says next about NATS, at this level."""
    assert process.stderr is not None
    # Who waits for a line that does not come hears that it has ended.
    patience = Timer(LIMIT_SECONDS, process.kill)
    patience.start()
    try:
        for written in process.stderr:
            told = json.loads(written)
            if told["event"] == "nats" and told["level"] == level:
                return str(told.get("text", ""))
    finally:
        patience.cancel()
    raise AssertionError("it has ended")


def is_whole(town: Town, url: str) -> None:
    heard = everything(url)
    assert [each.sequence for each in heard] == [each.position for each in heard] == town.all
    assert [each.id for each in heard] == town.ids()


def test_what_happens_is_heard_while_a_worker_works(town: Town, server: Node) -> None:
    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as process:
        said(process)
        reader.has(town.all)
        town.happens(town.dioro, 5)
        reader.has(town.all)
        code, lines = stopped(process)
    assert code == 0
    assert [each for each in lines if each["level"] in ("warning", "error")] == []
    assert reader.positions == town.all
    is_whole(town, server.url)


def test_of_two_workers_one_publishes_and_when_it_is_killed_the_other_one_goes_on(town: Town, server: Node) -> None:
    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as first:
        said(first)
        line(first, "info")
        with running(*command, **environment) as second:
            said(second)
            town.happens(town.dioro, 20)
            first.kill()
            first.wait()
            town.happens(town.koula, 5)
            reader.has(town.all)
            line(second, "info")
            code, lines = stopped(second)
    assert code == 0
    assert [each for each in lines if each["level"] in ("warning", "error")] == []
    is_whole(town, server.url)


def test_a_server_is_killed_and_comes_back_and_nobody_who_writes_notices(town: Town, server: Node) -> None:
    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as process:
        said(process)
        reader.has(town.all)
        server.kill()
        town.happens(town.dioro, 10)
        assert "NATS" in line(process, "warning")
        server.start()
        reader.has(town.all)
        assert stopped(process)[0] == 0
    is_whole(town, server.url)
    assert {each.position: each.id for each in reader.heard} == dict(zip(town.all, town.ids(), strict=True))


def test_a_stream_that_is_deleted_while_nothing_happens_comes_back(small: Town, server: Node) -> None:

    command, environment = small.worker(server.url)
    with running(*command, **environment) as process:
        said(process)
        line(process, "info")

        async def delete(jetstream: JetStreamContext) -> None:
            await jetstream.delete_stream(STREAM)

        asked(server.url, delete)
        assert "CYCLE" in line(process, "warning")
        line(process, "info")
        assert stopped(process)[0] == 0
    is_whole(small, server.url)


def test_a_right_that_is_revoked_stops_it_and_one_that_is_given_lets_it_go_on(town: Town, server: Node) -> None:
    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as process:
        said(process)
        reader.has(town.all)
        had = town.head
        revoke(town.engine, WORKER)
        assert "worker" in line(process, "warning")
        town.happens(town.dioro, 3)
        assert [each.position for each in everything(server.url)] == town.all[:had]
        grant(town.engine, WORKER, Role.WORKER, "/")
        reader.has(town.all)
        assert stopped(process)[0] == 0
    is_whole(town, server.url)


def test_whoever_may_not_read_everything_hands_nothing_on(small: Town, server: Node) -> None:
    command, environment = small.worker(server.url)
    with running(*command, "--worker-account", "nobody", **environment) as process:
        assert "nobody" in line(process, "warning")
        code, lines = stopped(process)
    assert code == 0
    assert [each for each in lines if each["event"] == "nats"] == []
    with pytest.raises(Exception, match="stream not found"):
        everything(server.url)


def test_a_setting_that_cannot_be_used_is_told_at_the_beginning(small: Town) -> None:
    command, environment = small.worker("http://127.0.0.1:4222")
    with running(*command, **environment) as process:
        assert process.wait(60) == 2
        assert process.stderr is not None
        assert "nats://" in process.stderr.read()


@pytest.mark.parametrize("seed", SEEDS)
def test_eight_writers_while_the_server_is_killed_again_and_again(town: Town, server: Node, seed: int) -> None:
    over, random = Event(), Random(seed)

    def write(framework: str) -> None:
        for _ in range(MOST):
            if not over.is_set():
                town.happens(framework)

    def later(count: int) -> Callable[[Reader], bool]:
        wanted = len(reader.heard) + count
        return lambda one: len(one.heard) >= wanted

    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as process:
        said(process)
        writers = [Thread(target=write, args=(town.dioro if n % 2 else town.koula,)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            reader.hears(later(random.randint(1, 40)))
            server.kill()
            server.start()
        over.set()
        for writer in writers:
            writer.join()
        reader.has(town.all)
        assert stopped(process)[0] == 0
    assert {each.position: each.id for each in reader.heard} == dict(zip(town.all, town.ids(), strict=True))
    is_whole(town, server.url)


def test_an_insert_that_is_held_open_is_waited_for_and_not_jumped_over(town: Town, server: Node) -> None:
    """Another process has written and not committed; others write meanwhile, and wait for it. Then it commits."""
    command, environment = town.worker(server.url)
    with reading(server.url) as reader, running(*command, **environment) as process:
        said(process)
        reader.has(town.all)
        with held_open(town.engine, town.url) as commit:
            later = [Thread(target=town.happens, args=(framework,)) for framework in (town.dioro, town.koula)]
            for each in later:
                each.start()
            commit()
        for each in later:
            each.join()
        reader.has(town.all)
        assert stopped(process)[0] == 0
    assert reader.positions == town.all
    assert "held-1" in [each.id for each in reader.heard]
    is_whole(town, server.url)
