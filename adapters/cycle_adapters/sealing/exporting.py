"""``cycle export bundle`` and ``cycle export checkpoint``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from cycle.aggregates.acts import BundleExported
from cycle.aggregates.base import PLATFORM, LogName
from cycle.catalogue import text, verbatim
from cycle.engine import Engine
from cycle.leaf import leaf_hash
from cycle.proofs.audit import Broken
from cycle.proofs.bundle import WouldNotVerify, write_bundle
from cycle.proofs.note import Note
from cycle.reading import Reader, opened
from cycle.sealing import CannotSeal
from cycle.settings import Settings
from cycle.store import LogRecorder
from cycle_adapters.sealing.asking import damage_first
from cycle_adapters.sealing.disk import publish
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.settings import A_PATH, seals_of, seals_option


@click.command()
@click.option("--commune", metavar="NAME", required=True)
@click.option("--to", metavar="PATH", type=A_PATH, required=True)
@click.option("--witnessed", metavar="FOLDER", type=A_PATH, multiple=True)
@seals_option
@click.pass_obj
def bundle(settings: Settings, commune: str, to: Path, witnessed: tuple[Path, ...], seals: Path | None) -> None:
    """Write one log with its proofs: the events that are sealed, and what it takes to check them anywhere."""
    folder = Folder(seals_of(settings.database, seals))
    with opened(settings.database) as engine:
        log = log_of(engine, commune, settings.actor)
        sealed = folder.sealed(log, cosigned(folder, log, witnessed))
        if sealed is None:
            raise CannotSeal("not-sealed", log=log)
        size = folder.opened(log, sealed.checkpoint).size
        since = engine.store.log_size(log) - size
        with damage_first(lambda: list(as_sealed(engine.store, folder, log, size))):
            # Recorded before the first byte leaves.
            engine.act(settings.actor, "export-bundle", log, BundleExported(log, size))
        try:
            manifest = write_bundle(to, sealed, as_sealed(engine.store, folder, log, size))
        except FileExistsError as error:
            raise CannotSeal("exists").about(to) from error
        except WouldNotVerify as error:
            raise Broken("shrunk", log, engine.store.log_size(log), None, size=size) from error
    if settings.json:
        said = {"path": str(to), "log": log, "size": size, "as_of": manifest.as_of, "since": since}
        click.echo(msgspec.json.encode(said))
        return
    values = {"path": str(to), "log": log, "count": size, "when": manifest.as_of}
    click.echo(verbatim("message.bundle-written", settings.language, **values))
    if since:
        click.echo(text("message.bundle-grown", settings.language, count=since), err=True)


@click.command()
@click.option("--commune", metavar="NAME")
@click.option("--to", metavar="PATH", type=A_PATH)
@seals_option
@click.pass_obj
def checkpoint(settings: Settings, commune: str | None, to: Path | None, seals: Path | None) -> None:
    """Write the signed head of a log, or of the registry, as it was last sealed."""
    folder = Folder(seals_of(settings.database, seals))
    with opened(settings.database) as engine:
        log = None if commune is None else log_of(engine, commune, settings.actor)
        engine.act(settings.actor, "export-checkpoint", log or PLATFORM)
    note = folder.note(log)
    if note is None:
        raise CannotSeal("not-sealed", log=log or folder.key.name)
    folder.opened(log, note)
    if to is None:
        sys.stdout.buffer.write(note)
    else:
        publish(to, note)


def log_of(engine: Engine, commune: str, actor: str) -> LogName:
    """The log of a commune by any of its names; a log's own name, such as ``platform``, is one too.

    Raises:
        PlaceUnknown, PlaceAmbiguous: with what to name instead.
    """
    if engine.store.log_size(LogName(commune)):
        return LogName(commune)
    reader = Reader(engine, actor)
    reader.catch_up()
    return LogName(reader.find(commune).commune)


def cosigned(folder: Folder, log: LogName, witnessed: Sequence[Path]) -> bytes | None:
    """The checkpoint that witnesses have kept, with all of their signatures; None without witnesses.

    Of several, those that signed the smallest of their checkpoints count: the others have not seen it.
    """
    notes = []
    for path in witnessed:
        kept = Folder(path).note(log)
        if kept is None:
            raise CannotSeal("not-sealed", log=log).about(path)
        folder.opened(log, kept)
        notes.append(Note.parse(kept))
    if not notes:
        return None
    chosen = min(notes, key=lambda note: int(note.text.split("\n")[1]))
    lines = {line: None for note in notes if note.text == chosen.text for line in note.signatures}
    return bytes(Note(chosen.text, tuple(lines)))


def as_sealed(store: LogRecorder, folder: Folder, log: LogName, size: int) -> Iterator[bytes]:
    """The leaves of a log up to a size.

    Raises:
        Broken: at the first that is not the one that was sealed.
    """
    for index, (leaf, _) in enumerate(store.log_leaves(log, 0, size)):
        if folder.kept(log, index) not in (None, leaf_hash(leaf)):
            raise Broken("differs", log, index, None)
        yield leaf
