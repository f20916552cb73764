"""An export appears whole or not at all, and nothing is written over that was not meant."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.run import Cli
from tests.exports.conftest import Take
from tests.exports.reading import manifest

FORMS = ("csv", "parquet", "xlsx", "ocel", "xes")


@pytest.mark.parametrize("form", FORMS)
def test_a_manifest_says_what_each_file_must_be(take: Take, form: str, demo: Cli) -> None:
    said = manifest(take(form))
    assert (said["kind"], said["form"], said["by"], said["v"]) == ("cycle-export", form, "evaluator-pact", 1)
    assert said["position"] > 0
    assert said["definition"] >= 1
    assert "checkpoint" not in said


def test_the_same_moment_makes_the_same_archive(demo: Cli, tmp_path: Path) -> None:
    for form in FORMS:
        for name in ("one", "other"):
            demo.ok("export", form, "--at", "900", "--to", str(tmp_path / f"{form}-{name}.zip"))
        assert (tmp_path / f"{form}-one.zip").read_bytes() == (tmp_path / f"{form}-other.zip").read_bytes(), form


def test_an_archive_holds_the_same_files_as_a_folder(demo: Cli, take: Take, tmp_path: Path) -> None:
    folder = take("csv", "--at", "900")
    demo.ok("export", "csv", "--at", "900", "--to", str(tmp_path / "a.zip"))
    with ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == "manifest.json"
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }


def test_what_is_there_is_left_unless_it_is_an_export_and_is_to_be_written_over(demo: Cli, tmp_path: Path) -> None:
    for name in ("out", "out.zip"):
        place = str(tmp_path / name)
        demo.ok("export", "csv", "--at", "900", "--to", place)
        refused = demo("export", "csv", "--to", place, lang="en")
        assert refused.code == 3
        assert "is there already: name another place, or say --overwrite" in refused.err
        demo.ok("export", "xes", "--at", "900", "--to", place, "--overwrite")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "by-cycle.xes", "by-framework.xes", "dictionary.csv", "manifest.json",
    }  # fmt: skip
    assert manifest(tmp_path / "out")["form"] == "xes"
    assert {path.name for path in tmp_path.iterdir() if "out" in path.name} == {"out", "out.zip"}


@pytest.mark.parametrize("content", [None, b"{}", b'{"kind":"other"}'])
def test_what_is_no_export_is_never_written_over(demo: Cli, tmp_path: Path, content: bytes | None) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("x", "utf-8")
    if content is not None:
        (mine / "manifest.json").write_bytes(content)
    refused = demo("export", "csv", "--to", str(mine), "--overwrite", lang="en")
    assert refused.code == 3
    assert "is no export: it is not written over" in refused.err
    (tmp_path / "a.zip").write_bytes(b"PK")
    assert demo("export", "csv", "--to", str(tmp_path / "a.zip"), "--overwrite").code == 3
    (tmp_path / "link").symlink_to(mine)
    assert demo("export", "csv", "--to", str(tmp_path / "link"), "--overwrite").code == 3
    assert (mine / "letter.txt").read_text("utf-8") == "x"
    assert (tmp_path / "a.zip").read_bytes() == b"PK"


def test_what_can_be_done_is_said(demo: Cli, tmp_path: Path) -> None:
    for words, code, said in (
        (("xlsx", "--to", str(tmp_path / "a.xlsx")), 2, "name one without an ending, or one that ends in .zip"),
        (("csv", "--to", str(tmp_path / "no/out")), 4, "there is no such folder: make it, or name another place"),
        (("csv", "--to", str(tmp_path / "out"), "--region", "Mopti"), 2, "cycle show frameworks names the places"),
        (("csv", "--to", str(tmp_path / "out"), "--commune", "Tombouctou"), 2, "Tombouctou"),
        (("csv",), 2, "--to"),
        (("deliberations", "--commune", "Dioro", "--siret", "123"), 2, "14 digits, without spaces"),
    ):
        ran = demo("export", *words, lang="en")
        assert ran.code == code, ran.err
        assert said in ran.err
    assert not [path for path in tmp_path.iterdir() if path.name != "cycle.db" and "cycle.db-" not in path.name]


def test_whoever_may_not_is_told_whom_to_ask(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_ACTOR", "facilitator-01")
    ran = demo("export", "csv", "--to", str(tmp_path / "out"), lang="en")
    assert ran.code == 1
    assert "needed: auditor, evaluator or programme" in ran.err
    assert not (tmp_path / "out").exists()


def test_without_the_library_of_parquet_nothing_is_written(
    demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = demo("export", "parquet", "--to", str(tmp_path / "out"))
    assert ran.code == 4
    assert "pip install 'cycle[parquet]'" in ran.err
    assert not (tmp_path / "out").exists()


KILLED = """
import os, signal, sys
from cycle_adapters.exports import folder
if sys.argv[1] == "half":
    folder.Folder.made = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    folder._replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from cycle_adapters.cli.main import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("when", ["half", "at-the-end"])
def test_a_process_that_is_killed_leaves_what_was_there(demo: Cli, take: Take, tmp_path: Path, when: str) -> None:
    out = take("xes", "--at", "900")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    words = ["--database", demo.url, "export", "csv", "--to", str(out), "--overwrite"]
    done = subprocess.run([sys.executable, "-c", KILLED, when, *words], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    # What it was at has a name that nobody takes for an export, and is in nobody's way.
    demo.ok("export", "csv", "--to", str(out), "--overwrite")
    assert manifest(out)["form"] == "csv"


def test_a_program_is_told_the_manifest(demo: Cli, tmp_path: Path) -> None:
    said = demo.ok("--json", "export", "csv", "--to", str(tmp_path / "out")).json
    assert said.pop("path") == str(tmp_path / "out")
    assert {name: value for name, value in said.items() if value is not None} == manifest(tmp_path / "out")


def test_ocel_is_json_unless_there_is_much_of_it(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {}
    for most in (100_000, 10):
        monkeypatch.setattr("cycle_adapters.exports.taking.JSON_AT_MOST", most)
        demo.ok("export", "ocel", "--at", "900", "--to", str(tmp_path / str(most)))
        names[most] = {path.name for path in (tmp_path / str(most)).iterdir()}
    assert names[100_000] - names[10] == {"cycle.ocel.json"}
    assert names[10] - names[100_000] == {"cycle.ocel.sqlite"}


def test_a_sealed_log_is_exported_with_its_checkpoint(demo: Cli, take: Take, tmp_path: Path) -> None:
    key = ("--key-file", str(tmp_path / "key"))
    for words in (("--new-key", "cycle.example.org"), ("--once",)):
        demo.ok("--actor", "operator", "seal", *words, *key)
    whole, dioro = take("csv"), take("csv", "--commune", "Dioro")
    assert manifest(whole)["checkpoint"].startswith("cycle.example.org\n")
    assert manifest(dioro)["checkpoint"].startswith("cycle.example.org/ML-4-01-01\n")
    assert json.loads((dioro / "manifest.json").read_bytes())["checkpoint"].count("—") == 1


NO_ROOM = """
import resource, signal, sys
from cycle_adapters.exports import taking
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writers = dict(taking.WRITERS)
def small(write):
    def writes(*given):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        return write(*given)
    return writes
taking.WRITERS = {form: small(write) for form, write in writers.items()}
from cycle_adapters.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("form", FORMS)
def test_where_there_is_no_room_it_is_said_and_nothing_is_left(demo: Cli, tmp_path: Path, form: str) -> None:
    words = ["--database", demo.url, "--lang", "en", "export", form, "--to", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", NO_ROOM, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    assert "name another place; nothing was left behind" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
