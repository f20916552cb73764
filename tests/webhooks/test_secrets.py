"""A webhook's secret stands sealed in its table and nowhere else; no backup takes it; it follows the vault's key."""

from __future__ import annotations

import base64
import io
import logging
from pathlib import Path
from zipfile import ZipFile

import pytest

from cycle.catalogue import LANGUAGES
from cycle.vault.keys import VaultError, new_key, read_key
from cycle.webhooks.endpoints import CannotSign
from cycle_adapters.files.backup import backup
from cycle_adapters.files.events import export
from tests.vault.files import files, found
from tests.webhooks.town import DHIS, Town


def forms(secret: str) -> list[bytes]:
    """How a secret would look."""
    bare = base64.b64decode(secret.removeprefix("whsec_"))
    return [secret.encode(), secret.removeprefix("whsec_").encode(), bare, bare.hex().encode()]


def test_no_file_holds_a_secret(town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = town.registered()
    secrets = [made.secret, town.webhooks.rotate(DHIS, made.webhook).secret]
    town.happens(town.dioro)
    town.rounds()
    stream = io.BytesIO()
    export(town.engine, stream)  # type: ignore[arg-type]
    (tmp_path / "events.jsonl").write_bytes(stream.getvalue())
    backup(town.engine.store, tmp_path / "a.backup", lambda done, of: None)
    with ZipFile(tmp_path / "a.backup") as archive:
        assert not any("webhook" in name for name in archive.namelist())
    needles = [form for secret in secrets for form in forms(secret)]
    among = [*files(town), tmp_path / "events.jsonl", tmp_path / "a.backup"]  # type: ignore[arg-type]
    assert found(needles, among) == []
    assert found([b"webhook-registered"], among), "the scan finds what is there"
    assert not any(secret in caplog.text for secret in secrets)
    assert made.secret not in repr(made)


def test_a_new_key_of_the_vault_seals_them_anew(town: Town, tmp_path: Path) -> None:
    made = town.registered(types=("document-attached",))
    assert town.key is not None
    old = read_key(town.key)
    new_key(tmp_path / "new.key")
    turned = Town(town.url, tmp_path / "new.key", town.receiver, town.now)
    with pytest.raises(VaultError, match=old.id):
        turned.webhooks.signing(made.webhook)
    turned.engine.vault.rewrap(old)
    town.happens(town.dioro)
    turned.rounds()
    assert town.receiver.sent[0].signed_by(made.secret)
    turned.close()


def test_a_secret_opens_for_no_other_webhook(town: Town) -> None:
    one, two = town.registered(), town.registered()
    store = town.webhooks.store
    [kept] = store.secrets(one.webhook)
    store.forget(two.webhook)
    store.keep_secret(two.webhook, kept, town.now)
    with pytest.raises(VaultError):
        town.webhooks.signing(two.webhook)


def test_without_a_secret_nothing_is_sent_and_why_is_said(town: Town) -> None:
    """As after a restore: rotating makes one, and what waited is sent."""
    made = town.registered(types=("document-attached",))
    [position] = town.happens(town.dioro)
    town.webhooks.store.forget(made.webhook)
    with pytest.raises(CannotSign) as caught:
        town.rounds()
    assert all("cycle webhook rotate" in caught.value.told(language) for language in LANGUAGES)
    assert town.delivery(made.webhook, position).attempts == 0
    again = town.webhooks.rotate(DHIS, made.webhook)
    town.rounds()
    assert town.receiver.sent[0].signed_by(again.secret)
