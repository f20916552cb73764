"""What an older backup lacks is recovered byte for byte from an export of the whole log, or refused."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cycle.aggregates.framework.anytime import Resume, Suspend
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.reading import Reader
from cycle.store import Append, Conflict
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.files.events import export, import_
from cycle_adapters.files.lines import BadLine
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.engine.test_engine import begun, said
from tests.files.everything import backup, everything, restore
from tests.store.saves import leaf


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Engine]:
    """A log that went on after its backup ``old.zip``; all of it stands in ``log.jsonl``."""
    with Engine(f"sqlite:///{tmp_path / 'whole.db'}") as engine:
        identity = begun(engine)
        backup(engine.store, tmp_path / "old.zip")
        engine.execute(said(Suspend(reason="insécurité"), identity, key="phone-7"))
        engine.execute(said(Resume(reason="retour au calme"), identity, key="phone-8"))
        export(engine, tmp_path / "log.jsonl")
        yield engine


@pytest.fixture
def older(engine: Engine, whole: Engine, tmp_path: Path) -> Engine:
    """The backup in an empty database of either kind."""
    restore(engine.store, tmp_path / "old.zip")
    return engine


def going_on(engine: Engine, file: bytes) -> int:
    return import_(engine, io.BytesIO(file), lambda done: None, follow_on=True)


def test_what_is_missing_is_appended_byte_for_byte(older: Engine, whole: Engine, tmp_path: Path) -> None:
    log = (tmp_path / "log.jsonl").read_bytes()
    missing = whole.store.head().position - older.store.head().position
    assert going_on(older, log) == missing == 2
    assert everything(older.store)["events"] == everything(whole.store)["events"]
    assert older.store.head() == whole.store.head()
    assert going_on(older, log) == 0


def test_the_keys_of_what_was_missing_are_taken(older: Engine, whole: Engine, tmp_path: Path) -> None:
    """A phone that sends its command again, because it never got an answer, must not do it twice."""
    going_on(older, (tmp_path / "log.jsonl").read_bytes())
    identity = Reader(whole, "awa")
    identity.catch_up()
    framework = identity.find_framework("Dioro")
    command = said(Suspend(reason="insécurité"), framework, key="phone-7")
    assert older.execute(command) == whole.execute(command)
    assert older.store.head() == whole.store.head()


def test_work_goes_on_behind_it(older: Engine, tmp_path: Path) -> None:
    going_on(older, (tmp_path / "log.jsonl").read_bytes())
    reader = Reader(older, "awa")
    reader.catch_up()
    framework = reader.find_framework("Dioro")
    head = older.store.head().position
    assert older.execute(said(Suspend(reason="crue"), framework)).position == head + 1


def test_an_empty_database_is_a_beginning_too(engine: Engine, whole: Engine, tmp_path: Path) -> None:
    assert going_on(engine, (tmp_path / "log.jsonl").read_bytes()) == whole.store.head().position


def without_line(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [*lines[: number - 1], *lines[number:]]


def renamed(lines: list[bytes]) -> list[bytes]:
    return [
        line.replace(b'"by":{"actor":"', b'"by":{"actor":"x', 1) if n == 2 else line for n, line in enumerate(lines)
    ]


OTHERS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "another actor in the third line": (renamed, "line 3: differs from what the database holds"),
    "shorter than the database": (lambda lines: lines[:2], "line 3: is not there, and the database holds"),
    "nothing": (lambda lines: [], "line 1: is not there"),
    "the missing lines alone": (lambda lines: lines[-2:], "line 1: .* version"),
    "a line left out of the new ones": (lambda lines: [*lines[:-2], lines[-1]], "version .* where .* follows"),
    "the new lines swapped": (lambda lines: [*lines[:-2], lines[-1], lines[-2]], "version .* where .* follows"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_does_not_continue_this_log_is_refused(older: Engine, tmp_path: Path, name: str) -> None:
    change, words = OTHERS[name]
    before = everything(older.store)
    lines = change((tmp_path / "log.jsonl").read_bytes().splitlines())
    with pytest.raises(BadLine, match=words) as caught:
        going_on(older, b"".join(line + b"\n" for line in lines))
    assert caught.value.told("fr").endswith("rien n'a été écrit")
    assert everything(older.store) == before


def test_a_log_that_went_another_way_is_refused(older: Engine, tmp_path: Path) -> None:
    """Somebody worked on the restored database: two histories have one beginning, and neither is the other's."""
    reader = Reader(older, "awa")
    reader.catch_up()
    older.execute(said(Suspend(reason="crue"), reader.find_framework("Dioro")))
    with pytest.raises(BadLine, match="differs from what the database holds"):
        going_on(older, (tmp_path / "log.jsonl").read_bytes())


def test_a_command_that_is_complete_gets_nothing_added(database_url: str, tmp_path: Path) -> None:
    with Simulated(f"sqlite:///{tmp_path / 'source.db'}", 3) as source:
        source.tell(recorded, frameworks=1, cycles=1)
        file = io.BytesIO()
        export(source.engine, file)  # type: ignore[arg-type]
    lines = file.getvalue().splitlines(keepends=True)
    keys = [line.partition(b'"causation":"')[2].partition(b'"')[0] for line in lines]
    inside = next(n for n in range(1, len(keys)) if keys[n] == keys[n - 1])
    with Engine(database_url) as engine:
        import_(engine, io.BytesIO(b"".join(lines[:inside])), lambda done: None)
        with pytest.raises(BadLine, match=f"line {inside + 1}: adds to the command .*, which is complete"):
            going_on(engine, file.getvalue())
        assert engine.store.head().position == inside


def test_a_key_that_is_taken_for_something_else_is_a_conflict(older: Engine, whole: Engine, tmp_path: Path) -> None:
    """The database has the same events, and one of its keys is that of a command in the file."""
    with closing(SqlRecorder(open_database(f"sqlite:///{tmp_path / 'odd.db'}"))) as odd:
        odd.append(Append((leaf("s", 1, key="a"),), "phone-9", b"d"))
        held = bytes(next(odd.read(0))[3])
        following = held.replace(b'"version":1', b'"version":2').replace(b'"id":"s-1"', b'"id":"s-2"')
        following = following.replace(b'"a"', b'"phone-9"').replace(b'"percent":1', b'"percent":2')
        with Engine(f"sqlite:///{tmp_path / 'odd.db'}") as engine, pytest.raises(Conflict, match=r"receipts\.key"):
            going_on(engine, held + b"\n" + following + b"\n")
        assert odd.head().position == 1
