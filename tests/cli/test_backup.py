"""``cycle backup`` and ``cycle restore`` as a person meets them: one line, and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cycle.store import Unavailable
from cycle_adapters.files import backup_verbs
from tests.cli.run import Cli, Ran
from tests.cli.test_faults import on_a_small_disk


@pytest.fixture
def other(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """On a second database, which does not exist yet."""
    return Cli(f"sqlite:///{tmp_path / 'other.db'}", capsys)


def refused(ran: Ran, code: int, words: str) -> None:
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert words in ran.err.translate({0xA0: " ", 0x202F: " "})


def test_what_is_shown_is_the_same_after_a_restore(demo: Cli, other: Cli, tmp_path: Path) -> None:
    path = str(tmp_path / "b.zip")
    said = demo.ok("backup", path, lang="en").out
    assert said.startswith(f"{path} holds ")
    assert "it was read back and is whole" in said
    assert "le fichier a été relu et il est entier" in demo.ok("backup", f"{path}2").out
    restored = other.ok("restore", path).out
    assert "le journal finit à la position" in restored
    assert "le scelleur refusera de signer" in restored
    for view in ("frameworks", "plan", "commitments"):
        assert other.ok("--json", "show", view).out == demo.ok("--json", "show", view).out
    # Each backup is recorded behind what it holds.
    before, after = (each.ok("--json", "show", "audit").json["audit_trail"] for each in (other, demo))
    assert after[: len(before)] == before
    assert {row["type"] for row in after[len(before) :]} == {"backup-made"}


def test_programs_are_told_positions(demo: Cli, other: Cli, tmp_path: Path) -> None:
    path = str(tmp_path / "b.zip")
    told = demo.ok("--json", "backup", path).json
    assert told["parts"]["events.jsonl"] == told["position"] > told["parts"]["receipts.jsonl"]
    assert other.ok("--json", "restore", path).json == {k: told[k] for k in ("position", "recorded_at")}


@pytest.mark.parametrize(("lang", "words"), [("fr", "n'est jamais écrasée"), ("en", "never written over")])
def test_a_name_that_is_taken_is_wrong_usage(demo: Cli, tmp_path: Path, lang: str, words: str) -> None:
    path = str(tmp_path / "b.zip")
    demo.ok("backup", path)
    refused(demo("backup", path, lang=lang), 2, words)


@pytest.mark.parametrize(("lang", "words"), [("fr", "Le journal n'est pas vide"), ("en", "The log is not empty")])
def test_a_database_that_is_not_empty_is_a_conflict(demo: Cli, tmp_path: Path, lang: str, words: str) -> None:
    demo.ok("backup", str(tmp_path / "b.zip"))
    refused(demo("restore", str(tmp_path / "b.zip"), lang=lang), 3, words)


@pytest.mark.parametrize(("lang", "words"), [("fr", "b.zip : n'a pas de fin"), ("en", "b.zip: has no end")])
def test_a_file_that_is_cut_off_is_refused(demo: Cli, other: Cli, tmp_path: Path, lang: str, words: str) -> None:
    path = tmp_path / "b.zip"
    demo.ok("backup", str(path))
    path.write_bytes(path.read_bytes()[:-100])
    refused(other("restore", str(path), lang=lang), 1, words)


@pytest.mark.parametrize(
    ("lang", "words"), [("fr", "n'est pas une sauvegarde de cycle"), ("en", "is not a backup of cycle")]
)
def test_another_file_is_refused(other: Cli, tmp_path: Path, lang: str, words: str) -> None:
    (tmp_path / "notes.txt").write_text("riz")
    refused(other("restore", str(tmp_path / "notes.txt"), lang=lang), 1, words)


def test_a_folder_that_is_not_there_is_told(demo: Cli, tmp_path: Path) -> None:
    refused(demo("backup", str(tmp_path / "nowhere" / "b.zip")), 4, "ce dossier n'existe pas")


def test_a_pipe_gets_a_backup_and_people_are_told_beside_it(demo: Cli, other: Cli, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()", "--database", demo.url]
    ran = subprocess.run([*command, "--lang", "en", "backup", "-"], capture_output=True, check=True)
    assert b"events written; what reads them has to say whether they arrived" in ran.stderr
    (tmp_path / "b.zip").write_bytes(ran.stdout)
    other.ok("restore", str(tmp_path / "b.zip"))
    assert other.ok("--json", "show", "frameworks").out == demo.ok("--json", "show", "frameworks").out


def test_progress_is_shown_where_somebody_watches(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click._termui_impl.isatty", lambda stream: True)
    assert "Sauvegarde" in demo.ok("backup", str(tmp_path / "b.zip")).err


def test_views_that_cannot_be_built_are_told_apart_from_the_log(
    demo: Cli, other: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.ok("backup", str(tmp_path / "b.zip"))

    class Full:
        def __init__(self, *log: object) -> None:
            raise Unavailable("full")

    with monkeypatch.context() as patched:
        patched.setattr(backup_verbs, "Runner", Full)
        ran = other("restore", str(tmp_path / "b.zip"))
    assert ran.code == 4
    assert "le journal finit à la position" in ran.out
    assert "le journal est restauré, mais pas ses vues (Le disque est plein" in ran.err
    other.ok("rebuild")
    assert other.ok("--json", "show", "frameworks").out == demo.ok("--json", "show", "frameworks").out


def test_a_backup_onto_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    full, healed = on_a_small_disk(tmp_path, 0, "backup", str(disk / "b.zip"))
    assert (full.code, full.out) == (4, "")
    assert full.err.count("\n") == 1
    assert "le disque est plein" in full.err.lower()
    assert healed.code == 0
    assert "entier" in healed.out


@pytest.mark.parametrize("left_free", [200_000, 100_000])
def test_a_restore_onto_a_full_disk_is_nothing_or_all(cli: Cli, tmp_path: Path, left_free: int) -> None:
    """The disk fills up in the middle of the log; once there is room the same command does it."""
    cli.ok("demo", "--frameworks", "1", "--cycles", "1")
    cli.ok("--actor", "operator", "backup", str(tmp_path / "b.zip"))
    url = f"sqlite:///{tmp_path / 'disk' / 'new.db'}"
    full, healed = on_a_small_disk(tmp_path, left_free, "--database", url, "restore", str(tmp_path / "b.zip"))
    assert (full.code, full.out) == (4, "")
    assert full.err == "Le disque est plein : rien n'a été écrit ; faites de la place et recommencez\n"
    assert healed.code == 0, healed
    assert "le journal finit à la position" in healed.out


@pytest.mark.parametrize(("lang", "words"), [("fr", "2 événements importés"), ("en", "2 events imported")])
def test_an_import_goes_on_where_the_database_ends(
    demo: Cli, other: Cli, tmp_path: Path, lang: str, words: str
) -> None:
    log, old = tmp_path / "log.jsonl", tmp_path / "old.zip"
    demo.ok("backup", str(old))
    demo.ok("do", "register-commune", "--set=commune=ML-9", "--set=name=Boky", "--set=region=R", "--set=circle=C")
    demo.ok("export", "events", "--to", str(log))
    other.ok("restore", str(old))
    refused(other("import", "events", str(log), lang="en"), 3, "The log is not empty")
    assert words in other.ok("import", "events", "--continue", str(log), lang=lang).out
    before, after = (each.ok("--json", "show", "audit").json["audit_trail"] for each in (other, demo))
    assert after[:-1] == before
    assert after[-1]["type"] == "events-exported"
