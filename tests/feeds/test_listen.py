"""``cycle listen``, as a process of its own: it says what is recorded, and from where to go on."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from subprocess import Popen

import msgspec
import pytest
from msgspec.structs import replace

from cycle.aggregates.base import EVENTS
from cycle.aggregates.framework.setup import PrioritiseSectors
from cycle.cloudevents import CloudEvent, Envelopes
from cycle.engine import Engine
from cycle_adapters.cli.listening import data_of
from cycle_adapters.http.app import make_app
from cycle_adapters.http.limits import Following
from tests.access.places import DIORO, say
from tests.cli.run import Cli
from tests.feeds.cutting import Cutting
from tests.feeds.test_feed import Town
from tests.http.town import WIDE, Named, listening, rooms
from tests.operations.processes import CYCLE, running
from tests.operations.processes import said as line

MORE = PrioritiseSectors(sectors=("rice", "fish"))


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with Engine(sqlite_url) as engine:
        yield Town(engine)


@pytest.fixture
def cli(sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_ACTOR", "auditor")
    return Cli(sqlite_url, capsys)


@contextmanager
def listener(url: str, *arguments: str, actor: str = "auditor", as_json: bool = True) -> Iterator[Popen[str]]:
    words = [*CYCLE, "--database", url, "--lang", "en", "--actor", actor, *(["--json"] if as_json else [])]
    with running(*words, "listen", *arguments, COLUMNS="200") as process:
        yield process


def interrupted(process: Popen[str]) -> str:
    """What it says on standard error when somebody presses Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return errors


