"""What operations ask: whether it lives, is ready, and how much it does; strangers hear no details."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path as File

import httpx2
import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url
from starlette.testclient import TestClient

from cycle import health
from cycle.access import Forbidden
from cycle.aggregates.base import By, Refused, Role
from cycle.aggregates.framework.anytime import Resume
from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.health import State
from cycle.projections.runner import Runner
from cycle.projections.tables import checkpoints
from cycle.sealing import LastSeal
from cycle.settings import Settings
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.operations import Readiness
from cycle_adapters.http.serving import application
from cycle_adapters.stopping import Stopping
from tests.access.test_call_sites import PAPER
from tests.engine.path import MET, Path, said
from tests.http.town import rooms

HERE, ELSEWHERE = ("127.0.0.1", 50000), ("192.0.2.7", 50000)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def asking(engine: Engine, url: str, client: tuple[str, int] = HERE) -> TestClient:
    settings, runner = Settings(url, "en", False, "auditor"), Runner(engine.store, engine.leaves)
    served = application(
        engine, runner, settings, OneAccount("auditor"), None, rooms(engine), "http://test", Stopping()
    )
    return TestClient(served, client=client, raise_server_exceptions=False)


@pytest.fixture
def at_work(engine: Engine, database_url: str) -> Iterator[tuple[Engine, TestClient, Path]]:
    """A framework on its way, and a server over it."""
    way = Path(engine)
    way.to(Stage.MONITORING)
    Runner(engine.store, engine.leaves).catch_up()
    with asking(engine, database_url) as client:
        yield engine, client, way


def states(answer: httpx2.Response) -> dict[str, str]:
    return {check["name"]: check["state"] for check in answer.json()["checks"]}


def test_a_process_that_lives_says_so_without_its_database(engine: Engine, database_url: str) -> None:
    with asking(engine, database_url) as client:
        engine.store.close()  # type: ignore[attr-defined]
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert (client.head("/healthz").status_code, client.head("/healthz").content) == (200, b"")
        refused = client.post("/healthz")
        assert refused.status_code == 405


def test_ready_when_the_database_takes_writes_and_people_read_what_is_there(
    at_work: tuple[Engine, TestClient, Path],
) -> None:
    _, client, _ = at_work
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert {"database": "ok", "projections": "ok", "seal": "warn"}.items() <= states(answer).items()
    assert "can be written" in answer.json()["checks"][0]["text"]


def test_a_projection_that_has_stopped_is_not_ready(at_work: tuple[Engine, TestClient, Path]) -> None:
    engine, client, _ = at_work
    with engine.store.database.begin() as connection:
        connection.execute(checkpoints.update().where(checkpoints.c.name == "plans").values(problem="?"))
    answer = client.get("/readyz")
    assert (answer.status_code, states(answer)["projections"]) == (503, "bad")
    assert "plans" in answer.json()["checks"][1]["text"]


def test_a_server_that_takes_no_writes_is_not_ready(postgres_url: str) -> None:
    with Engine(postgres_url):
        pass
    url = make_url(postgres_url)
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True) as c:
        c.execute(f"ALTER DATABASE {url.database} SET default_transaction_read_only = on")
        c.execute("SELECT 1")
    # The tables of the projections are there: nothing has to be made.
    with Engine(postgres_url) as engine:
        check = health.database(engine.store)
    assert check.state is State.BAD
    assert "read-only" in check.told("en")


def test_a_file_that_was_taken_away_is_not_ready_and_not_made_again(sqlite_url: str, tmp_path: File) -> None:
    with Engine(sqlite_url) as engine:
        (tmp_path / "cycle.db").unlink()
        assert health.database(engine.store).state is State.BAD
        assert not (tmp_path / "cycle.db").exists()


def test_a_writer_at_work_shows_that_one_can_write(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, engine.store.database.begin():
        assert health.database(engine.store).state is State.OK


def test_a_sealer_that_refuses_is_not_ready(
    engine: Engine, database_url: str, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seals").mkdir()
    (tmp_path / "seals" / "refused").write_text("?")
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    Runner(engine.store, engine.leaves)
    with asking(engine, database_url) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, states(answer)["seal"]) == (503, "bad")


@pytest.mark.parametrize(
    ("last", "state", "cause"),
    [
        (LastSeal(True, "s", NOW), State.OK, "fresh"),
        (LastSeal(True, "s", NOW - timedelta(minutes=6)), State.WARN, "old"),
        (LastSeal(True, "s"), State.WARN, "not-yet"),
        (LastSeal(False), State.WARN, "none"),
    ],
)
def test_a_seal_grows_old(last: LastSeal, state: State, cause: str) -> None:
    check = health.seal(last, NOW)
    assert (check.state, check.cause) == (state, cause)


@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (999_999_999, "warn"), (99_999_999, "bad")])
def test_a_disk_fills(free: int, state: str) -> None:
    assert health.disk(free, "/srv").state == state


def test_what_was_found_is_told_again_for_a_second() -> None:
    clock = [10.0]
    ready = Readiness(lambda: [health.fine("database", "answers", position=clock[0])], lambda: clock[0])
    told = []
    for clock[0] in (10.0, 10.9, 11.0):
        told += [check.values["position"] for check in ready()]
    assert told == [10.0, 10.0, 11.0]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_whoever_comes_through_a_proxy_is_a_stranger(at_work: tuple[Engine, TestClient, Path], header: str) -> None:
    _, client, _ = at_work
    for check in client.get("/readyz", headers={header: "127.0.0.1"}).json()["checks"]:
        assert check.keys() == {"name", "state"}
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_a_stranger_hears_no_details_and_no_figures_without_the_token(
    engine: Engine, database_url: str, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("a-token-that-is-long-enough\n")
    Runner(engine.store, engine.leaves)
    with asking(engine, database_url, ELSEWHERE) as client:
        assert client.get("/readyz").json()["checks"][0].keys() == {"name", "state"}
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403
    monkeypatch.setenv("CYCLE_METRICS_TOKEN", str(tmp_path / "token"))
    with asking(engine, database_url, ELSEWHERE) as client:
        assert client.get("/metrics").status_code == 403
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
        right = {"Authorization": "Bearer a-token-that-is-long-enough"}
        assert client.get("/metrics", headers=right).status_code == 200


def test_commands_events_and_requests_are_counted_by_declared_names_alone(
    at_work: tuple[Engine, TestClient, Path],
) -> None:
    engine, client, way = at_work
    engine.execute(said(PAPER, MET, way.framework, key="k"))
    engine.execute(said(PAPER, MET, way.framework, key="k"))
    with pytest.raises(Refused):
        engine.execute(said(Resume(reason="?"), MET, way.framework))
    with pytest.raises(Forbidden):
        engine.execute(replace(said(PAPER, MET, way.framework), by=By("auditor", Role.AUDITOR)))
    client.get("/frameworks/secret-1")
    client.head("/frameworks/secret-2")
    client.get("/secret/3?token=secret-4")
    client.request("SECRET", "/api/v1/frameworks")
    figures = client.get("/metrics").text
    for line in (
        'cycle_commands_total{command="attach-document",outcome="done"} 2.0',
        'cycle_commands_total{command="resume",outcome="refused"} 1.0',
        'cycle_commands_total{command="attach-document",outcome="forbidden"} 1.0',
        "cycle_attempts_refused_total 1.0",
        f"cycle_log_position {float(engine.store.head().position)}",
        'cycle_projection_stopped{projection="plans"} 0.0',
        'cycle_http_requests_total{method="GET",route="/frameworks/{identity}",status="404"} 1.0',
        'cycle_http_requests_total{method="HEAD",route="/frameworks/{identity}",status="404"} 1.0',
        'cycle_http_requests_total{method="GET",route="other",status="404"} 1.0',
        "cycle_database_up 1.0",
        "cycle_seal_refused 0.0",
    ):
        assert line in figures, line
    # The refused attempt is an event of its own; what is sent again is none.
    assert re.search(r"cycle_events_appended_total 2\.0", figures)
    assert "secret" not in figures.lower()


def test_where_nobody_signs_in_no_sessions_are_counted(engine: Engine, database_url: str) -> None:
    with asking(engine, database_url) as client:
        assert "cycle_sessions" not in client.get("/metrics").text
