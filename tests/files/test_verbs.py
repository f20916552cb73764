"""The verbs for files as a person uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import Cli
from tests.files.test_deliberations import GOOD, HEADER

ROW = GOOD.replace("2026", "2023")
PROGRAM = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()"]
DIORO = ("--set", "commune=ML-4-01-01", "--set", "name=Dioro", "--set", "region=Ségou", "--set", "circle=Ségou")


def test_who_reads_one_line_of_an_export_has_seen_enough(demo: Cli) -> None:
    command = [*PROGRAM, "--database", demo.url, "export", "events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline().startswith(b'{"by"')
        export.stdout.close()
        assert (export.stderr.read(), export.wait()) == (b"", 0)


def test_an_export_to_a_device_says_so_beside_the_events(demo: Cli, tmp_path: Path) -> None:
    whole = demo.ok("export", "events", "--to", str(tmp_path / "log.jsonl"))
    assert "événements écrits dans" in whole.out
    ran = subprocess.run(
        [*PROGRAM, "--database", demo.url, "export", "events", "--to", "/dev/stdout"], capture_output=True, check=True
    )
    # The record of the first export is the last line of the second one.
    before, last = ran.stdout[: (tmp_path / "log.jsonl").stat().st_size], ran.stdout.splitlines()[-1]
    assert before == (tmp_path / "log.jsonl").read_bytes()
    assert ran.stdout == before + last + b"\n"
    assert b'"type":"events-exported"' in last


def test_a_dash_is_standard_output_as_it_is_to_a_backup(
    demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.ok("export", "events", "--commune", "Dioro", "--to", str(tmp_path / "x.jsonl"))
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    ran = demo.ok("export", "events", "--commune", "Dioro", "--to", "-", lang="en")
    assert ran.out.encode() == (tmp_path / "x.jsonl").read_bytes()
    assert ran.err.endswith("events written to -\n")
    assert set(tmp_path.iterdir()) == before


def test_a_log_goes_in_with_its_positions(demo: Cli, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    demo.ok("export", "events", "--to", str(file))
    count = file.read_bytes().count(b"\n")
    demo.url = f"sqlite:///{tmp_path / 'copy.db'}"
    said = demo.ok("import", "events", str(file), lang="en").out
    assert said == f"{count:,} events imported, byte for byte, from position 1 on\n"


def test_the_log_of_one_commune_is_refused_with_the_line_and_the_reason(demo: Cli, tmp_path: Path) -> None:
    file = tmp_path / "dioro.jsonl"
    demo.ok("export", "events", "--commune", "Dioro", "--to", str(file))
    demo.url = f"sqlite:///{tmp_path / 'copy.db'}"
    ran = demo("import", "events", str(file))
    assert ran.code == 1
    assert ran.err.startswith("dioro.jsonl : ligne ")
    assert "c'est une partie d'un journal" in ran.err


def test_the_same_option_says_what_it_means_to_each_verb(cli: Cli) -> None:
    assert "pour lire, pas pour réimporter" in cli.ok("export", "events", "--help").out
    assert "De quel conseil il s'agit" in cli.ok("import", "deliberations", "--help").out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.json", '{"{"x":', "m.json : ce n'est pas du JSON : regardez la ligne 1, colonne"),
        ("m.json", '{"columns": {"number": ["a"]}}', "m.json : cette correspondance est inutilisable"),
        ("a.csv", "a,b\n1,2", "a.csv : l'en-tête n'a pas de colonne DELIB_ID"),
        ("a.csv", f"{HEADER}\n1,2", "a.csv : ligne 2 : 2 cellules alors que l'en-tête en a 9"),
        (
            "a.csv",
            f"{HEADER}\n{ROW[6:]}",
            "a.csv : 1 ligne ne peut pas être enregistrée (ligne 2)",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_french(
    cli: Cli,
    tmp_path: Path,
    name: str,
    content: str,
    words: str,
) -> None:
    cli.begin()
    cli.ok("do", "register-commune", *DIORO)
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{ROW}", "utf-8")
    (tmp_path / name).write_text(content, "utf-8")
    mapping = ("--mapping", str(tmp_path / name)) if name == "m.json" else ()
    ran = cli(
        "--actor",
        "council-secretary",
        "import",
        "deliberations",
        str(tmp_path / "a.csv"),
        "--commune",
        "Dioro",
        *mapping,
    )
    assert ran.code in (1, 2)
    assert words in ran.err.replace(f"{tmp_path}{os.sep}", "")
    assert "Traceback" not in ran.err


def test_a_file_imported_twice_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    cli.begin()
    cli.ok("do", "register-commune", *DIORO)
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{ROW}", "utf-8")
    command = ("--actor", "council-secretary", "import", "deliberations", str(tmp_path / "a.csv"), "--commune", "Dioro")
    assert "1 ligne : 1 délibération, 0 répétition, 0 ligne à corriger" in cli.ok(*command).out.replace("\u00a0", " ")
    assert "Enregistrées : 0" in cli.ok(*command).out.replace("\u00a0", " ")
    assert cli.ok("--json", *command).json["known"] == 1
