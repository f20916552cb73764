"""No secret stands in a file of the database, in its write-ahead log, in an export, a backup, a log or a traceback."""

from __future__ import annotations

import io
import logging
import traceback
from pathlib import Path

import pytest

from cycle.identity.failures import IdentityRefused, NotSignedIn
from cycle.identity.secrets import digest_of
from cycle.identity.shapes import Stage
from cycle_adapters.files.backup import backup
from cycle_adapters.files.events import export
from tests.identity.house import DHIS, FANTA, HERE, KADI, OTHER, OUSMANE, PASSWORD, House, made_key
from tests.vault.files import files, forms, found


def lived(house: House) -> list[str]:
    """Everything is done that has a secret; returns them all."""
    invitation = house.credentials.invite(KADI, OUSMANE)
    first = house.sessions.accept(invitation, PASSWORD, HERE)
    second = house.sessions.change_password(first.id, PASSWORD, OTHER, HERE)
    house.with_password(FANTA)
    step = house.enters(FANTA)
    secret = house.credentials.offered(step.id)
    inside, codes = house.sessions.set_up(step.id, house.code(secret), HERE)
    again = house.later(60).enters(FANTA)
    assert again.stage is Stage.CODE
    last = house.sessions.with_code(again.id, codes[0], HERE)
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    house.sessions.by_token(str(token))
    house.is_refused("a password in the wrong field")
    plain = [code.replace("-", "") for code in codes]
    ids = [first.id, second.id, step.id, inside.id, again.id, last.id]
    return [
        PASSWORD, OTHER, "a password in the wrong field", invitation, *ids, *codes, *plain, str(token), token.secret,
        secret.hex(),
    ]  # fmt: skip


def kept(house: House, tmp_path: Path) -> list[Path]:
    """Every file that there is of it: the database's, an export, a backup."""
    events, archive = tmp_path / "events.jsonl", tmp_path / "a.backup"
    stream = io.BytesIO()
    export(house.engine, stream)  # type: ignore[arg-type]
    events.write_bytes(stream.getvalue())
    backup(house.engine.store, archive, lambda done, of: None)
    return [*files(house), events, archive]  # type: ignore[arg-type]


def test_no_file_holds_a_secret(house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = lived(house)
    needles = [form for secret in secrets for form in forms(secret)]
    among = kept(house, tmp_path)
    assert found(needles, among) == []
    assert found([b"password-set", digest_of(secrets[5])], among), "the scan finds what is there"
    assert not any(secret in caplog.text for secret in secrets)
    house.engine.close()
    assert found(needles, among) == []


def test_a_backup_takes_nothing_of_who_signs_in(house: House, tmp_path: Path) -> None:
    lived(house)
    backup(house.engine.store, tmp_path / "a.backup", lambda done, of: None)
    from zipfile import ZipFile

    with ZipFile(tmp_path / "a.backup") as archive:
        assert not any("identity" in name for name in archive.namelist())
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"$argon2id$" not in content


@pytest.mark.usefixtures("careless")
def test_what_is_ended_is_overwritten(sqlite_url: str, tmp_path: Path) -> None:
    """PostgreSQL keeps what it wrote until it vacuums: docs/signing-in.md."""
    house = House(sqlite_url, made_key(tmp_path)).begun().with_password()
    begun = house.enters()
    digest = digest_of(begun.id)
    house.sessions.sign_out(begun.id)
    house.engine.close()
    assert found([digest], files(house)) == []  # type: ignore[arg-type]


def test_no_traceback_quotes_a_password(house: House) -> None:
    house.with_password()
    for asked in (
        lambda: house.enters(password="le mot de passe tapé"),
        lambda: house.credentials.set_password(OUSMANE, OUSMANE, "trop court"),
        lambda: house.sessions.by_token("cyc_un_jeton_tapé"),
    ):
        with pytest.raises((NotSignedIn, IdentityRefused)) as caught:
            asked()
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caught.value.told("fr")
        said = "".join(line for line in told.splitlines() if not line.strip().startswith(("lambda", "asked")))
        assert not any(secret in said for secret in ("le mot de passe tapé", "trop court", "un_jeton_tapé"))
