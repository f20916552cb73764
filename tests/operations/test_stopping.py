"""A process that is told to stop finishes what it has begun, and loses nothing that it acknowledged."""

from __future__ import annotations

import gc
import json
import signal
import socket
import sys
from itertools import count
from pathlib import Path as File
from threading import Semaphore, Thread

import httpx2
import pytest
from sqlalchemy import select

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle_adapters.sql.schema import receipts
from cycle_adapters.stopping import Systemd, ready
from tests.cli.run import Cli
from tests.engine.path import Path
from tests.operations.processes import CYCLE, running, said, stopped
from tests.postgres import free_port

HANDS = 8
BEFORE_THE_END = 60
"""Commands acknowledged before it is told to stop: whatever is under way then is stopped in the middle."""


class Hand:
    """Sends one command after the other until nobody listens any more; keeps what was acknowledged."""

    def __init__(self, number: int, address: str, answers: Semaphore) -> None:
        self._number, self._address, self._answers = number, address, answers
        self.acknowledged: dict[str, int] = {}
        self.halves: list[str] = []

    def work(self) -> None:
        with httpx2.Client(timeout=60) as client:
            for turn in count():
                if not self._say(client, f"hand-{self._number}-{turn}"):
                    return

    def _say(self, client: httpx2.Client, key: str) -> bool:
        """Send one; returns whether anybody listens."""
        begun = False
        try:
            with client.stream("POST", self._address, headers={"Idempotency-Key": key}) as answer:
                begun = True
                body = answer.read()
        except httpx2.ConnectError:
            return False
        except (httpx2.ReadError, httpx2.RemoteProtocolError):
            # No answer says nothing, and what was long idle may be closed; a part of one would be another matter.
            self.halves += [key] * begun
            return True
        # Everybody writes to one framework: whoever is never quick enough sends it again.
        assert answer.status_code in (201, 409), body[:200]
        if answer.status_code == 201:
            self.acknowledged[key] = json.loads(body)["position"]
            self._answers.release()
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_acknowledged_is_there_after_the_end_and_no_answer_is_cut(database_url: str, number: int) -> None:
    with Engine(database_url) as engine:
        framework = Path(engine).to(Stage.MONITORING)
    port = free_port()
    program = [sys.executable, "-m", "tests.operations.labour", database_url, framework, str(port)]
    with running(*program) as process:
        assert said(process) == "ready\n"
        answers = Semaphore(0)
        hands = [Hand(each, f"http://127.0.0.1:{port}/paper", answers) for each in range(HANDS)]
        threads = [Thread(target=hand.work) for hand in hands]
        _until_it_listens(port)
        for thread in threads:
            thread.start()
        for _ in range(BEFORE_THE_END):
            assert answers.acquire(timeout=60)
        code, lines = stopped(process, number)
        for thread in threads:
            thread.join()
    assert code == 0
    assert [hand.halves for hand in hands] == [[]] * HANDS
    acknowledged = {key: position for hand in hands for key, position in hand.acknowledged.items()}
    assert len(acknowledged) >= BEFORE_THE_END
    with Engine(database_url) as engine:
        with engine.store.database.connect() as connection:
            saved = connection.execute(select(receipts.c.key, receipts.c.last_position)).all()
        # What it had begun to record it also answered.
        assert {key: position for key, position in saved if key.startswith("hand-")} == acknowledged
        assert Runner(engine.store, engine.leaves).problems() == {}
    # Each of them is a line, with the id of its request.
    requests = {line["request"]: line for line in lines if line["event"] == "request"}
    commands = {line["key"]: line for line in lines if line["event"] == "command" and line["command"] != PASSED}
    assert acknowledged.keys() <= commands.keys()
    assert {commands[key]["request"] for key in acknowledged} <= requests.keys()


PASSED = "record-deadline-passed"


def _until_it_listens(port: int) -> None:
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return


def test_a_second_signal_ends_it_at_once(sqlite_url: str) -> None:
    with Engine(sqlite_url):
        pass
    port = free_port()
    with running(*CYCLE, "--database", sqlite_url, "--lang", "en", "serve", "--port", str(port)) as process:
        said(process)
        _until_it_listens(port)
        with socket.create_connection(("127.0.0.1", port)) as half:
            # A request that never ends holds up the first stop.
            form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n"
            asked = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{form}Expect: 100-continue\r\n\r\n"
            half.sendall(asked.encode())
            assert half.recv(100).startswith(b"HTTP/1.1 100"), "it is being worked on"
            process.send_signal(signal.SIGTERM)
            _until_it_refuses(port)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM


def _until_it_refuses(port: int) -> None:
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_systemd_hears_when_it_is_ready_lives_and_stops(sqlite_url: str, tmp_path: File, verb: str) -> None:
    with Engine(sqlite_url):
        pass
    port = ["--port", str(free_port())] if verb == "serve" else []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with running(*CYCLE, "--database", sqlite_url, "--lang", "en", verb, *port, **environment) as process:
            heard = [systemd.recv(100) for _ in range(4)]
            code, _ = stopped(process)
            heard.append(_last_but_living(systemd))
    assert code == 0
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_what_is_loaded_when_it_is_ready_is_not_looked_through_for_garbage_again() -> None:
    try:
        ready(Systemd({}))
        loaded = gc.get_freeze_count()
        assert loaded > 10_000
        assert len(gc.get_objects()) < loaded
    finally:
        gc.unfreeze()


def _last_but_living(systemd: socket.socket) -> bytes:
    while (note := systemd.recv(100)) == b"WATCHDOG=1":
        pass
    return note


def test_an_address_that_is_taken_is_told(demo: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = demo("serve", "--port", port)
    assert ran.code == 4
    assert f"Impossible d'écouter sur 127.0.0.1:{port}" in ran.err


@pytest.mark.parametrize("content", ["", "short", None])
def test_a_token_that_is_none_is_told(
    demo: Cli, tmp_path: File, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    monkeypatch.setenv("CYCLE_METRICS_TOKEN", str(tmp_path / "token"))
    ran = demo("serve", "--port", str(free_port()), lang="en")
    assert ran.code == 2
    assert "this is no token" in ran.err
