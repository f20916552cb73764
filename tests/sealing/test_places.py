"""What leaves goes to a place that can be written to: else nothing is recorded of it, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cycle.door import Door
from cycle.store import Unavailable
from tests.cli.run import Cli

PROGRAM = f"{sys.executable} -c 'from cycle_adapters.cli.main import main; main()'"
LEAVES = {
    "bundle": ("export", "bundle", "--commune", "Dioro", "--to"),
    "events": ("export", "events", "--to"),
    "checkpoint": ("export", "checkpoint", "--to"),
    "backup": ("backup",),
    "receipt": ("receipt", "{key}", "--to"),
}
"""Whatever writes what is recorded to a place."""
RECORDS = {"bundle": "bundle-exported", "events": "events-exported", "backup": "backup-made"}


@pytest.fixture
def sealed(keyed: Cli) -> Cli:
    keyed.ok("seal", "--once")
    return keyed


def said(cli: Cli, what: str, *more: str) -> list[str]:
    """What somebody says who wants this."""
    rows = cli.ok("--json", "show", "audit").json["audit_trail"]
    return [word.format(key=rows[0]["causation"]) for word in LEAVES[what]] + list(more)


def recorded(cli: Cli) -> list[str]:
    """What is recorded to have left."""
    rows = cli.ok("--json", "show", "audit").json["audit_trail"]
    return [row["type"] for row in rows if row["type"] in RECORDS.values()]


@pytest.mark.parametrize("what", LEAVES)
@pytest.mark.parametrize("place", ["nowhere/x", "seal.key/x", "x" * 300, "/proc/x", "taken"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_recorded(
    sealed: Cli, tmp_path: Path, what: str, place: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("riz")
    before, head = sorted(tmp_path.rglob("*")), recorded(sealed)
    ran = sealed(*said(sealed, what, str(tmp_path / place)))
    assert ran.code in (2, 4), ran
    assert (ran.out, ran.err.count("\n")) == ("", 1)
    assert ran.err.startswith(str(tmp_path / place))
    assert recorded(sealed) == head
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("what", ["bundle", "backup"])
def test_what_is_there_is_not_written_over_and_nothing_is_recorded(sealed: Cli, tmp_path: Path, what: str) -> None:
    for name in ("x", "x.zip"):
        (tmp_path / name).write_text("riz")
        head = recorded(sealed)
        assert sealed(*said(sealed, what, str(tmp_path / name))).code == 2
        assert (tmp_path / name).read_text() == "riz"
        assert recorded(sealed) == head


@pytest.mark.parametrize("what", RECORDS)
def test_what_left_is_recorded_once(sealed: Cli, tmp_path: Path, what: str) -> None:
    before = recorded(sealed)
    sealed.ok(*said(sealed, what, str(tmp_path / "x")))
    assert recorded(sealed) == [*before, RECORDS[what]]


@pytest.mark.parametrize("what", RECORDS)
@pytest.mark.parametrize("name", ["x", "x.zip"])
def test_what_cannot_be_recorded_does_not_leave(
    sealed: Cli, tmp_path: Path, what: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, before = said(sealed, what, str(tmp_path / name)), sorted(tmp_path.rglob("*"))

    def full(*given: object) -> None:
        raise Unavailable("full")

    monkeypatch.setattr(Door, "_record", full)
    ran = sealed(*words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("what", LEAVES)
@pytest.mark.parametrize("name", ["x", "x.zip"])
def test_a_disk_that_fills_up_is_told_in_one_line_and_nothing_is_left(
    sealed: Cli, tmp_path: Path, what: str, name: str
) -> None:
    """It is found out after the record, which then says more than what left, and never less."""
    disk = tmp_path / "disk"
    disk.mkdir()
    is_small = what in ("checkpoint", "receipt")
    mount = f"mount -t tmpfs -o size={'4k' if is_small else '64k'} none {disk}"
    filled = f"head -c 4096 /dev/zero > {disk}/full;" if is_small else ""
    words = " ".join(said(sealed, what, str(disk / name)))
    script = f"{mount} && {filled} {PROGRAM} --lang en --database {sealed.url} {words}; echo $?; ls -A {disk}"
    ran = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == (["4", "full"] if is_small else ["4"]), ran
    assert ran.stderr == f"{disk / name}: the disk is full: make room or name another place; nothing was left behind\n"


@pytest.mark.parametrize("what", ["events", "checkpoint", "receipt", "backup"])
def test_standard_output_that_is_full_is_told(sealed: Cli, what: str) -> None:
    words = ["backup", "-"] if what == "backup" else said(sealed, what)[:-1]
    command = f"{PROGRAM} --lang en --database {sealed.url} {' '.join(words)} > /dev/full"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.count("\n")) == (4, 1), ran.stderr
    assert "the disk is full" in ran.stderr