def goes_on(errors: str, position: int, last: int) -> bool:
    """Whether it says to go on behind the event at a position, or the one before that where it was not yet done."""
    said = int(re.findall(r"[0-9]+", errors)[-1])
    return last <= said <= position


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_it_gives_the_log_as_cloudevents_and_what_comes_then(database: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("sqlite_url" if database == "sqlite" else "postgres_url")
    with Engine(url) as engine:
        town = Town(engine)
        with listener(url, "--after", "50") as process:
            before = [json.loads(line(process)) for _ in town.log[50:]]
            assert [int(event["globalposition"]) for event in before] == [row.position for row in town.log[50:]]
            say(engine, MORE, town.dioro)
            assert json.loads(line(process))["type"] == "org.cycle.sectors-prioritised.v1"
            errors = interrupted(process)
            assert list(json.loads(errors.splitlines()[-1])) == ["next"]
            assert goes_on(errors, len(town.log) + 1, len(town.log))


def test_it_tells_in_words(town: Town, sqlite_url: str) -> None:
    with listener(sqlite_url, "--after", "0", "--type", "framework-proposed", as_json=False) as process:
        told = "".join(line(process) for _ in range(4))
        errors = interrupted(process)
    assert "A framework is proposed" in told or "Cadre de Dioro" in told
    assert f"framework-{town.koula}" in told
    assert "Listening from position 0 on" in errors
    assert "Go on with: cycle listen --after " in errors
    proposed = [row.position for row in town.log if row.type == "framework-proposed"]
    assert goes_on(errors, len(town.log), proposed[0])


def test_it_begins_now_when_nobody_says_from_where(town: Town, sqlite_url: str) -> None:
    with listener(sqlite_url, "--commune", "Dioro", as_json=False, actor="fanta") as process:
        assert process.stderr is not None
        assert f"position {len(town.log)}" in process.stderr.readline()
        say(town.engine, MORE, town.koula)
        say(town.engine, MORE, town.dioro)
        assert f"{len(town.log) + 2}  " in line(process)
        line(process)
        assert goes_on(interrupted(process), len(town.log) + 2, len(town.log))


def test_what_it_cannot_do_is_told(cli: Cli, town: Town, tmp_path: Path) -> None:
    assert cli("listen", "--type", "plan-agred").code == 2
    assert "plan-agreed" in cli("listen", "--type", "plan-agred").err
    assert cli("listen", "--commune", "Nulle-Part").code == 2
    assert cli("listen", "--after", "100000").code == 3
    assert f"s'arrête à {len(town.log)}" in cli("listen", "--after", "100000").err
    assert cli("--actor", "operator", "listen").code == 1
    (tmp_path / "empty").write_text("\n")
    for more, said in (
        (("--url", "cycle.example.ml"), "cycle.example.ml ne diffuse pas d'événements"),
        (("--url", "http://127.0.0.1:9", "--token-file", str(tmp_path / "none")), "pas de jeton lisible"),
        (("--url", "http://127.0.0.1:9", "--token-file", str(tmp_path / "empty")), "pas de jeton lisible"),
    ):
        ran = cli("listen", *more)
        assert (ran.code, said in ran.err) == (2, True), ran.err
    (tmp_path / "token").write_text("cyc_x_y\n")
    ran = cli("listen", "--url", "http://cycle.example.ml", "--token-file", str(tmp_path / "token"))
    assert (ran.code, "en clair" in ran.err) == (2, True)
    for more in ((), ("--after", "1")):
        ran = cli("listen", "--url", "http://127.0.0.1:9", *more)
        assert (ran.code, "Personne ne répond" in ran.err) == (4, True)


@contextmanager
def served(town: Town) -> Iterator[str]:
    app = make_app(town.engine, Named(town.engine), rooms(town.engine), replace(WIDE, following=Following()))
    with listening(app) as address:
        yield address


def token(tmp_path: Path, account: str = "auditor") -> list[str]:
    (tmp_path / account).write_text(f"{account}\n")
    return ["--token-file", str(tmp_path / account)]


def test_it_listens_to_a_server_however_often_the_wire_is_cut(town: Town, sqlite_url: str, tmp_path: Path) -> None:
    with served(town) as address, Cutting(address, Random(1), 3, 20_000) as wire:
        where = ["--url", f"{address}/api/v1/events/stream", *token(tmp_path)]
        with listener(sqlite_url, *where, "--after", "0") as process:
            for row in town.log:
                assert json.loads(line(process))["id"] == msgspec.json.decode(row.leaf)["id"]
            say(town.engine, MORE, town.dioro)
            assert json.loads(line(process))["type"] == "org.cycle.sectors-prioritised.v1"
            errors = interrupted(process)
            assert list(json.loads(errors.splitlines()[-1])) == ["next"]
            assert goes_on(errors, len(town.log) + 1, len(town.log))
        with listener(sqlite_url, "--url", wire.address, *token(tmp_path), "--after", "0") as process:
            got = [json.loads(line(process))["globalposition"] for _ in range(len(town.log) + 1)]
            assert list(map(int, got)) == list(range(1, len(town.log) + 2))
            assert "coming again" in interrupted(process)


def test_a_server_that_refuses_is_heard(cli: Cli, town: Town, tmp_path: Path) -> None:
    with served(town) as address:
        for who, more, code in (
            ("nobody", (), 1),
            ("operator", (), 1),
            ("auditor", ("--commune", "Nulle-Part"), 2),
            ("auditor", ("--after", "100000"), 1),
        ):
            ran = cli("listen", "--url", address, *token(tmp_path, who), *more)
            assert (ran.code, "refuse : " in ran.err) == (code, True), ran.err
        ran = cli("listen", "--url", f"{address}/elsewhere", *token(tmp_path))
        assert (ran.code, "ne diffuse pas" in ran.err) == (2, True), ran.err


def test_it_listens_from_now_to_one_commune_of_a_server(town: Town, sqlite_url: str, tmp_path: Path) -> None:
    with served(town) as address:
        where = ["--url", address, *token(tmp_path, "fanta"), "--commune", DIORO]
        with listener(sqlite_url, *where, as_json=False) as process:
            assert process.stderr is not None
            assert f"position {len(town.log)}" in process.stderr.readline()
            say(town.engine, MORE, town.dioro)
            assert f"{len(town.log) + 1}  " in line(process)
            interrupted(process)


def test_what_a_newer_release_recorded_is_named_and_what_an_older_one_did_is_understood(town: Town) -> None:
    leaf = town.log[0].leaf
    event = Envelopes("http://x").envelope(1, leaf)

    def known(type: str) -> bool:
        return data_of(msgspec.structs.replace(event, type=type)) is not None

    assert isinstance(event, CloudEvent)
    assert known("org.cycle.account-opened.v1")
    assert not known("org.cycle.account-opened.v2")
    assert not known("org.cycle.well-dug.v1")
    assert "well-dug" not in EVENTS
