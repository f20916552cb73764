"""``cycle doctor``: what is fine, what is worth a look, and a machine for each thing that must not be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from cycle import catalogue
from cycle.engine import Engine
from cycle.examining import examined
from cycle.health import Check, State
from cycle.projections.runner import Runner
from cycle.projections.tables import checkpoints
from cycle.vault.keys import new_key
from cycle_adapters.cli import doctor
from cycle_adapters.sql.looking import looked
from tests.cli.run import Cli
from tests.people import accounts_begin

HEALTH = sorted(catalogue.keys("health"))


def states(cli: Cli) -> dict[str, tuple[str, str]]:
    ran = cli("--json", "doctor")
    found = ran.json
    assert found["well"] == (ran.code == 0)
    assert ran.code in (0, 1)
    # What is worst of each thing.
    checks = sorted(found["checks"], key=lambda check: ["ok", "warn", "bad"].index(check["state"]))
    return {check["name"]: (check["state"], check["cause"]) for check in checks}


@pytest.fixture
def well(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A machine on which all is as it must be."""
    with Engine(cli.url) as engine:
        accounts_begin(engine)
        Runner(engine.store, engine.leaves).catch_up()
    (tmp_path / "cycle.db").chmod(0o600)
    new_key(tmp_path / "vault.key")
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(tmp_path / "vault.key"))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(tmp_path / "seal.key"))
    cli.ok("seal", "--new-key", "cycle.example.org")
    cli.ok("--actor", "operator", "seal", "--once")
    cli.ok("--actor", "operator", "backup", str(tmp_path / "a.zip"))
    return cli


def test_a_machine_that_is_well(well: Cli) -> None:
    found = states(well)
    assert {state for state, _ in found.values()} == {"ok", "warn"}
    # The account of the worker is all that is missing; what was recorded last is folded when somebody reads.
    assert {name for name, (state, _) in found.items() if state == "warn"} <= {"worker", "language"}
    told = well.ok("doctor").out
    assert "✓ Les tables sont celles de cette version" in told
    assert "! Le compte worker ne peut enregistrer aucune échéance" in told
    assert "cycle account open worker --machine" in told
    assert "Everything is as it must be" in well.ok("doctor", lang="en").out


