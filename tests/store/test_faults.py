"""Full disks, read-only files, strangers' databases: a clear error, and nothing lost."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cycle.engine import Engine
from cycle.store import Unavailable
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import save

ROOT = Path(__file__).parents[2]


def test_a_full_disk_loses_nothing_and_heals(sqlite_url: str) -> None:
    store = SqlRecorder(open_database(sqlite_url))
    store.append(save("s", many=10))
    connection = store._writer._connection  # type: ignore[union-attr]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="The disk is full: nothing was written; make room"):
        store.append(save("t", many=500))
    assert store.head().position == 10
    connection.execute("PRAGMA max_page_count = 1000000")
    assert store.append(save("t", many=500)).position == 510
    store.close()


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """As an account without rights, in a process of its own: root may write anywhere."""
    path = tmp_path / "cycle.db"
    SqlRecorder(open_database(f"sqlite:///{path}")).close()
    path.chmod(0o444)
    program = (
        "import os, sys\n"
        "from cycle_adapters.sql.opening import open_database\n"
        "from cycle_adapters.sql.recorder import SqlRecorder\n"
        "from tests.store.saves import save\n"
        "from cycle.store import Unavailable\n"
        "str(Unavailable('full'))  # the account below may be unable to read the catalogue\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: SqlRecorder(open_database(sys.argv[1])).append(save('s'))\n"
        "except Unavailable as error: print(error)\n"
    )
    for parent in (tmp_path, *tmp_path.parents[:-1]):
        os.chmod(parent, parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    out = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "check your rights" in out.stdout, out.stderr
    assert path.stat().st_size > 0


def test_a_database_of_a_newer_release_is_left_alone(database_url: str) -> None:
    SqlRecorder(open_database(database_url)).close()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Unavailable, match=r"written by a newer release of cycle: update cycle"):
        open_database(database_url)


def test_a_database_of_somebody_else_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (id INTEGER)"))
    engine.dispose()
    with pytest.raises(Unavailable, match="something else than a log of cycle: name another with --database"):
        open_database(database_url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look at " * 50)
    with pytest.raises(Unavailable, match="is not a database"):
        open_database(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_another_sqlite_program_keeps_its_file(tmp_path: Path) -> None:
    path = tmp_path / "phone.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE contacts (name TEXT)")
    connection.close()
    with pytest.raises(Unavailable, match="something else"):
        open_database(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://somewhere/cycle", "Databases of the kind mysql are not supported"),
        ("cycle.db", "cannot be read: write sqlite:///cycle.db"),
        ("sqlite:///no/such/folder/cycle.db", "The folder .* does not exist: make it"),
        ("sqlite://", "lost when the program ends"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/none", "No PostgreSQL answers"),
        ("postgresql://u:secret@127.0.0.1:1/none", "No PostgreSQL answers"),
    ],
)
def test_a_wrong_address_says_what_to_write(url: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_sqlite_settings_that_durability_rests_on_are_asserted(sqlite_url: str) -> None:
    store = SqlRecorder(open_database(sqlite_url))
    with store.database.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    store.close()


def test_a_lost_server_connection_is_made_again(postgres_url: str) -> None:
    store = SqlRecorder(open_database(postgres_url))
    store.append(save("s", 1))
    pid = store._writer._connection.info.backend_pid  # type: ignore[union-attr]
    with store.database.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert store.append(save("s", 2)).position == 2
    store.close()


def test_who_leaves_off_reading_in_an_error_that_holds_itself_stops_nobody(database_url: str) -> None:
    """The collector of garbage met the connection before its reader, and waited for ever for what only that one had."""
    store = SqlRecorder(open_database(database_url))
    store.append(save("a", 1, 700))
    store.close()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.store.leaver", database_url],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == ("700 0\n", "")


def test_an_engine_names_its_database_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        Engine(f"sqlite:///{tmp_path / 'missing' / 'a.db'}")
    assert "\n" not in str(caught.value)
