"""``cycle nats``, ``cycle doctor`` and ``/metrics``: how far events are handed on, and handing all of them on again."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cycle.projections.runner import Runner
from cycle.settings import Settings
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.serving import application
from cycle_adapters.jetstream.stream import Stream
from cycle_adapters.rooms import rooms_of
from cycle_adapters.stopping import Stopping
from tests.access.places import revoke
from tests.cli.run import Cli
from tests.nats.reader import everything
from tests.nats.server import Node
from tests.nats.test_processes import is_whole, line
from tests.nats.town import WORKER, Town, at
from tests.operations.processes import running, said, stopped
from tests.postgres import free_port


@pytest.fixture
def cli(small: Town, server: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_NATS", server.url)
    monkeypatch.setenv("CYCLE_ACTOR", "operator")
    return Cli(small.url, capsys)


def nats_of(cli: Cli) -> tuple[str, str]:
    checks = cli("--json", "doctor").json["checks"]
    [found] = [(each["state"], each["cause"]) for each in checks if each["name"] == "nats"]
    return found


def test_how_far_the_stream_is(cli: Cli, small: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        small.publish(stream)
    small.happens(small.dioro, 2)
    found = cli.ok("--json", "nats", "status").json
    assert (found["position"], found["head"], found["lag_events"]) == (small.head - 2, small.head, 2)
    assert (found["replicas"], found["current"], found["messages"]) == (1, 1, small.head - 2)
    assert 0 < found["lag_seconds"] < 600
    told = cli.ok("nats", "status", lang="en").out
    assert f"position {small.head - 2} of {small.head} · 2 events behind" in told
    assert "1 of 1 copy up to date" in told


def test_without_a_stream_without_a_server_and_without_a_setting(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("nats", "status", lang="en")
    assert (ran.code, "cycle worker" in ran.err) == (4, True)
    monkeypatch.setenv("CYCLE_NATS", f"nats://user:secret@127.0.0.1:{free_port()}")
    ran = cli("nats", "status", lang="en")
    assert (ran.code, "cannot be reached" in ran.err, "secret" in ran.err) == (4, True, False)
    monkeypatch.delenv("CYCLE_NATS")
    ran = cli("nats", "refill", "--yes", lang="en")
    assert (ran.code, "CYCLE_NATS" in ran.err) == (2, True)


def test_a_refill_is_said_twice_and_fills_the_stream(cli: Cli, small: Town, server: Node) -> None:
    ran = cli("nats", "refill", lang="en")
    assert (ran.code, "--yes" in ran.err) == (2, True)
    assert f"position {small.head}" in cli.ok("nats", "refill", "--yes", lang="en").out
    assert cli.ok("--json", "nats", "refill", "--yes").json == {"position": small.head}
    is_whole(small, server.url)


def test_a_refill_by_whoever_may_not_leaves_the_stream_as_it_is(cli: Cli, small: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        small.publish(stream)
    before = everything(server.url)
    assert cli("--actor", "auditor", "nats", "refill", "--yes").code == 1
    ran = cli("nats", "refill", "--yes", "--worker-account", "nobody", lang="en")
    assert ran.code != 0
    assert "nobody" in ran.err
    assert everything(server.url)[: len(before)] == before


def test_a_refill_while_a_worker_works_is_seen_to_its_end(cli: Cli, small: Town, server: Node) -> None:
    command, environment = small.worker(server.url)
    with running(*command, **environment) as process:
        said(process)
        line(process, "info")
        assert cli.ok("--json", "nats", "refill", "--yes").json["position"] >= small.head - 1
        assert stopped(process)[0] == 0
    is_whole(small, server.url)


def test_after_a_restore_to_an_older_state_the_stream_is_ahead_and_a_refill_heals_it(
    cli: Cli, small: Town, server: Node, tmp_path: Path
) -> None:
    cli.ok("backup", str(tmp_path / "a.backup"))
    small.happens(small.dioro, 3)
    with Stream(at(server.url)) as stream:
        small.publish(stream)
    restored = Cli(f"sqlite:///{tmp_path / 'restored.db'}", cli._capsys)
    restored.ok("restore", str(tmp_path / "a.backup"))
    ran = restored("nats", "status", lang="en")
    assert (ran.code, "cycle nats refill" in ran.err) == (3, True)
    assert nats_of(restored) == ("bad", "trouble")
    restored.ok("nats", "refill", "--yes")
    assert nats_of(restored) == ("ok", "current")


def test_the_doctor_says_what_is_wrong_with_it(
    cli: Cli, small: Town, server: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nats_of(cli) == ("bad", "trouble")
    with Stream(at(server.url)) as stream:
        small.publish(stream)
    assert nats_of(cli) == ("ok", "current")
    small.happens(small.dioro)
    monkeypatch.setattr("cycle_adapters.jetstream.looking.FAR_BEHIND_SECONDS", -1.0)
    assert nats_of(cli) == ("warn", "behind")
    revoke(small.engine, WORKER)
    assert nats_of(cli) == ("warn", "may-not")
    monkeypatch.delenv("CYCLE_NATS")
    assert [each for each in cli("--json", "doctor").json["checks"] if each["name"] == "nats"] == []


def test_figures_of_nats_and_a_server_that_serves_without_it(
    cli: Cli, small: Town, server: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(small.engine.store, small.engine.leaves)
    runner.catch_up()
    settings, rooms = Settings(small.url, "en", False, "auditor"), rooms_of(small.url)
    app = application(small.engine, runner, settings, OneAccount("auditor"), None, rooms, "http://t", Stopping())

    def figures(client: TestClient) -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        return {each.split()[0]: float(each.split()[1]) for each in lines if each.startswith("cycle_nats")}

    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        assert figures(client) == {"cycle_nats_up": 0}
        with Stream(at(server.url)) as stream:
            small.publish(stream)
        assert figures(client) == {
            "cycle_nats_up": 1,
            "cycle_nats_position": small.head,
            "cycle_nats_lag_events": 0,
            "cycle_nats_lag_seconds": 0,
        }
        small.happens(small.dioro)
        assert figures(client)["cycle_nats_lag_events"] == 1
        assert figures(client)["cycle_nats_lag_seconds"] > 0
        server.kill()
        assert figures(client) == {"cycle_nats_up": 0}
        assert client.get("/readyz").status_code == 200
        monkeypatch.delenv("CYCLE_NATS")
        assert figures(client) == {}
