"""A database out of a file again: the same rows, receipts and hashes, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, insert, select

from cycle.aggregates.framework.anytime import Suspend
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.leaf import leaf_hash
from cycle.reading import Reader
from cycle.store import Append, Conflict, KeyReused, LogRecorder, Receipt
from cycle_adapters.files import backup as files
from cycle_adapters.files.archive import Archive, Damaged
from cycle_adapters.files.backup import Taken
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.files.events import export
from cycle_adapters.sql import bulk, schema
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from cycle_adapters.whole import NotWritten, settled
from tests.engine.test_engine import begun, said
from tests.files.everything import backup, everything, nobody, restore
from tests.postgres import new_database
from tests.store.saves import leaf, save
from tests.store.test_processes import go, program, start


def opened(url: str) -> SqlRecorder:
    return SqlRecorder(open_database(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRecorder]:
    """An empty store to restore into, of each kind in turn."""
    sqlite = f"sqlite:///{tmp_path / 'other.db'}"
    with closing(
        opened(sqlite if request.param == "sqlite" else new_database(request.getfixturevalue("postgres")))
    ) as s:
        yield s


@pytest.fixture
def told(store: SqlRecorder) -> SqlRecorder:
    """A store with saves of one and of several leaves, in several streams and logs."""
    store.append(save("s", many=3))
    store.append(save("t", many=2, log="ML-2-01-01"))
    store.append(Append((leaf("u", 1, log="platform"), leaf("s", 4), leaf("u", 2, log="platform")), "clé ’7", b"\x00d"))
    store.append(save("s", 5))
    return store


def test_every_table_is_as_it_was(told: SqlRecorder, other: SqlRecorder, tmp_path: Path) -> None:
    manifest = backup(told, tmp_path / "b.zip")
    assert (manifest.head, manifest.parts["events.jsonl"].lines, manifest.parts["receipts.jsonl"].lines) == (9, 9, 4)
    assert manifest.moment() == told.head().recorded_at
    restore(other, tmp_path / "b.zip")
    assert everything(other) == everything(told)
    assert other.head() == told.head()
    assert other.append(save("s", 6)).position == 10


def test_an_old_key_gets_its_receipt_and_nothing_else(told: SqlRecorder, other: SqlRecorder, tmp_path: Path) -> None:
    backup(told, tmp_path / "b.zip")
    restore(other, tmp_path / "b.zip")
    assert other.append(save("t", many=2, log="ML-2-01-01")) == told.append(save("t", many=2, log="ML-2-01-01"))
    with pytest.raises(KeyReused):
        other.append(save("t", 3, key="t/1"))
    assert other.receipt("clé ’7") == told.receipt("clé ’7")
    assert other.head().position == 9


def test_the_empty_log_is_a_log(store: SqlRecorder, other: SqlRecorder, tmp_path: Path) -> None:
    manifest = backup(store, tmp_path / "b.zip")
    assert (manifest.head, manifest.recorded_at, manifest.moment()) == (0, None, None)
    restore(other, tmp_path / "b.zip")
    assert other.head() == (0, None)


def test_there_and_back_again_gives_the_same_bytes(sqlite_url: str, postgres_url: str, tmp_path: Path) -> None:
    """SQLite to PostgreSQL to SQLite, each time through a backup."""
    with Simulated(sqlite_url, 5) as simulated:
        simulated.tell(recorded, frameworks=1, cycles=1)
    urls = [sqlite_url, postgres_url, f"sqlite:///{tmp_path / 'back.db'}"]
    for number, url in enumerate(urls):
        with closing(opened(url)) as store:
            if number:
                restore(store, tmp_path / f"{number - 1}.zip")
            backup(store, tmp_path / f"{number}.zip")
    first, *later = ((tmp_path / f"{number}.zip").read_bytes() for number in range(3))
    assert later == [first, first]


def test_a_pipe_gets_the_bytes_of_a_file(told: SqlRecorder, tmp_path: Path) -> None:
    pipe = io.BytesIO()
    files.backup(told, pipe, nobody)
    backup(told, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_bytes() == pipe.getvalue()


def test_the_events_in_it_are_those_of_an_export(engine: Engine, tmp_path: Path) -> None:
    begun(engine)
    backup(engine.store, tmp_path / "b.zip")
    export(engine, tmp_path / "log.jsonl")
    with Archive(tmp_path / "b.zip") as archive:
        assert archive.part("events.jsonl").read() == (tmp_path / "log.jsonl").read_bytes()


def test_a_command_that_is_sent_again_after_a_restore_is_done_already(engine: Engine, tmp_path: Path) -> None:
    identity = begun(engine)
    command = said(Suspend(reason="insécurité"), identity, key="phone-7")
    receipt = engine.execute(command)
    backup(engine.store, tmp_path / "b.zip")
    with Engine(f"sqlite:///{tmp_path / 'other.db'}") as other:
        restore(other.store, tmp_path / "b.zip")
        assert other.execute(command) == receipt
        with pytest.raises(KeyReused):
            other.execute(said(Suspend(reason="saison des pluies"), identity, key="phone-7"))
        Reader(other, "awa").catch_up()
        assert Reader(other, "awa").find("Dioro").commune


def test_it_goes_into_an_empty_database_only(told: SqlRecorder, other: SqlRecorder, tmp_path: Path) -> None:
    backup(told, tmp_path / "b.zip")
    other.append(save("z"))
    before = everything(other)
    with pytest.raises(Conflict, match="not empty"):
        restore(other, tmp_path / "b.zip")
    assert everything(other) == before


def test_a_backup_is_never_written_over(told: SqlRecorder, tmp_path: Path) -> None:
    backup(told, tmp_path / "b.zip")
    with pytest.raises(Taken, match="never written over"):
        backup(told, tmp_path / "b.zip")


def test_nobody_else_may_read_it(told: SqlRecorder, tmp_path: Path) -> None:
    backup(told, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0


def test_a_backup_under_load_is_one_moment(database_url: str, tmp_path: Path) -> None:
    """Four processes write saves of three; none is held up, and no save is in it by half."""
    with closing(opened(database_url)) as store:
        writers = [start(database_url, f"w{number}", 100_000, 3) for number in range(4)]
        acknowledged: list[tuple[int, str]] = []

        def one_more_each() -> None:
            for writer in writers:
                assert writer.stdout is not None
                position, key = writer.stdout.readline().split()
                acknowledged.append((int(position), key))

        try:
            for writer in writers:
                go(writer)
            one_more_each()
            before = list(acknowledged)
            manifest = backup(store, tmp_path / "b.zip")
            while store.head().position <= manifest.head:
                one_more_each()
        finally:
            for writer in writers:
                writer.kill()
                writer.communicate()
        with closing(opened(f"sqlite:///{tmp_path / 'other.db'}")) as other:
            restore(other, tmp_path / "b.zip")
            held = everything(other)
            assert held["events"] == everything(store)["events"][: manifest.head]
            assert [row[0] for row in held["events"]] == list(range(1, manifest.head + 1))
            assert manifest.head % 3 == 0, "half a save"
            for position, key in before:
                found = other.receipt(key)
                assert found is not None
                assert found[1].position == position


def test_a_backup_that_fails_leaves_nothing(told: SqlRecorder, tmp_path: Path) -> None:
    def gone(done: int, of: int) -> None:
        raise OSError("gone")

    with pytest.raises(NotWritten, match="gone"):
        files.backup(told, tmp_path / "b.zip", gone)
    pipe = io.BytesIO()
    with pytest.raises(NotWritten, match="gone"):
        files.backup(told, pipe, gone)
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []
    (tmp_path / "pipe.zip").write_bytes(pipe.getvalue())
    with pytest.raises(Damaged):
        Archive(tmp_path / "pipe.zip")
    assert told.append(save("s", 6)).position == 10


def test_a_backup_that_does_not_come_back_from_the_disk_is_none(
    told: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(file: BinaryIO) -> bool:
        is_on_disk = settled(file)
        with Path(file.name).open("r+b") as other:
            other.seek(100)
            other.write(bytes(100))
        return is_on_disk

    monkeypatch.setattr(files, "settled", spoiled)
    with pytest.raises(Damaged):
        files.backup(told, tmp_path / "b.zip", nobody)
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []


@pytest.mark.parametrize("calls", [1, 2])
def test_a_backup_that_is_killed_leaves_no_file_of_its_name(database_url: str, tmp_path: Path, calls: int) -> None:
    with closing(opened(database_url)) as store:
        store.append(save("s", many=1_500))
        killed(program("tests.files.halfway", "backup", database_url, str(tmp_path / "b.zip"), str(calls)))
        assert not (tmp_path / "b.zip").exists()
        assert backup(store, tmp_path / "b.zip").head == 1_500


@pytest.mark.parametrize("calls", [1, 2])
def test_a_restore_that_is_killed_leaves_an_empty_database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Killed when most rows are written, and when all are, and nothing is committed."""
    with closing(opened(f"sqlite:///{tmp_path / 'source.db'}")) as source, closing(opened(database_url)) as store:
        for number in range(3):
            source.append(save(f"s{number}", many=2_500))
        backup(source, tmp_path / "b.zip")
        killed(program("tests.files.halfway", "restore", database_url, str(tmp_path / "b.zip"), str(calls)))
        assert not any(everything(store).values())
        restore(store, tmp_path / "b.zip")
        assert everything(store) == everything(source)


