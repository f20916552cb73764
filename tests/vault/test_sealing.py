"""What is personal is in the vault, encrypted, and a digest of it in the leaf; and nowhere else."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from base64 import b64encode
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from cycle.access import Forbidden
from cycle.aggregates.base import By, Recorded, Refused, Role
from cycle.aggregates.commune import AddAlias
from cycle.aggregates.person import AmendPerson, PersonRecorded, RecordPerson
from cycle.aggregates.personal import without_personal
from cycle.aggregates.terms import PersonField, PersonId, Purpose
from cycle.codec import new_leaf
from cycle.commands import Said
from cycle.contracts import frozen
from cycle.leaf import LeafError, check_leaf
from cycle.projections.all import PROJECTIONS
from cycle.proofs.disclosure import Opening, digest
from cycle.reading import Filters, Reader
from cycle.store import KeyReused
from cycle.vault.keys import VaultError, new_key, read_key
from cycle.vault.people import Shown, disclose, openings
from cycle.vault.sealing import _bound
from cycle_adapters.files.events import BadLine, export, import_
from tests.leaf.chance import PIECES
from tests.people import admit
from tests.vault.files import files, found
from tests.vault.town import AWA, DAY, DIORO, LOG, MAYOR, SECRETS, Town

HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=20).map(
    lambda pieces: unicodedata.normalize("NFC", "".join(pieces).replace("\x00", ""))[:200]
)
"""Whatever somebody may be called, as a command has it: in NFC."""


def sealed_in(leaf: bytes) -> list[str]:
    return list(json.loads(leaf).get("sealed", ()))


def test_a_leaf_has_digests_and_a_reader_who_may_see_has_values(town: Town) -> None:
    person = town.record()
    leaf = town.leaves()[-1]
    check_leaf(leaf)
    said = json.loads(leaf)
    assert said["data"] == {"commune": DIORO, "fields": ["name", "telephone", "function"], "person": person}
    assert len(said["sealed"]) == 3
    assert said["sealed"] == sorted(said["sealed"])
    assert town.shown(person) == dict(zip(("name", "telephone", "function"), SECRETS, strict=True))


def test_auditor_and_data_protection_officer_see_what_falls_to_them_and_it_is_recorded(town: Town) -> None:
    person = town.record()
    auditor, officer = By("auditor", Role.AUDITOR), By("officer", Role.DATA_PROTECTION)
    with pytest.raises(Refused, match="role-may-not"):
        disclose(town.engine, auditor, person, Purpose.AUDITING)
    assert disclose(town.engine, officer, person, Purpose.OWN_REQUEST).values["name"] == AWA.name
    assert [len(openings(town.engine, LOG, by).lines) for by in (officer, auditor)] == [3, 3]
    told = [json.loads(leaf) for leaf in town.leaves(None)[-3:]]
    assert [(one["type"], one["by"]["actor"]) for one in told] == [
        ("person-disclosed", "officer"),
        ("people-disclosed", "officer"),
        ("people-disclosed", "auditor"),
    ]


def test_that_values_were_shown_is_recorded_before_they_are(town: Town) -> None:
    person = town.record()
    town.shown(person)
    town.opened()
    one, all_of_them = (json.loads(leaf) for leaf in town.leaves(None)[-2:])
    assert (one["type"], one["log"], one["by"]["actor"]) == ("person-disclosed", "platform", MAYOR.actor)
    assert one["data"]["fields"] == ["name", "telephone", "function"]
    assert (all_of_them["type"], all_of_them["data"]["people"]) == ("people-disclosed", 1)


def test_every_digest_opens_with_its_opening_and_with_no_other(town: Town) -> None:
    for n in range(8):
        town.record(replace(AWA, name=f"Personne {n // 2}"))
    leaves, opened = town.leaves(), town.opened()
    assert len(opened) == 24
    places = [(index, found) for index, leaf in enumerate(leaves) for found in sealed_in(leaf)]
    matches = [(place, opening) for place, opening in product(places, opened) if digest(opening[1]) == place[1]]
    assert len(matches) == len(places) == 24
    assert all(place[0] == opening[0] for place, opening in matches)


def test_the_same_name_twice_has_two_digests_and_nobody_finds_either_by_trying(town: Town) -> None:
    town.record()
    town.record()
    first, second = (set(sealed_in(leaf)) for leaf in town.leaves()[-2:])
    assert not first & second
    for value, field in zip(SECRETS, PersonField, strict=True):
        guesses = [value, json.dumps([f"data.{field}", value]), json.dumps(["", f"data.{field}", value])]
        guesses += [Opening(salt, f"data.{field}", value).disclosure() for salt in (bytes(32), b"\xff" * 32)]
        assert not {digest(guess) for guess in guesses} & (first | second)


def test_the_digest_of_a_command_is_kept_for_ever_and_says_nothing_of_a_number(town: Town) -> None:
    town.record(key="k-1")
    with town.engine.store.database.connect() as connection:
        kept = {bytes(row[0]) for row in connection.execute(text("SELECT digest FROM receipts"))}
    other = replace(AWA, name="X", telephone="000", function="Y")
    said = [Said(command=command, by=MAYOR, on=DAY) for command in (AWA, other)]
    assert said[0].digest == said[1].digest, "nothing of the values is in it"
    assert Said(command=replace(AWA, telephone=None), by=MAYOR, on=DAY).digest != said[0].digest
    assert kept


def test_a_key_that_comes_again_answers_the_same_and_other_values_are_told_from_it(town: Town) -> None:
    first = town.say(AWA, key="k-1")
    assert town.say(AWA, key="k-1") == first
    with pytest.raises(KeyReused):
        town.say(replace(AWA, telephone="+223 76 12 34 57"), key="k-1")
    named = replace(AWA, person="p-7")
    second = town.say(named, key="k-2")
    assert town.say(named, key="k-2") == second
    with pytest.raises(KeyReused):
        town.say(replace(named, name="Awa Traoré"), key="k-2")
    town.amend(PersonId("p-7"), AmendPerson(name="Awa Diarra"))
    assert town.say(named, key="k-2") == second, "what is no longer kept cannot be compared"
    assert len(town.leaves()) == 4


def test_several_in_one_save_share_the_key_of_their_person(town: Town) -> None:
    saids = [
        Said(command=replace(AWA, person="p-1"), by=MAYOR, on=DAY),
        Said(command=AmendPerson(name="Awa Diarra"), by=MAYOR, on=DAY, target="p-1"),
    ]
    receipt = town.engine.execute_all(saids, "together")
    assert town.shown(PersonId("p-1"))["name"] == "Awa Diarra"
    assert len(receipt.events) == 2
    amended = [replace(saids[1], command=AmendPerson(name=name)) for name in ("Awa Keita", "Awa Diallo")]
    again = town.engine.execute_all(amended, "once more")
    assert town.engine.execute_all(amended, "once more") == again
    with pytest.raises(KeyReused):
        town.engine.execute_all([amended[0], replace(amended[1], command=AmendPerson(name="Issa"))], "once more")
    assert town.shown(PersonId("p-1"))["name"] == "Awa Diallo"


def test_what_is_amended_or_withdrawn_is_no_longer_kept(town: Town) -> None:
    person = town.record()
    before = dict(town.opened())
    town.amend(person, AmendPerson(telephone="+223 66 00 00 00", withdrawn=(PersonField.FUNCTION,)))
    assert town.shown(person) == {"name": SECRETS[0], "telephone": "+223 66 00 00 00"}
    assert before
    held = [json.dumps(Opening.parse(disclosure).value) for _, disclosure in town.opened()]
    assert not any(secret in each for each in held for secret in SECRETS[1:])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(HOSTILE.filter(str.strip), HOSTILE.filter(str.strip))
def test_whatever_somebody_is_called_is_kept_as_it_is_and_stays_out_of_the_leaf(
    tmp_path_factory: pytest.TempPathFactory, name: str, function: str
) -> None:
    folder = tmp_path_factory.mktemp("town")
    new_key(folder / "vault.key")
    town = Town(f"sqlite:///{folder}/a.db", folder / "vault.key").founded()
    person = town.record(RecordPerson(commune=DIORO, name=name, function=function))
    assert town.shown(person) == {"name": name, "function": function}
    leaf = json.loads(town.leaves()[-1])
    assert set(leaf["data"]) == {"commune", "fields", "person"}
    for value in (name, function):
        if len(value) > 3:
            assert value not in json.dumps(leaf, ensure_ascii=False)
    town.engine.close()


def test_what_no_leaf_could_hold_no_opening_holds_either(town: Town) -> None:
    for wrong in ("Awa\x00", "Awa Traore\u0301", "\ud800"):
        with pytest.raises(LeafError) as caught:
            town.record(replace(AWA, name=wrong))
        assert "Awa" not in str(caught.value)
    assert len(town.leaves()) == 1


def test_nothing_personal_is_in_projections_receipts_exports_or_the_log_of_the_program(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        receipt = town.say(AWA)
        person = PersonId(receipt.stream.partition("-")[2])
        town.amend(person, AmendPerson(function="présidente"))
        reader = Reader(town.engine, "auditor")
        reader.catch_up()
        assert reader.runner.problems() == {}
        rows = [repr(reader.rows(name, Filters())) for name in PROJECTIONS]
        exported = io.BytesIO()
        export(town.engine, exported)  # type: ignore[arg-type]
    told = [
        repr(receipt),
        repr(AWA),
        repr(Shown(person, dict(zip(PersonField, SECRETS, strict=True)))),
        *rows,
        exported.getvalue().decode(),
        *map(repr, reader.facts()),
    ]
    told += [record.getMessage() for record in caplog.records]
    for secret in SECRETS:
        assert not [each for each in told if secret in each]


def test_a_personal_value_that_was_not_taken_out_makes_no_leaf() -> None:
    fact = PersonRecorded(PersonId("p-1"), DIORO, (PersonField.NAME,), "Awa")
    envelope = Recorded(
        by=MAYOR, causation="k", command="record-person", correlation="k", data=fact, id="e", log=LOG,
        occurred_on=DAY, recorded_at=None, schema=1, stream="person-p-1", type=fact.type, version=1,
    )  # type: ignore[arg-type]  # fmt: skip
    with pytest.raises(LeafError, match="a personal value would stand in the log for ever") as caught:
        new_leaf(envelope)
    assert "Awa" not in str(caught.value)
    assert new_leaf(replace(envelope, data=without_personal(fact)))


def test_the_schema_of_a_fact_has_no_personal_fields() -> None:
    for kind, name in (("person-recorded", "PersonRecorded"), ("person-amended", "PersonAmended")):
        shape = json.loads(frozen()[kind, 1])["$defs"][name]
        assert not {"name", "telephone", "function"} & set(shape["properties"])
        assert shape["additionalProperties"] is False


# What somebody does who can write to the database.


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE vault_openings SET sealed = (SELECT sealed FROM vault_openings WHERE stream = :b AND field = 'name')"
        " WHERE stream = :a AND field = 'name'",
        "UPDATE vault_openings SET sealed = (SELECT sealed FROM vault_openings WHERE stream = :a AND field = 'name')"
        " WHERE stream = :a AND field = 'telephone'",
        "UPDATE vault_openings SET event = (SELECT event FROM vault_openings WHERE stream = :b AND field = 'name')"
        " WHERE stream = :a",
        "UPDATE vault_openings SET log = 'ML-1' WHERE stream = :a",
        "UPDATE vault_keys SET wrapped = (SELECT wrapped FROM vault_keys WHERE stream = :b) WHERE stream = :a",
        "UPDATE vault_keys SET log = 'ML-1' WHERE stream = :a",
    ],
)
def test_an_opening_opens_in_its_own_place_only(town: Town, change: str) -> None:
    first, second = town.record(), town.record(replace(AWA, name="Issa"))
    with town.engine.store.database.begin() as connection:
        connection.execute(text(change), {"a": f"person-{first}", "b": f"person-{second}"})
    before = len(town.leaves(None))
    with pytest.raises(VaultError, match="changed or damaged") as caught:
        town.shown(first)
    assert len(town.leaves(None)) == before, "nothing was shown"
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert town.shown(second)["name"] == "Issa"


@pytest.mark.parametrize("field", ["name", "telephone"])
def test_a_value_that_is_not_the_leafs_is_not_shown_even_under_the_right_key(town: Town, field: str) -> None:
    """Whoever has the database and the key can make an opening; the leaf says that it is another, or of what."""
    person = town.record()
    vault, store = town.engine.vault, town.engine.store
    kept = {each.opening.field: each for each in store.vault.openings(log=LOG)}
    held, other = kept["name"], vault.opened(kept["telephone"])
    secret = vault.outside_key.unwrapped(held.key)
    forged = other if field == "telephone" else Opening(bytes(32), "data.name", "Somebody Else")
    nonce = bytes(12)
    sealed = nonce + AESGCM(secret).encrypt(nonce, forged.disclosure().encode(), _bound(held.opening))
    with store.database.begin() as connection:
        connection.execute(text("UPDATE vault_openings SET sealed = :sealed WHERE field = 'name'"), {"sealed": sealed})
    with pytest.raises(VaultError, match="changed or damaged"):
        town.shown(person)


def test_whoever_takes_the_database_without_the_key_takes_noise(database_url: str, key: Path) -> None:
    """Neither salts nor the keys of people are in a file of it; the key that opens them is elsewhere."""
    drawn: list[bytes] = []

    def noted(size: int) -> bytes:
        drawn.append(sha256(b"%d" % len(drawn)).digest()[:size])
        return drawn[-1]

    town = Town(database_url, key, random_bytes=noted).founded()
    town.record()
    secrets = [each for each in drawn if len(each) == 32]
    assert len(secrets) == 4, "three salts and the key of one person"
    assert found([form for each in secrets for form in (each, each.hex().encode(), b64encode(each))], files(town)) == []
    assert found([each for each in drawn if len(each) == 12], files(town)), "the scan finds what is there"
    town.engine.close()


def test_an_ordinary_save_has_not_one_statement_more(sqlite_url: str, key: Path) -> None:
    town = Town(sqlite_url, None).founded()
    said: list[str] = []
    town.engine.store._writer._connection.set_trace_callback(said.append)  # type: ignore[attr-defined]
    town.say(AddAlias(alias="Djoro"), DIORO)
    assert [each.split()[0] for each in said] == ["BEGIN", "SELECT", "INSERT", "INSERT", "COMMIT"], (
        "where log, stream and accounts stand; the receipt; the events"
    )
    assert not [each for each in said if "vault" in each]
    town.engine.close()


# The key outside the database.


def test_without_a_key_nothing_personal_is_taken_and_the_rest_goes_on(database_url: str, tmp_path: Path) -> None:
    town = Town(database_url, None).founded()
    with pytest.raises(VaultError, match=r"cycle vault new-key FILE.*CYCLE_VAULT_KEY") as caught:
        town.record()
    assert "\n" not in str(caught.value)
    assert len(town.leaves()) == 1
    town.engine.close()


def test_a_key_of_another_vault_is_told_apart(town: Town, tmp_path: Path) -> None:
    person = town.record()
    new_key(tmp_path / "other.key")
    other = town.again(tmp_path / "other.key")
    for ask in (lambda: other.shown(person), lambda: other.amend(person, AmendPerson(name="A")), other.opened):
        with pytest.raises(VaultError, match=r"does not open this vault, .*rewrap --old"):
            ask()
    assert other.forget(person), "to forget takes no key"
    other.engine.close()


def test_a_vault_goes_over_to_a_new_key(town: Town, key: Path, tmp_path: Path) -> None:
    people = [town.record(replace(AWA, name=f"Personne {n}")) for n in range(5)]
    new_key(tmp_path / "new.key")
    new = town.again(tmp_path / "new.key")
    later = new.record(replace(AWA, name="Personne 5"))
    assert new.engine.vault.rewrap(read_key(key)) == 5
    assert new.engine.vault.rewrap(read_key(key)) == 0
    assert [new.shown(person)["name"] for person in [*people, later]] == [f"Personne {n}" for n in range(6)]
    old = new.again(key)
    with pytest.raises(VaultError, match="does not open this vault"):
        old.shown(people[0])
    old.engine.close()


def test_a_log_that_was_imported_has_no_openings_and_takes_new_ones(town: Town, tmp_path: Path, key: Path) -> None:
    person = town.record()
    exported = io.BytesIO()
    export(town.engine, exported)  # type: ignore[arg-type]
    copy = Town(f"sqlite:///{tmp_path}/copy.db", key)
    import_(copy.engine, io.BytesIO(exported.getvalue()), lambda done: None)
    with pytest.raises(Refused, match="nothing-to-disclose"):
        copy.shown(person)
    copy.amend(person, AmendPerson(name="Awa Diarra"))
    assert copy.shown(person) == {"name": "Awa Diarra"}
    copy.engine.close()


def test_a_log_with_a_personal_value_in_it_is_not_taken_in(town: Town, tmp_path: Path) -> None:
    town.record()
    lines = town.leaves(None)
    lines[-1] = lines[-1].replace(b'"person":', b'"name":"Awa","person":')
    check_leaf(lines[-1])
    copy = Town(f"sqlite:///{tmp_path}/copy.db", None)
    with pytest.raises(BadLine, match=rf"line {len(lines)}: .*a personal value would stand in the log for ever"):
        import_(copy.engine, io.BytesIO(b"".join(line + b"\n" for line in lines)), lambda done: None)
    copy.engine.close()


def test_salts_and_keys_come_from_the_randomness_that_was_handed_in(sqlite_url: str, key: Path) -> None:
    drawn: list[int] = []

    def counted(size: int) -> bytes:
        drawn.append(size)
        return sha256(b"%d" % len(drawn)).digest()[:size]

    town = Town(sqlite_url, key, random_bytes=counted).founded()
    town.record()
    assert sorted(drawn) == [12, 12, 12, 12, 32, 32, 32, 32], "three salts and a key; a nonce for each ciphertext"
    town.engine.close()


def test_who_is_mayor_elsewhere_is_shown_nobody(sqlite_url: str, key: Path) -> None:
    town = Town(sqlite_url, key).founded()
    admit(town.engine, ("here", Role.MAYOR, "ML/Ségou"), ("elsewhere", Role.MAYOR, "ML/Koulikoro"))
    person = town.record()
    here, elsewhere = By("here", Role.MAYOR), By("elsewhere", Role.MAYOR)
    assert disclose(town.engine, here, person, Purpose.CONTACT).values["name"] == AWA.name
    assert openings(town.engine, LOG, here).people == 1
    with pytest.raises(Forbidden):
        disclose(town.engine, elsewhere, person, Purpose.CONTACT)
    with pytest.raises(Forbidden):
        openings(town.engine, LOG, elsewhere)
    town.engine.close()
