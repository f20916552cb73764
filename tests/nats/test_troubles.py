"""Whatever is wrong with NATS is said in words that say what to do, and said once."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from nats.js import JetStreamContext

from cycle.failures import Failure
from cycle_adapters.jetstream import running
from cycle_adapters.jetstream.connecting import servers
from cycle_adapters.jetstream.errors import BadNats, NatsTrouble
from cycle_adapters.jetstream.running import Running
from cycle_adapters.jetstream.stream import Stream
from tests.nats.reader import STREAM, asked, everything
from tests.nats.server import Node, node
from tests.nats.town import Town, at
from tests.postgres import free_port

USERS = """
authorization {
  users: [
    { user: cycle, password: right }
    { user: reader, password: right, permissions: { publish: { deny: "cycle.v1.>" } } }
  ]
}
"""


def trouble(town: Town, *addresses: str) -> NatsTrouble:
    """What is met on the way of the log to a server."""
    with pytest.raises(NatsTrouble) as met, Stream(at(*addresses)) as stream:
        town.publish(stream)
    assert met.value.told("en")
    assert met.value.told("fr")
    return met.value


def test_nobody_listens(small: Town) -> None:
    assert trouble(small, f"nats://127.0.0.1:{free_port()}").cause == "unreachable"


def test_somebody_listens_and_says_nothing(small: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert trouble(small, f"nats://127.0.0.1:{silent.getsockname()[1]}").cause in ("unreachable", "no-answer")


def test_one_of_several_addresses_is_enough(small: Town, server: Node) -> None:
    with Stream(at(f"nats://127.0.0.1:{free_port()}", server.url)) as stream:
        assert small.publish(stream) == small.head


def test_there_is_no_jetstream(small: Town, tmp_path: Path) -> None:
    with node(tmp_path, jetstream=False) as server:
        assert trouble(small, server.url).cause == "no-jetstream"


@pytest.mark.parametrize(
    ("user", "cause"), [("cycle:wrong", "credentials"), ("", "credentials"), ("reader:right", "permissions")]
)
def test_whom_the_server_does_not_know_or_allow(small: Town, tmp_path: Path, user: str, cause: str) -> None:
    with node(tmp_path, USERS) as server:
        met = trouble(small, server.url.replace("//", f"//{user}@" if user else "//"))
        assert met.cause == cause
        assert "wrong" not in met.told("en")
        with Stream(at(server.url.replace("//", "//cycle:right@"))) as stream:
            assert small.publish(stream) == small.head


def test_an_event_is_larger_than_the_server_takes(small: Town, tmp_path: Path) -> None:
    with node(tmp_path, "max_payload: 500") as server:
        assert trouble(small, server.url).cause == "too-large"


def test_the_stream_is_full_and_throws_nothing_away(small: Town, server: Node) -> None:
    """What is there stays, what comes waits in the log, and goes on when there is room."""
    with Stream(at(server.url)) as stream:
        small.publish(stream)

        async def at_most(jetstream: JetStreamContext, count: int) -> Any:
            config = (await jetstream.stream_info(STREAM)).config
            return await jetstream.update_stream(config.evolve(max_msgs=count))

        asked(server.url, lambda jetstream: at_most(jetstream, small.head + 1))
        small.happens(small.dioro, 3)
        with pytest.raises(NatsTrouble) as met:
            small.publish(stream)
        assert met.value.cause == "full"
        assert stream.end() == small.head - 2
        asked(server.url, lambda jetstream: at_most(jetstream, -1))
        assert small.publish(stream) == small.head


def test_the_disk_of_the_server_is_full(small: Town, tmp_path: Path) -> None:
    store = f'jetstream {{ store_dir: "{tmp_path / "store"}", max_file_store: 20KB }}'
    with node(tmp_path / "nats", store, jetstream=False) as server:
        small.happens(small.dioro, 40)
        assert trouble(small, server.url).cause == "full"


def test_a_server_that_hangs_is_given_up_and_gone_on_with_when_it_wakes(small: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        small.publish(stream)
        small.happens(small.dioro, 3)
        server.hang()
        with pytest.raises(NatsTrouble) as met:
            small.publish(stream, after=small.head - 3)
        server.wake()
    assert met.value.cause == "no-answer"
    with Stream(at(server.url)) as stream:
        assert small.publish(stream) == small.head
    assert [each.position for each in everything(server.url)] == small.all


class Told:
    """What a publisher says, and when it has said it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.well, self.met = Event(), Event()
        monkeypatch.setattr(running, "trouble", self._trouble)
        monkeypatch.setattr(running, "tell", self._tell)

    def _trouble(self, event: str, error: Failure) -> None:
        self.said.append(error.cause)
        self.met.set()

    def _tell(self, level: int, event: str, line: object) -> None:
        self.said.append("well")
        self.well.set()


def test_an_outage_is_said_once_and_its_end_too(small: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands go on meanwhile; they know nothing of it."""
    monkeypatch.setattr(running, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(running, "SHORTEST_PAUSE_SECONDS", 0.01)
    server, told, stop = Node(tmp_path / "nats"), Told(monkeypatch), Event()
    publisher = Running(small.engine, small.handing, at(server.url))
    thread = Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        assert told.met.wait(60)
        small.happens(small.dioro, 3)
        server.start()
        assert told.well.wait(60)
        assert told.said == ["unreachable", "well"]
    finally:
        stop.set()
        thread.join()
        server.kill()


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("CYCLE_NATS", "http://127.0.0.1:4222", "address"),
        ("CYCLE_NATS", "127.0.0.1:4222", "address"),
        ("CYCLE_NATS", "nats://127.0.0.1:port", "address"),
        ("CYCLE_NATS_REPLICAS", "two", "replicas"),
        ("CYCLE_NATS_CREDENTIALS", "/there/is/none.creds", "file"),
        ("CYCLE_NATS_CREDENTIALS", __file__, "credentials"),
        ("CYCLE_NATS_CA", __file__, "certificate"),
        ("CYCLE_NATS_CERTIFICATE", __file__, "certificate"),
    ],
)
def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, cause: str) -> None:
    monkeypatch.setenv("CYCLE_NATS", "nats://127.0.0.1:4222")
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadNats) as wrong:
        servers()
    assert wrong.value.cause == cause
    assert wrong.value.told("fr")


def test_without_a_setting_there_is_no_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYCLE_NATS", raising=False)
    assert servers() is None
