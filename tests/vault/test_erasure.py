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

from cycle.aggregates.base import By, Refused, Role
from cycle.aggregates.person import AmendPerson, PersonErased
from cycle.aggregates.terms import ErasureReason, PersonId
from cycle.store import Append
from cycle.vault.people import forget_again
from cycle_adapters.files.events import export, import_
from tests.files.everything import backup, restore
from tests.vault.files import files, forms, found
from tests.vault.town import AWA, ISSA, LOG, MOUSSA, SECRETS, Town

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


@pytest.mark.usefixtures("careless")
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
    request = town.request(person)
    assert town.shown(person)["name"] == AWA.name, "asking alone destroys nothing"
    town.confirm(request)
    assert town.engine.store.vault.streams() == set()
    for ask in (
        lambda: town.shown(person),
        lambda: town.amend(person, AmendPerson(name="Awa")),
        lambda: town.record(replace(AWA, name="Issa", person=person)),
    ):
        with pytest.raises(Refused, match=r"person-forgotten|nothing-to-disclose"):
            ask()


def test_a_confirmation_that_is_sent_again_has_the_same_receipt_and_a_second_one_is_told(town: Town) -> None:
    request = town.request(town.record())
    with pytest.raises(Refused, match="second-person"):
        town.confirm(request, By("fanta", Role.COUNCIL_SECRETARY))
    with pytest.raises(Refused, match="second-person"):
        town.confirm(request, replace(MOUSSA, on_behalf_of="Fanta"))
    first = town.confirm(request, key="k")
    size = len(town.leaves())
    assert town.confirm(request, key="k") == first
    for by in (MOUSSA, ISSA):
        with pytest.raises(Refused, match="request-confirmed"):
            town.confirm(request, by)
    assert len(town.leaves()) == size


def test_who_asked_and_who_confirmed_stand_in_the_fact(town: Town) -> None:
    person = town.record()
    receipt = town.forget(person)
    assert receipt.stream == f"person-{person}"
    confirmed, erased = (town.engine.states.history(line.stream)[-1] for line in receipt.events)  # type: ignore[attr-defined]
    assert (confirmed.type, confirmed.by) == ("act-confirmed", MOUSSA)
    assert (erased.type, erased.by) == ("person-erased", By("fanta", Role.FACILITATOR))
    assert erased.data == PersonErased(person, "fanta", "moussa", ErasureReason.OWN_REQUEST)


def test_who_is_forgotten_is_not_forgotten_once_more(town: Town) -> None:
    person = town.record()
    first, second = town.request(person), town.request(person)
    town.confirm(first)
    with pytest.raises(Refused, match="person-forgotten"):
        town.confirm(second)
    with pytest.raises(Refused, match="person-forgotten"):
        town.request(person)
    assert sum(b'"type":"person-erased"' in leaf for leaf in town.leaves()) == 1


def test_whoever_confirms_an_erasure_needs_the_right_to_it(town: Town) -> None:
    request = town.request(town.record())
    for by in (By("auditor", Role.AUDITOR), By("fanta", Role.PROGRAMME)):
        with pytest.raises(Refused, match="role-may-not"):
            town.confirm(request, by)
    assert town.confirm(request, By("officer", Role.DATA_PROTECTION))


def test_of_confirmations_at_once_one_is_recorded_and_all_are_answered(town: Town) -> None:
    other = Town(town.url, town.key)
    for n in range(10):
        request = town.request(town.record(replace(AWA, person=f"p-{n}")))
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(which.confirm, request, by) for which in (town, other) for by in (MOUSSA, ISSA)]
            answers = [each.exception(60) or "receipt" for each in asked]
        assert sorted(map(_code, answers)) == ["receipt", *["request-confirmed"] * 3]
    assert sum(b'"type":"person-erased"' in leaf for leaf in town.leaves()) == 10
    assert town.engine.store.vault.streams() == set()
    other.engine.close()


def _code(answer: object) -> str:
    return answer.findings[0].code if isinstance(answer, Refused) else str(answer)


def test_an_amendment_and_an_erasure_at_once_leave_nothing_behind(town: Town) -> None:
    for n in range(10):
        person = town.record(replace(AWA, person=f"p-{n}"))
        request = town.request(person)
        with ThreadPoolExecutor(2) as pool:
            amended = pool.submit(town.amend, person, AmendPerson(name="Awa Diarra"))
            erased = pool.submit(town.confirm, request)
        assert erased.result(60)
        assert amended.exception() is None or isinstance(amended.exception(), Refused)
    assert town.engine.store.vault.streams() == set()


def forget_until_killed(url: str, key: Path, requests: dict[PersonId, str], told: Connection) -> None:
    """Forgets one after the other; says which as soon as it is done."""
    town = Town(url, key)
    told.send(os.getpid())
    for person, request in requests.items():
        town.confirm(request)
        told.send(person)


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_whoever_is_killed_while_forgetting_has_forgotten_whole_people(town: Town, after: int) -> None:
    people = [town.record(replace(AWA, person=f"p-{n}")) for n in range(30)]
    requests = {person: town.request(person) for person in people}
    assert town.key is not None
    gone = vault_bytes(town, "vault_keys.wrapped")
    hears, tells = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=forget_until_killed, args=(town.url, town.key, requests, tells), daemon=True)
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
    erased = {person for person in people if again.engine.states.load(*_person(person)).erased}
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


@pytest.mark.usefixtures("careless")
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
    gone = vault_bytes(whole, "vault_keys.wrapped", "vault_openings.sealed")
    assert forget_again(whole.engine) == 1
    assert forget_again(whole.engine) == 0
    gone -= vault_bytes(whole, "vault_keys.wrapped", "vault_openings.sealed")
    assert len(gone) == 4
    assert found(gone, files(whole)) == []
    assert whole.shown(issa)["name"] == "Issa"
    assert whole.engine.store.vault.openings(stream=f"person-{awa}") == []  # type: ignore[arg-type]
    assert len(whole.engine.store.vault.openings(log=LOG)) == 3
    whole.engine.close()


@pytest.mark.usefixtures("careless")
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
    assert len(town.leaves()) == 5
    other.engine.close()
    town.engine.close()
