"""Every verb that meets rows which cannot be read says in one line where the log does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import uvicorn
from sqlalchemy import Connection, text

from cycle.proofs.rows import Stored
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.cli.run import Cli, Ran
from tests.sealing.edits import (
    Database,
    middle_deleted,
    schema_column_changed,
    type_column_changed,
)

PAPER = ("title=Liste", f"sha256={'0' * 64}", "bytes=12", "media=image/png")
VERBS: dict[str, tuple[str, ...]] = {
    "show": ("show", "frameworks"),
    "show as of": ("show", "plan", "--as-of", "2025-01-01"),
    "audit": ("show", "audit"),
    "replay": ("replay", "Dioro"),
    "next": ("next", "Dioro"),
    "diff": ("diff", "Dioro", "--from", "10", "--to", "100000"),
    "rebuild": ("rebuild",),
    "do": ("do", "attach-document", "--framework", "Dioro", *(part for each in PAPER for part in ("--set", each))),
    "events": ("export", "events", "--commune", "Dioro", "--to", "{here}/x.jsonl"),
    "bundle": ("export", "bundle", "--commune", "Dioro", "--to", "{here}/b"),
    "checkpoint": ("export", "checkpoint", "--commune", "Dioro", "--to", "{here}/c"),
    "serve": ("serve",),
}
"""Whatever reads the history of communes."""
ACCOUNTED: dict[str, tuple[str, ...]] = {
    "receipt": ("receipt", "{key}"),
    "backup": ("backup", "{here}/b.zip"),
    "accounts": ("account", "list"),
    "all events": ("export", "events", "--to", "{here}/x.jsonl"),
    "registry": ("export", "checkpoint", "--to", "{here}/c"),
    "bundle by its code": ("export", "bundle", "--commune", "ML-4-01-01", "--to", "{here}/b"),
    "bundle of the platform": ("export", "bundle", "--commune", "platform", "--to", "{here}/b"),
    "verify": ("verify",),
    "seal": ("seal", "--once"),
}
"""Whatever asks who may, beside."""
Edit = Callable[[Database, Random], object]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ends at once."""
    monkeypatch.setattr(uvicorn, "run", lambda *given, **named: None)


def row(url: str, kind: str, log: str) -> Stored:
    store = SqlRecorder(open_database(url))
    rows = [each for each in store.stored(0, store.head().position) if (each.type, each.log) == (kind, log)]
    store.close()
    return rows[0]


def damaged(cli: Cli, edit: Edit, at: Stored) -> None:
    """Edit one row as the owner of the database can; views are built anew from what is left."""
    store = SqlRecorder(open_database(cli.url))
    saves = list(store.saves(0))
    with store.database.begin() as connection:
        for statement in unguarded(connection):
            connection.execute(text(statement))
        edit(Database(connection, [at, at], saves), Random(1))
        connection.execute(text("DROP TABLE IF EXISTS projections"))
    store.close()


def unguarded(connection: Connection) -> Sequence[str]:
    """How the owner of a database takes away what stops others."""
    if connection.dialect.name == "postgresql":
        return [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("events", "receipts")]
    triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    return [f"DROP TRIGGER {trigger}" for trigger in triggers]


def unreadable(database: Database, chance: Random) -> None:
    """No JSON any more, hashed anew: only its form tells."""
    (at, *_) = database.rows
    leaf = at.leaf.replace(b'{"by"', b'{by"', 1)
    database.put(at._replace(leaf=leaf, leaf_hash=sha256(b"\x00" + leaf).digest()))


def one_line(ran: Ran, at: Stored) -> None:
    assert ran.code == 1, ran
    assert (ran.out, ran.err.count("\n")) == ("", 1)
    assert ran.err.startswith(f"log {at.log}, index {at.log_index} (position ")


def spoken(cli: Cli, words: tuple[str, ...], here: Path, key: str) -> Ran:
    return cli(*(word.format(here=here, key=key) for word in words), lang="en")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("edit", [unreadable, schema_column_changed, type_column_changed])
