"""Whatever is killed at whatever moment: what was acknowledged is there, whole, in order, and shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from random import Random

import pytest
from sqlalchemy import make_url, select, text

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.schema import events, receipts
from tests.engine.labour import Acknowledged, command_for_ever, follow_for_ever
from tests.engine.path import Path
from tests.projections.rows import tables

CHAIN = 10
"""Rounds between two looks: the later ones run on what the earlier ones left behind."""

# Children of a server that has the engine loaded start in a moment, so that a hundred rounds stay quick.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.engine.labour", "cycle_adapters.sql.recorder"])


def start(work: Callable[..., None], *about: object) -> tuple[ForkServerProcess, Connection]:
    hears, tells = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=work, args=(*about, tells), daemon=True)
    process.start()
    tells.close()
    return process, hears


def killed(process: ForkServerProcess, hears: Connection) -> list[Acknowledged]:
    """What a process had still told when it was gone."""
    process.kill()
    process.join(60)
    assert process.exitcode == -9, "it had died of something else"
    heard: list[Acknowledged] = []
    with hears, suppress(EOFError):
        while True:
            said = hears.recv()
            heard += [said] if said is not None else []
    return heard


def one_round(url: str, framework: str, name: str, chance: Random) -> list[Acknowledged]:
    """One commands, one follows; each dies at its own moment: while it opens, or after so many receipts."""
    writer, hears = start(command_for_ever, url, framework, name)
    follower, _ready = start(follow_for_ever, url, chance.random() < 0.5)
    heard: list[Acknowledged] = []
    if chance.random() < 0.8:
        assert hears.recv() is None
        heard += [hears.recv() for _ in range(chance.randint(0, 12))]
        # The moment itself: somewhere inside the next save or two.
        hears_more = hears.poll(chance.uniform(0, 0.01))
        heard += [hears.recv()] if hears_more else []
    else:
        follower.join(chance.uniform(0, 0.2))
    if chance.random() < 0.5:
        killed(follower, _ready)
        return heard + killed(writer, hears)
    heard += killed(writer, hears)
    follower.join(chance.uniform(0, 0.01))
    killed(follower, _ready)
    return [said for said in heard if said is not None]


def nobody_else(url: str) -> None:
    """A server may still be busy with the last request of a client that is dead."""
    if make_url(url).drivername == "sqlite":
        return
    database = open_database(url)
    with database.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ended = connection.execute(text(f"SELECT pg_terminate_backend(pid, 30000) {others}")).scalars()
        assert all(ended)
    database.dispose()


def check(url: str, acknowledged: list[Acknowledged]) -> None:
    nobody_else(url)
    with Engine(url) as engine:
        with engine.store.database.connect() as connection:
            log = connection.execute(select(events).order_by(events.c.position)).all()
            saves = connection.execute(select(receipts).order_by(receipts.c.first_position)).all()
        leaves = engine.leaves
        facts = [leaves[row.type, row.schema](row.leaf) for row in log]
        # No gap, and every stream and every log is dense.
        assert [row.position for row in log] == list(range(1, len(log) + 1))
        assert engine.store.head().position == len(log)
        versions: dict[str, list[int]] = {}
        indices: dict[str, list[int]] = {}
        for row in log:
            versions.setdefault(row.stream, []).append(row.version)
            indices.setdefault(row.log, []).append(row.log_index)
        assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
        assert all(found == list(range(len(found))) for found in indices.values())
        # No half save: the receipts cut the log into whole saves, each under its own key.
        assert [save.first_position for save in saves] == [1, *(save.last_position + 1 for save in saves[:-1])]
        assert saves[-1].last_position == len(log)
        for save in saves:
            keys = {fact.causation for fact in facts[save.first_position - 1 : save.last_position]}
            assert keys == {save.key}
        assert all(one.recorded_at <= other.recorded_at for one, other in pairwise(facts))
        # Whatever was acknowledged is there, where the receipt said.
        for said in acknowledged:
            found = engine.store.receipt(said.key)
            assert found is not None
            assert tuple((line.position, line.id) for line in found[1].events) == said.facts
            assert [facts[position - 1].id for position, _ in said.facts] == [id_ for _, id_ in said.facts]
        # What is shown is what the log leads to.
        runner = Runner(engine.store, leaves)
        assert runner.catch_up() == len(log)
        assert runner.problems() == {}
        shown = tables(engine.store)
        assert len(shown["audit_trail"]) == len(log)
        runner.rebuild()
        assert tables(engine.store) == shown


@pytest.mark.parametrize("kills", [100])
def test_a_hundred_deaths_of_writer_and_follower_lose_nothing_and_show_nothing_wrong(
    database_url: str, kills: int
) -> None:
    with Engine(database_url) as engine:
        framework = Path(engine).to(Stage.MONITORING)
    chance = Random(kills)
    acknowledged: list[Acknowledged] = []
    for number in range(1, kills + 1):
        acknowledged += one_round(database_url, framework, f"round-{number}", chance)
        if number % CHAIN == 0:
            check(database_url, acknowledged)
    assert len(acknowledged) > kills, "they died too early to have done anything"
