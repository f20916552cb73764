"""What a verb needs before it starts: a database that is there, a role that was said; and no lock to read."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from cycle_adapters.cli.main import main
from tests.cli.run import Cli

COMMUNE = ("--set=commune=ML-4-01-01", "--set=name=Dioro", "--set=region=Ségou", "--set=circle=Ségou")
READING = [
    ("show", "frameworks"),
    ("next", "Dioro"),
    ("replay", "Dioro"),
    ("diff", "Dioro", "--from", "1", "--to", "2"),
    ("rebuild",),
    ("policy", "list"),
    ("serve",),
    ("export", "events"),
]


def test_cycle_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert "rebuild" in capsys.readouterr().out


@pytest.mark.parametrize("verb", READING, ids=" ".join)
def test_reading_makes_no_database(cli: Cli, tmp_path: Path, verb: tuple[str, ...]) -> None:
    ran = cli(*verb)
    assert (ran.code, ran.out) == (4, "")
    assert "Il n'y a pas de base de données" in ran.err
    assert "--database" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_sample_policy_can_be_read_before_there_is_a_database(cli: Cli, tmp_path: Path) -> None:
    assert "wocat-pact-1" in cli.ok("policy", "show").out
    assert list(tmp_path.iterdir()) == []


def test_reading_waits_for_no_writer(demo: Cli, tmp_path: Path) -> None:
    demo.ok("show", "frameworks")  # everything is folded from now on
    writer = sqlite3.connect(tmp_path / "cycle.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = monotonic()
    assert "Dioro" in demo.ok("show", "frameworks").out
    assert "Dioro" in demo.ok("next", "Dioro").out
    assert monotonic() - began < 20, "it waited for the lock, which SQLite gives up after a minute"
    writer.close()


def test_no_role_is_guessed_into_the_log(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.begin()
    monkeypatch.delenv("CYCLE_ROLE")
    ran = cli("do", "register-commune", *COMMUNE)
    assert ran.code == 2
    assert "--role ou CYCLE_ROLE : programme (programme), facilitator (facilitateur/facilitatrice)" in ran.err
    assert ran.err.count("\n") == 1
    cli.ok("do", "register-commune", *COMMUNE, "--role", "programme")
    # Only the programme may rename a commune: there is nothing to guess.
    cli.ok("do", "rename-commune", "--id", "Dioro", "--set=name=Joro", "--set=since=2026-01-01")
    rows = cli.ok("--json", "show", "audit", "--commune", "Joro").json["audit_trail"]
    roles = [row["role"] for row in rows]
    assert roles == ["programme", "programme"]


def test_the_role_of_the_environment_is_not_bent_to_the_command(cli: Cli) -> None:
    cli.begin()
    cli.ok("policy", "publish")
    cli.ok("do", "register-commune", *COMMUNE)
    cli.ok("do", "propose-framework", "--set=commune=ML-4-01-01", "--set=title=Cadre")
    ran = cli("do", "record-deliberation", "--framework", "Dioro", "--set=deliberation=x")
    assert ran.code == 1
    assert "Le rôle facilitateur/facilitatrice ne permet pas cet acte" in ran.err
    assert "Qui peut lever ce point : secrétaire du conseil communal." in ran.err


PROGRAM = "from cycle_adapters.cli.main import main; main()"


def test_an_interrupted_demo_leaves_nothing_and_says_so_in_one_line(cli: Cli, tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--lang", "fr", "--database", cli.url, "demo"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    while not list(tmp_path.glob("*-unfinished")):
        assert demo.poll() is None
    demo.send_signal(signal.SIGINT)
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert err.startswith("Interrompu")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_half_filled_demo_is_filled_anew_and_its_hint_works_as_typed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cycle.db-unfinished").write_bytes(b"left by a power cut")
    # A log of this length has its views made beside it, as that of a whole demo has.
    monkeypatch.setattr("cycle.projections.runner.FROM_NOTHING", 1)
    out = cli.ok("demo", "--frameworks", "1", "--cycles", "1").out
    assert [path.name for path in tmp_path.iterdir()] == ["cycle.db"]
    monkeypatch.delenv("CYCLE_ACTOR")
    hints = [line.strip() for line in out.splitlines() if line.strip().startswith("cycle ")]
    assert len(hints) == 2
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for hint in hints:
        subprocess.run(["bash", "-c", hint], check=True, env=os.environ | path, capture_output=True)