@pytest.mark.usefixtures("served")
def test_a_damaged_commune_is_named_by_whoever_reads_it(anywhere: Cli, tmp_path: Path, verb: str, edit: Edit) -> None:
    anywhere.ok("seal", "--once")
    at = row(anywhere.url, "framework-proposed", "ML-4-01-01")
    damaged(anywhere, edit, at)
    before = set(tmp_path.iterdir())
    one_line(spoken(anywhere, VERBS[verb], tmp_path, ""), at)
    assert {path for path in tmp_path.iterdir() if "cycle.db" not in path.name} <= before


@pytest.mark.parametrize("verb", [*VERBS, *ACCOUNTED])
@pytest.mark.parametrize("edit", [unreadable, schema_column_changed])
@pytest.mark.usefixtures("served")
def test_a_damaged_platform_is_named_by_whoever_asks_who_may(
    anywhere: Cli, tmp_path: Path, verb: str, edit: Edit
) -> None:
    anywhere.ok("seal", "--once")
    at = row(anywhere.url, "account-opened", "platform")
    key = json.loads(at.leaf)["causation"]
    damaged(anywhere, edit, at)
    one_line(spoken(anywhere, (VERBS | ACCOUNTED)[verb], tmp_path, key), at)


@pytest.mark.parametrize("verb", ["do", "events", "backup", "all events"])
def test_an_event_that_is_missing_is_not_taken_for_somebody_elses_writing(
    anywhere: Cli, tmp_path: Path, verb: str
) -> None:
    at = row(anywhere.url, "account-opened", "platform")
    damaged(anywhere, middle_deleted, at)
    one_line(spoken(anywhere, (VERBS | ACCOUNTED)[verb], tmp_path, ""), at)


def test_the_place_is_told_to_programs_and_in_french(keyed: Cli) -> None:
    at = row(keyed.url, "framework-proposed", "ML-4-01-01")
    damaged(keyed, unreadable, at)
    said = json.loads(keyed("--json", "show", "frameworks").err)
    assert (said["code"], said["reasons"][0]["log"], said["reasons"][0]["index"]) == (
        "tampered",
        at.log,
        at.log_index,
    )
    assert keyed("show", "frameworks").err.startswith(f"journal ML-4-01-01, indice {at.log_index} (position ")


def test_the_database_that_is_named_behind_the_verb_is_the_one_that_is_checked(
    keyed: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = row(keyed.url, "framework-proposed", "ML-4-01-01")
    damaged(keyed, unreadable, at)
    other = Cli(f"sqlite:///{tmp_path / 'other.db'}", capsys)
    one_line(other("show", "frameworks", "--database", keyed.url, lang="en"), at)


def rewritten(database: Database, chance: Random) -> None:
    """So well that the rows fit together again, but no event of ours."""
    (at, *_) = database.rows
    leaf = at.leaf.replace(b'"data":{"', b'"data":{"A')
    database.put(at._replace(leaf=leaf, leaf_hash=sha256(b"\x00" + leaf).digest()))


@pytest.mark.parametrize("verb", [("verify",), ("seal", "--once"), ACCOUNTED["bundle by its code"]])
def test_seals_that_are_named_tell_before_who_may_is_asked(
    anywhere: Cli, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    """Where the log cannot be read to ask, whoever has the seals says at which place."""
    seals = ("--seals", str(tmp_path / "elsewhere"))
    anywhere.ok("seal", "--once", *seals)
    at = row(anywhere.url, "account-opened", "platform")
    damaged(anywhere, rewritten, at)
    one_line(spoken(anywhere, (*verb, *seals), tmp_path, ""), at)


def test_a_mistake_of_ours_keeps_its_traceback(keyed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("cycle.reading.Reader.catch_up", broken)
    with pytest.raises(KeyError, match="ours"):
        keyed("show", "frameworks")
