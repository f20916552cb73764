"""Three servers that hold the same: one is killed, whichever, and nothing that was acknowledged is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import pytest

from cycle_adapters.jetstream.connecting import Servers
from cycle_adapters.jetstream.errors import NatsTrouble
from cycle_adapters.jetstream.stream import Standing, Stream
from tests.nats.reader import everything, reading
from tests.nats.server import Cluster, Node, cluster
from tests.nats.test_processes import is_whole
from tests.nats.town import Town, at
from tests.operations.processes import running, said, stopped

T = TypeVar("T")


def write(town: Town, over: Event) -> None:
    while not over.is_set():
        town.happens(town.dioro)


def patiently(question: Callable[[], T]) -> T:
    """Ask until somebody leads: a cluster without a leader answers late or not at all."""
    while True:
        try:
            return question()
        except NatsTrouble:
            continue


def standing(found: Cluster) -> Standing:
    """How the stream stands."""

    def ask() -> Standing:
        with Stream(at(*found.urls.split(","), replicas=3)) as stream:
            return stream.standing()

    return patiently(ask)


def published(town: Town, servers: Servers) -> int:
    with Stream(servers) as stream:
        return town.publish(stream)


def leader(found: Cluster) -> Node:
    return found.named(standing(found).leader)


@pytest.mark.parametrize("kills", [2])
def test_the_leader_is_killed_in_the_middle_and_consumers_end_at_the_head(
    small: Town, tmp_path: Path, kills: int
) -> None:
    with cluster(tmp_path / "nats") as found:
        command, environment = small.worker(found.urls, CYCLE_NATS_REPLICAS="3")
        with reading(found.urls) as reader, running(*command, **environment) as process:
            said(process)
            reader.has(small.all)
            assert standing(found).replicas == 3
            for _ in range(kills):
                killed, over = leader(found), Event()
                writing = Thread(target=write, args=(small, over))
                writing.start()
                before = small.head
                reader.hears(lambda one, wanted=before + 5: max(one.positions) >= wanted)
                killed.kill()
                small.happens(small.koula, 5)
                over.set()
                writing.join()
                reader.has(small.all)
                killed.start()
            code, _ = stopped(process)
        assert code == 0
        assert {each.position: each.id for each in reader.heard} == dict(zip(small.all, small.ids(), strict=True))
        leader(found)
        is_whole(small, found.urls)


def test_what_one_server_held_is_copied_to_three_when_that_is_wished(small: Town, tmp_path: Path) -> None:
    with cluster(tmp_path / "nats") as found:
        addresses = found.urls.split(",")
        patiently(lambda: published(small, at(*addresses)))
        patiently(lambda: published(small, at(*addresses, replicas=3)))
        assert standing(found).replicas == 3
        assert len(everything(found.urls)) == small.head
