"""``cycle seal``. Its help is in the catalogue."""

from __future__ import annotations

import signal
from pathlib import Path

import click
import msgspec

from cycle.catalogue import text, verbatim
from cycle.engine import utc_now
from cycle.proofs.note import SigningKey
from cycle.reading import opened
from cycle.sealing import CannotSeal, continues
from cycle.settings import Settings
from cycle_adapters.sealing.asking import damage_first
from cycle_adapters.sealing.beside import Work, told
from cycle_adapters.sealing.disk import explained, new_folder, publish
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sealing.sealer import Sealer
from cycle_adapters.sealing.settings import (
    A_PATH,
    first_use,
    key_option,
    new_key,
    seals_of,
    seals_option,
    signing_key,
)


@click.command()
@seals_option
@key_option
@click.option("--once", is_flag=True)
@click.option("--new-key", "name", metavar="NAME")
@click.option("--continue-from", "old", metavar="FOLDER", type=A_PATH)
@click.pass_obj
def seal(
    settings: Settings, seals: Path | None, key_file: Path | None, once: bool, name: str | None, old: Path | None
) -> None:
    """Sign what is recorded, every minute or once."""
    if name is not None:
        key, path = new_key(name, key_file)
        if settings.json:
            click.echo(msgspec.json.encode({"verifier_key": str(key), "path": str(path)}))
        else:
            click.echo(verbatim("message.key-made", settings.language, path=str(path), key=str(key)))
        return
    signing = signing_key(key_file)
    folder = Folder(seals_of(settings.database, seals))
    with opened(settings.database) as engine, folder.locked():
        with damage_first(lambda: verify_live(engine.store, Sealed(None if folder.is_new else folder))):
            engine.act(settings.actor, "seal")
        if old is not None:
            begin_anew(folder, Folder(old), signing)
        assert key_file is not None
        with first_use(key_file, folder):
            sealer = Sealer(engine.store, folder, signing, utc_now)
        if not once:
            work = Work(engine.store, sealer, told(settings.language))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: work.stop())
            work.run()
            return
        done = sealer.seal(whole=True)
    if settings.json:
        click.echo(msgspec.json.encode(done._asdict()))
    else:
        click.echo(text("message.sealed", settings.language, count=len(done.grown), position=done.position))


def begin_anew(folder: Folder, old: Folder, key: SigningKey) -> None:
    """Make a new folder whose checkpoints name the last ones of another, under another name: never a fork.

    Raises:
        CannotSeal: the folder is not new, or the key has the old name, under which only the old log goes on.
    """
    if not folder.is_new:
        raise CannotSeal("not-new").about(folder.path)
    if old.key.name == key.verifier.name:
        raise CannotSeal("same-name", name=key.verifier.name)
    lines = {}
    for log in (None, *old.published()):
        last = old.checkpoint(log)
        if last is not None:
            lines[log or ""] = continues(last)
    with explained(folder.path):
        publish(new_folder(folder.path) / "continues", msgspec.json.encode(lines))