def killed(process) -> None:  # type: ignore[no-untyped-def]
    process.kill()
    process.communicate()


class Saved(NamedTuple):
    stream: str
    many: int
    key: str
    digest: bytes


LOGS = {"s": "ML-4-01-01", "t": "ML-4-01-01", "u": "platform", "é": "ML-2-01-01"}
saves = st.lists(
    st.builds(
        Saved,
        st.sampled_from(list(LOGS)),
        st.integers(1, 4),
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12),
        st.binary(max_size=40),
    ),
    max_size=12,
    unique_by=lambda saved: saved.key,
)


def any_log_restored(source: LogRecorder, target: LogRecorder, log: list[Saved]) -> None:
    versions = dict.fromkeys(LOGS, 0)
    receipts: dict[str, tuple[bytes, Receipt]] = {}
    for stream, many, key, digest in log:
        first = versions[stream] + 1
        versions[stream] += many
        leaves = tuple(leaf(stream, first + n, log=LOGS[stream]) for n in range(many))
        receipts[key] = digest, source.append(Append(leaves, key, digest))
    with TemporaryDirectory() as folder:
        backup(source, Path(folder) / "b.zip")
        restore(target, Path(folder) / "b.zip")
    assert everything(target) == everything(source)
    for key, (digest, receipt) in receipts.items():
        assert target.receipt(key) == (digest, receipt)
        if digest:
            assert target.append(Append((leaf("v", 1),), key, digest)) == receipt
            with pytest.raises(KeyReused):
                target.append(Append((leaf("v", 1),), key, digest + b"!"))
        for line in receipt.events:
            (_, _, _, state), *_ = target.read(line.position - 1, 1)
            assert leaf_hash(bytes(state)).hex() == line.leaf