def test_looking_changes_nothing(well: Cli, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    well.ok("doctor")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before


def gone(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    (here / "cycle.db").unlink()


def open_to_all(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    (here / "cycle.db").chmod(0o666)


def another_journal(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(here / "cycle.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def somebody_elses(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(here / "cycle.db")
    connection.execute("PRAGMA application_id = 1")
    connection.close()


def newer(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(here / "cycle.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def damaged(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(here / "cycle.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    index = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'events' LIMIT 1"
    (page,) = connection.execute(index).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (here / "cycle.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 200)


def stopped(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    with Engine(cli.url) as engine, engine.store.database.begin() as connection:
        connection.execute(checkpoints.update().where(checkpoints.c.name == "plans").values(problem="?"))


def nobody(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    gone(cli, here, patch)
    with Engine(cli.url):
        pass


def clock_set_back(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doctor, "utc_now", lambda: datetime(2020, 1, 1, tzinfo=UTC))


def refused(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    (here / "cycle.db.seals" / "refused").write_text("?")


def seal_key_open(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    (here / "seal.key").chmod(0o644)


def vault_key_open(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    (here / "vault.key").chmod(0o644)


def no_room(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("cycle.health.LEAST_BYTES", 10**18)


def old_python(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doctor, "OLDEST_PYTHON", (99,))


def no_package(cli: Cli, here: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doctor, "requires", lambda name: ["click>=8.2", "nowhere-to-be-found>=1", 'x; extra == "dev"'])


BREAKS = {
    gone: ("database", "unavailable"),
    open_to_all: ("file", "open"),
    another_journal: ("journal", "other"),
    somebody_elses: ("database", "unavailable"),
    newer: ("database", "unavailable"),
    damaged: ("integrity", "damaged"),
    stopped: ("projections", "stopped"),
    nobody: ("accounts", "none"),
    clock_set_back: ("clock", "behind"),
    refused: ("seal", "refused"),
    seal_key_open: ("seal-key", "unusable"),
    vault_key_open: ("vault-key", "unusable"),
    no_room: ("disk", "full"),
    old_python: ("python", "old"),
    no_package: ("packages", "missing"),
}


@pytest.mark.parametrize("break_it", BREAKS, ids=lambda each: each.__name__)
def test_what_must_not_be_is_found_with_what_to_do(
    well: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Callable[..., None]
) -> None:
    name, cause = BREAKS[break_it]
    break_it(well, tmp_path, monkeypatch)
    assert states(well)[name] == ("bad", cause)
    for language in catalogue.LANGUAGES:
        ran = well("doctor", lang=language)
        assert ran.code == 1
        lines = ran.out.splitlines()
        assert any(line.startswith("✗ ") for line in lines)
    assert not (break_it is gone and (tmp_path / "cycle.db").exists()), "it was made by being looked at"


def test_a_server_that_loses_what_it_acknowledged(postgres_url: str) -> None:
    with Engine(postgres_url):
        pass
    assert {check.name: check.state.value for check in looked(postgres_url)} == {
        "kind": "ok",
        "synchronous": "ok",
        "migrations": "ok",
    }
    url = make_url(postgres_url)
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True) as c:
        c.execute(f"ALTER DATABASE {url.database} SET synchronous_commit = off")
    (found,) = [check for check in looked(postgres_url) if check.state is State.BAD]
    assert (found.name, found.cause, found.values) == ("synchronous", "off", {"names": ("synchronous_commit",)})


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "mysql://x", "::", "sqlite://"])
def test_a_database_that_does_not_answer(cli: Cli, url: str) -> None:
    cli.url = url
    assert states(cli)["database"] == ("bad", "unavailable")


def test_tables_of_an_older_release_are_not_migrated_by_being_looked_at(well: Cli, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "cycle.db")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()
    assert states(well)["migrations"] == ("warn", "older")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
    connection.close()


def test_what_is_worth_a_look_and_no_more(well: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cycle.db").chmod(0o644)
    monkeypatch.delenv("CYCLE_VAULT_KEY")
    monkeypatch.setenv("CYCLE_DATABSE", "x")
    found = states(well)
    assert [found[name] for name in ("file", "vault-key", "environment")] == [
        ("warn", "readable"), ("warn", "none"), ("warn", "unknown"),
    ]  # fmt: skip
    assert well("doctor").code == 0
    assert "CYCLE_DATABASE" in well("doctor").out


def test_a_backup_grows_old(well: Cli) -> None:
    def backup(engine: Engine, after: timedelta) -> Check:
        return next(each for each in examined(engine, "worker", datetime.now(UTC) + after) if each.name == "backup")

    with Engine(well.url) as engine:
        assert backup(engine, timedelta(days=6)).cause == "made"
        assert backup(engine, timedelta(days=8)).cause == "old"


def test_letters_that_cannot_write_names() -> None:
    assert doctor.language("ascii").state is State.WARN
    assert doctor.language("UTF-8").state is State.OK


@pytest.mark.parametrize("key", HEALTH)
def test_whatever_is_not_fine_says_what_to_do(key: str) -> None:
    """Words that are an error's own say it themselves."""
    for language in catalogue.LANGUAGES:
        fine = {"answers", "current", "fresh", "kept", "room", "sqlite", "postgresql", "own", "wal", "full"}
        fine |= {"whole", "after", "open", "may", "made", "good", "there", "known", "spoken"}
        has = catalogue.has_part(f"health.{key}", language, "help")
        assert has or key.rpartition("-")[2] in fine or catalogue.template(f"health.{key}", language) == "{why}"
