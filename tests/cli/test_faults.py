"""A full disk and a file that may not be written, met on the command line: one line, exit code 4, nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cycle.leaf import check_leaf, leaf_hash
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.cli.run import Cli, Ran
from tests.cli.small_disk import AWA_ON_A_SMALL_DISK

ROOT = Path(__file__).parents[2]
COMMUNE = ("do", "register-commune", "--set=commune=ML-2", "--set=region=R", "--set=circle=C")
SMALL = (*COMMUNE, "--set=name=Boky")
LARGE = (*SMALL, f"--set=aliases={','.join('é' * 190 + str(n) for n in range(100))}")
"""A fact of forty thousand bytes."""


ACCOUNTS = 5 + len(AWA_ON_A_SMALL_DISK)
"""Facts about accounts that stand before all others: the operator's two, the administrator's two, Awa's."""


def is_one_clear_line(ran: Ran) -> None:
    """In French, and it says that nothing was written."""
    assert ran.code == 4, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert "rien n'a été écrit" in ran.err
    assert "Traceback" not in ran.err


def verifies(path: Path, facts: int) -> None:
    """The file is sound, and every fact in it is the one that was hashed."""
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT position, leaf, leaf_hash FROM events ORDER BY position").fetchall()
    connection.close()
    assert [position for position, _, _ in rows] == list(range(1, facts + 1))
    for _, leaf, digest in rows:
        check_leaf(leaf)
        assert leaf_hash(leaf) == digest
    store = SqlRecorder(open_database(f"sqlite:///{path}"))
    assert store.head().position == facts
    store.close()


def on_a_small_disk(tmp_path: Path, left_free: int, *arguments: str) -> tuple[Ran, Ran]:
    """What a command says on a full disk, and what once there is room again; the file is then ``copy.db``."""
    disk = tmp_path / "disk"
    disk.mkdir()
    may = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    assert may.returncode == 0, f"a small disk needs `unshare -rm`, which this machine refuses: {may.stderr.decode()}"
    program = [sys.executable, "-m", "tests.cli.small_disk", str(disk), str(tmp_path / "copy.db"), str(left_free)]
    ran = subprocess.run(
        ["unshare", "-rm", *program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    full, healed = json.loads(ran.stdout)
    return Ran.of(*full), Ran.of(*healed)


@pytest.mark.parametrize("left_free", [60_000, 40_000, 20_000, 0])
def test_a_full_disk_loses_nothing_and_heals(tmp_path: Path, left_free: int) -> None:
    """It may be full from the start, or fill up inside of the very commit."""
    full, healed = on_a_small_disk(tmp_path, left_free, *LARGE)
    is_one_clear_line(full)
    assert (healed.code, healed.err) == (0, "")
    assert "La commune de Boky est enregistrée" in healed.out
    verifies(tmp_path / "copy.db", ACCOUNTS + 3)


def test_a_disk_that_fills_up_in_the_commit_is_said_to_be_full(tmp_path: Path) -> None:
    full, _ = on_a_small_disk(tmp_path, 60_000, *LARGE)
    assert full.err == "Le disque est plein : rien n'a été écrit ; faites de la place et recommencez\n"


def test_a_disk_that_is_full_from_the_start_is_said_to_be_full(tmp_path: Path) -> None:
    full, _ = on_a_small_disk(tmp_path, 0, *SMALL)
    assert "Le disque est plein" in full.err


def test_a_disk_that_fills_up_in_a_rebuild_is_said_to_be_full(tmp_path: Path) -> None:
    full, healed = on_a_small_disk(tmp_path, 60_000, "rebuild")
    assert healed.code == 0
    assert full.code == 4
    assert "Le disque est plein" in full.err


def test_what_is_said_not_to_be_written_is_not_written(tmp_path: Path) -> None:
    """Room for the fact, and not for the rows of the projections that follow it."""
    full, healed = on_a_small_disk(tmp_path, 70_000, *SMALL)
    assert full.code == 0 or "rien n'a été écrit" not in full.err or healed.code == 0


def run(program: str, *arguments: str) -> Ran:
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Ran.of(ran.returncode, ran.stdout, ran.stderr)


def test_a_write_that_fails_loses_nothing_and_heals(cli: Cli, tmp_path: Path) -> None:
    """The system refuses to let a file grow, as with a quota: a real error in the middle of the write."""
    cli.begin(*AWA_ON_A_SMALL_DISK)
    cli.ok("policy", "publish")
    limited = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (34_000, 34_000))\n"
        "from cycle_adapters.cli.main import main\n"
        "main()"
    )
    is_one_clear_line(run(limited, "--lang", "fr", "--database", cli.url, *LARGE))
    verifies(tmp_path / "cycle.db", ACCOUNTS + 1)
    assert "La commune de Boky est enregistrée" in cli.ok(*LARGE).out
    verifies(tmp_path / "cycle.db", ACCOUNTS + 2)


AS_NOBODY = (
    "import os, sys\n"
    "from cycle_adapters.cli.main import main\n"
    "def run(database, *arguments):\n"
    "    try: main(['--lang', 'fr', '--database', database, *arguments])\n"
    "    except SystemExit as ended: return ended.code\n"
    "out = os.dup(1), os.dup(2)\n"
    "os.dup2(os.open(os.devnull, os.O_WRONLY), 1); os.dup2(1, 2)\n"
    "run(sys.argv[1], 'policy', 'publish')  # loads what the account below may be unable to read\n"
    "run(sys.argv[1], *sys.argv[3:])\n"
    "sys.stdout.flush(); sys.stderr.flush(); os.dup2(out[0], 1); os.dup2(out[1], 2)\n"
    "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    "sys.exit(run(sys.argv[2], *sys.argv[3:]))\n"
)
"""root may write anywhere, so the command is run by an account without rights."""


@pytest.mark.parametrize("arguments", [SMALL, ("show", "frameworks"), ("rebuild",)], ids=["do", "show", "rebuild"])
def test_a_file_that_may_not_be_written_says_so_and_heals(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    cli.begin(*AWA_ON_A_SMALL_DISK)
    cli.ok("policy", "publish")
    path = tmp_path / "cycle.db"
    path.chmod(0o444)
    for parent in (tmp_path, *tmp_path.parents[:-1]):
        os.chmod(parent, parent.stat().st_mode | 0o005)
    before = path.read_bytes()
    refused = run(AS_NOBODY, f"sqlite:///{tmp_path / 'other.db'}", cli.url, *arguments)
    is_one_clear_line(refused)
    assert "ne peut pas être écrit" in refused.err
    assert "vérifiez vos droits" in refused.err
    assert path.read_bytes() == before
    verifies(path, ACCOUNTS + 1)
    path.chmod(0o644)
    cli.ok(*SMALL)
    verifies(path, ACCOUNTS + 2)