@settings(max_examples=50, deadline=None)
@given(log=saves)
def test_any_log_comes_out_as_it_went_in(log: list[Saved]) -> None:
    with TemporaryDirectory() as folder:
        urls = (f"sqlite:///{Path(folder) / name}.db" for name in "ab")
        source, target = map(opened, urls)
        with closing(source), closing(target):
            any_log_restored(source, target, log)


@settings(max_examples=15, deadline=None)
@given(log=saves)
def test_any_log_comes_out_of_postgresql_as_it_went_in(postgres: str, log: list[Saved]) -> None:
    source, target = opened(new_database(postgres)), opened(new_database(postgres))
    with closing(source), closing(target):
        any_log_restored(source, target, log)


def test_a_new_table_needs_one_line(
    told: SqlRecorder, other: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts in the order of their bytes on both, bytes and what is absent as they are; old backups lack it."""
    backup(told, tmp_path / "old.zip")
    vault = Table(
        "vault", MetaData(), Column("name", Text, primary_key=True), Column("sealed", LargeBinary), Column("note", Text)
    )
    monkeypatch.setitem(schema.KEPT, "vault", schema.Kept(vault, (vault.c.name,)))
    assert bulk.KEPT is schema.KEPT
    rows = [("Zoé", b"\x00\xff", None), ("aïssa", b"", "absente"), ("Ève", None, "")]
    for store in (told, other):
        with store.database.begin() as connection:
            vault.create(connection)
    with told.database.begin() as connection:
        connection.execute(insert(vault), [dict(zip(("name", "sealed", "note"), row, strict=True)) for row in rows])
    backup(told, tmp_path / "b.zip")
    with Archive(tmp_path / "b.zip") as archive:
        assert [line[9:12] for line in archive.part("vault.jsonl").read().splitlines()] != []
        assert b"".join(archive.part("vault.jsonl").readlines()).startswith(b'{"name":"Zo')
    restore(other, tmp_path / "b.zip")
    with other.database.connect() as connection:
        found = sorted(map(tuple, connection.execute(select(vault))))
    assert found == sorted(rows)
    with closing(opened(f"sqlite:///{tmp_path / 'older.db'}")) as older:
        restore(older, tmp_path / "old.zip")
        assert everything(older) == everything(told)
