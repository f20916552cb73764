"""Somebody is forgotten: by two, for good, in one transaction, and in no file is a clear text, before or after."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url, text

from cycle.aggregates.base import Refused
from cycle.aggregates.person import AmendPerson
from cycle.aggregates.terms import PersonId
from cycle.store import Append
from cycle.vault.people import forget_again
from cycle_adapters.files.events import export, import_
from tests.files.everything import backup, restore
from tests.vault.files import files, forms, found
from tests.vault.town import AWA, LOG, SECRETS, Town

PROCESSES = get_context("forkserver")


def vault_bytes(town: Town, *columns: str) -> set[bytes]:
    """What stands in the vault now."""
    with town.engine.store.database.connect() as connection:
        return {
            bytes(row[0])
            for column in columns
            for row in connection.execute(text("SELECT {1} FROM {0}".format(*column.split("."))))
        }


def test_no_file_of_the_database_has_a_clear_text_before_or_after(town: Town) -> None:
    needles = [form for secret in SECRETS for form in forms(secret)]
    person = town.record()
    town.amend(person, AmendPerson(function="Présidente d'honneur"))
    needles += forms("Présidente d'honneur")
    town.shown(person)
    disclosures = [disclosure.encode() for _, disclosure in town.opened()]
    assert len(disclosures) == 3
    assert found([*needles, *disclosures], files(town)) == []
    assert found([b"person-recorded"], files(town)), "the scan finds what is there"
    town.forget(person)
    assert found([*needles, *disclosures], files(town)) == []
    town.engine.close()
    assert found([*needles, *disclosures], (Path(path) for path in files(town.again()))) == []


def test_after_an_erasure_neither_key_nor_ciphertext_is_in_the_files_of_sqlite(sqlite_url: str, key: Path) -> None:
    town = Town(sqlite_url, key).founded()
    people = [town.record(replace(AWA, name=f"Personne {n}")) for n in range(60)]
    gone = vault_bytes(town, "vault_keys.wrapped", "vault_openings.sealed")
    for person in people[::2]:
        town.forget(person)
    gone -= vault_bytes(town, "vault_keys.wrapped", "vault_openings.sealed")
    assert len(gone) == 30 * 4
    assert found(gone, files(town)) == []
    assert [town.shown(person)["name"] for person in people[1::2]] == [f"Personne {n}" for n in range(1, 60, 2)]
    town.engine.close()


def test_after_an_erasure_the_key_is_in_no_table_of_postgresql(postgres_url: str, key: Path) -> None:
    """The write-ahead log keeps the wrapped key until the server has used its files again: docs/privacy.md."""
    town = Town(postgres_url, key).founded()
    person = town.record()
    town.record()
    gone = vault_bytes(town, "vault_keys.wrapped")
    town.forget(person)
    gone -= vault_bytes(town, "vault_keys.wrapped")
    with town.engine.store.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    assert len(gone) == 1
    assert [hit for hit in found(gone, files(town)) if len(hit[0]) != 24] == [], "a segment of WAL has 24 digits"
    town.engine.close()


def test_who_is_forgotten_is_shown_to_nobody_and_comes_back_under_no_old_reference(town: Town) -> None:
    person = town.record()
    town.request(person)
    assert town.shown(person)["name"] == AWA.name, "asking alone destroys nothing"
    town.confirm(person)
    assert town.engine.store.vault.streams() == set()
    for ask in (
        lambda: town.shown(person),
        lambda: town.amend(person, AmendPerson(name="Awa")),
        lambda: town.record(replace(AWA, name="Issa", person=person)),
    ):
        with pytest.raises(Refused, match=r"person-forgotten|nothing-to-disclose"):
            ask()


def test_a_confirmation_that_comes_again_has_the_same_receipt(town: Town) -> None:
    person = town.record()
    town.request(person)
    with pytest.raises(Refused, match="same-person-confirms"):
        town.confirm(person, "fanta")
    first = town.confirm(person)
    size = len(town.leaves())
    assert town.confirm(person) == town.confirm(person, "issa") == first
    assert len(town.leaves()) == size


def test_of_two_confirmations_at_once_one_is_recorded_and_both_are_answered(town: Town) -> None:
    other = Town(town.url, town.key)
    for n in range(10):
        person = town.record(replace(AWA, person=f"p-{n}"))
        town.request(person)
        with ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(which.confirm, person, actor) for which in (town, other) for actor in ("moussa", "issa")
            ]
            receipts = {each.result(60).events[0].id for each in asked}
        assert len(receipts) == 1
    assert sum(b'"type":"person-erased"' in leaf for leaf in town.leaves()) == 10
    assert town.engine.store.vault.streams() == set()
    other.engine.close()


def test_an_amendment_and_an_erasure_at_once_leave_nothing_behind(town: Town) -> None:
    for n in range(10):
        person = town.record(replace(AWA, person=f"p-{n}"))
        town.request(person)
        with ThreadPoolExecutor(2) as pool:
            amended = pool.submit(town.amend, person, AmendPerson(name="Awa Diarra"))
            erased = pool.submit(town.confirm, person)
        assert erased.result(60)
        assert amended.exception() is None or isinstance(amended.exception(), Refused)
    assert town.engine.store.vault.streams() == set()


def forget_until_killed(url: str, key: Path, people: list[PersonId], told: Connection) -> None:
    """Forgets one after the other; says which as soon as it is done."""
    town = Town(url, key)
    told.send(os.getpid())
    for person in people:
        town.confirm(person)
        told.send(person)


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_whoever_is_killed_while_forgetting_has_forgotten_whole_people(town: Town, after: int) -> None:
    people = [town.record(replace(AWA, person=f"p-{n}")) for n in range(30)]
    for person in people:
        town.request(person)
    assert town.key is not None
    gone = vault_bytes(town, "vault_keys.wrapped")
    hears, tells = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=forget_until_killed, args=(town.url, town.key, people, tells), daemon=True)
    process.start()
    tells.close()
    pid = hears.recv()
    done = [hears.recv() for _ in range(after)]
    os.kill(pid, signal.SIGKILL)
    process.join(60)
    while hears.poll():
        try:
            done.append(hears.recv())
        except EOFError:
            break
    again = town.again()
    held = again.engine.store.vault.streams()
    erased = {person for person in people if again.engine._load(*_person(person)).erased}
    assert set(done) <= erased
    assert held == {f"person-{person}" for person in people if person not in erased}
    for person in sorted(set(people) - erased)[:2]:
        assert again.shown(person)["name"] == AWA.name
    if again.engine.store.database.dialect.name == "sqlite":
        gone -= vault_bytes(again, "vault_keys.wrapped")
        assert found(gone, files(again)) == [], "what the dead one left to clean is cleaned when it is opened"
    again.engine.close()


def _person(person: PersonId):  # type: ignore[no-untyped-def]
    from cycle.aggregates import person as people
    from cycle.lookup import stream_of

    return people.person, stream_of(people.person, person)


def test_a_reader_in_the_way_of_cleaning_puts_it_off(
    sqlite_url: str, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cycle_adapters.sql.vaulting.CLEANING_MILLISECONDS", 1)
    town = Town(sqlite_url, key).founded()
    person = town.record()
    reader = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    town.forget(person)
    assert town.engine.store.vault.is_unclean()  # type: ignore[attr-defined]
    reader.close()
    assert town.engine.store.vault.clean()
    assert not town.engine.store.vault.is_unclean()  # type: ignore[attr-defined]
    assert Path(f"{make_url(sqlite_url).database}-wal").stat().st_size < 10_000, (
        "what is left is the note that it is clean"
    )
    town.engine.close()


def test_a_vault_from_before_an_erasure_forgets_again(sqlite_url: str, key: Path, tmp_path: Path) -> None:
    """A database comes back from before, and the events after it from an export: the runbook of a restore."""
    town = Town(sqlite_url, key).founded()
    awa, issa = town.record(), town.record(replace(AWA, name="Issa"))
    town = town.again()
    before = tmp_path / "before.db"
    with sqlite3.connect(make_url(sqlite_url).database or "") as source, sqlite3.connect(before) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    town.forget(awa)
    exported = io.BytesIO()
    export(town.engine, exported)  # type: ignore[arg-type]
    town.engine.close()

    whole = Town(f"sqlite:///{tmp_path}/whole.db", key)
    import_(whole.engine, io.BytesIO(exported.getvalue()), lambda done: None)
    with sqlite3.connect(tmp_path / "whole.db") as database:
        database.execute("ATTACH ? AS before", (str(before),))
        database.execute("INSERT INTO vault_keys SELECT * FROM before.vault_keys")
        database.execute("INSERT INTO vault_openings SELECT * FROM before.vault_openings")
    database.close()
    assert whole.engine.store.vault.streams() == {f"person-{awa}", f"person-{issa}"}
    assert forget_again(whole.engine) == 1
    assert forget_again(whole.engine) == 0
    assert whole.shown(issa)["name"] == "Issa"
    assert whole.engine.store.vault.openings(stream=f"person-{awa}") == []  # type: ignore[arg-type]
    assert len(whole.engine.store.vault.openings(log=LOG)) == 3
    whole.engine.close()


def test_a_backup_holds_the_vault_and_what_follows_it_is_forgotten_again(town: Town, tmp_path: Path) -> None:
    awa, issa = town.record(), town.record(replace(AWA, name="Issa"))
    backup(town.engine.store, tmp_path / "monday.zip")
    with ZipFile(tmp_path / "monday.zip") as archive:
        content = b"".join(map(archive.read, archive.namelist()))
    assert b"Issa" not in content
    assert not [form for secret in SECRETS for form in forms(secret) if form in content]
    town.forget(awa)
    exported = io.BytesIO()
    export(town.engine, exported)  # type: ignore[arg-type]
    again = Town(f"sqlite:///{tmp_path}/again.db", town.key)
    restore(again.engine.store, tmp_path / "monday.zip")
    assert again.shown(awa)["name"] == AWA.name, "a backup is what was then"
    again.engine.close()

    again = Town(f"sqlite:///{tmp_path}/once-more.db", town.key)
    restore(again.engine.store, tmp_path / "monday.zip")
    gone = vault_bytes(again, "vault_keys.wrapped")
    import_(again.engine, io.BytesIO(exported.getvalue()), lambda done: None, follow_on=True)
    assert again.engine.store.vault.streams() == {f"person-{issa}"}
    assert found(gone - vault_bytes(again, "vault_keys.wrapped"), files(again)) == []
    assert forget_again(again.engine) == 0
    assert again.shown(issa)["name"] == "Issa"
    again.engine.close()


def test_an_answer_that_was_lost_brings_nobody_back(postgres_url: str, key: Path) -> None:
    """The commit is done, its answer is not: asked again, the key is known, and the person forgotten meanwhile."""
    town, other = Town(postgres_url, key).founded(), Town(postgres_url, key)
    writer = town.engine.store._writer  # type: ignore[attr-defined]
    call = writer._call

    def loses(group: Sequence[Append]) -> Sequence[object]:
        call(group)
        writer._call = call
        other.forget(PersonId("p-1"))
        raise psycopg.OperationalError("the answer is lost")

    writer._call = loses
    assert town.record(replace(AWA, person="p-1")) == "p-1"
    assert town.engine.store.vault.streams() == set()
    assert len(town.leaves()) == 4
    other.engine.close()
    town.engine.close()
