"""``cycle export bundle`` and ``cycle export checkpoint``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from cycle.aggregates.acts import BundleExported
from cycle.aggregates.base import PLATFORM, LogName
from cycle.aggregates.terms import Purpose
from cycle.catalogue import text, verbatim, word
from cycle.engine import Engine
from cycle.leaf import leaf_hash
from cycle.proofs.audit import NOWHERE, Broken
from cycle.proofs.bundle import Place, appearing, fill
from cycle.proofs.checkpoint import Checkpoint
from cycle.proofs.note import Note
from cycle.proofs.tree import Frontier
from cycle.reading import Reader, opened
from cycle.sealing import CannotSeal
from cycle.settings import Settings
from cycle.store import LogRecorder
from cycle.vault.people import Openings, openings, recipient
from cycle_adapters.sealing.asking import damage_first
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sealing.settings import A_PATH, seals_of, seals_option
from cycle_adapters.whole import told, written_or_out


@click.command()
@click.option("--commune", metavar="NAME", required=True)
@click.option("--to", metavar="PATH", type=A_PATH, required=True)
@click.option("--witnessed", metavar="FOLDER", type=A_PATH, multiple=True)
@click.option("--with-personal", "purpose", metavar="PURPOSE", type=click.Choice([each.value for each in Purpose]))
@seals_option
@click.pass_obj
def bundle(
    settings: Settings, commune: str, to: Path, witnessed: tuple[Path, ...], purpose: str | None, seals: Path | None
) -> None:
    """Write one log with its proofs: the events that are sealed, and what it takes to check them anywhere."""
    folder = Folder(seals_of(settings.database, seals))
    with opened(settings.database) as engine:
        log = log_of(engine, commune, settings.actor)
        wanted = None if purpose is None else Purpose(purpose)
        exported = export(engine, settings.actor, folder, log, partial(new_place, to), witnessed, wanted)
    tell(settings, str(to), exported, purpose)


class Exported(Struct, frozen=True):
    """What a bundle holds; ``since`` are the events that are not in it yet."""

    log: LogName
    size: int
    as_of: str
    since: int
    openings: int
    people: int


def export(
    engine: Engine,
    actor: str,
    folder: Folder,
    log: LogName,
    new: Callable[[], AbstractContextManager[Place]],
    witnessed: Sequence[Path] = (),
    purpose: Purpose | None = None,
) -> Exported:
    """Write the bundle of a log to a new place, for whom it may be written; that it leaves is recorded before.

    Raises:
        CannotSeal: nothing of the log is sealed.
        Forbidden: the account may not.
        Broken: the log is not what was sealed.
    """
    sealed = folder.sealed(log, cosigned(folder, log, witnessed))
    if sealed is None:
        raise CannotSeal("not-sealed", log=log)
    wanted = folder.opened(log, sealed.checkpoint)
    since = engine.store.log_size(log) - wanted.size
    with damage_first(lambda: verify_live(engine.store, Sealed(folder))):
        engine.act(actor, "export-bundle", log)
        by = None if purpose is None else recipient(engine, actor, log)
    check_sealed(engine.store, folder, log, wanted)
    with new() as place:
        # Recorded when it can be written, and before the first byte leaves.
        handed = Openings()
        if by is not None and purpose is not None:
            handed = openings(engine, log, by, size=wanted.size, purpose=purpose)
        engine.act(actor, "export-bundle", log, BundleExported(log, wanted.size))
        manifest = fill(place, sealed, as_sealed(engine.store, folder, log, wanted.size), handed.lines)
    return Exported(log, wanted.size, manifest.as_of, since, len(handed.lines), handed.people)


@contextmanager
def new_place(to: Path) -> Iterator[Place]:
    """Where a bundle is written.

    Raises:
        CannotSeal: there is something already.
        NotWritten: says why, and where else to write.
    """
    with told(to):
        try:
            with appearing(to) as place:
                yield place
        except FileExistsError as error:
            raise CannotSeal("exists").about(to) from error


def tell(settings: Settings, path: str, exported: Exported, purpose: str | None) -> None:
    """What went into a bundle; on standard error, what to beware of."""
    language = settings.language
    if settings.json:
        click.echo(msgspec.json.encode({"path": path, **msgspec.structs.asdict(exported)}))
        return
    values = {"path": path, "log": exported.log, "count": exported.size, "when": exported.as_of}
    click.echo(verbatim("message.bundle-written", language, **values))
    if purpose is not None:
        key = f"message.bundle-{'with' if exported.openings else 'without'}-personal"
        about = {"count": exported.openings, "people": exported.people, "purpose": word(purpose, language)}
        click.echo(text(key, language, "", **about))
    if exported.openings:
        click.echo(verbatim("message.bundle-to-be-kept", language, path=path), err=True)
    if exported.since:
        click.echo(text("message.bundle-grown", language, count=exported.since), err=True)


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
    with written_or_out(to) as file:
        file.write(note)


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


def check_sealed(store: LogRecorder, folder: Folder, log: LogName, wanted: Checkpoint) -> None:
    """That the leaves of a log are those of a checkpoint, before anybody is told that they leave.

    Raises:
        Broken: they are not.
    """
    tree = Frontier()
    for leaf in as_sealed(store, folder, log, wanted.size):
        tree.append(leaf_hash(leaf))
    if tree.size < wanted.size:
        raise Broken("shrunk", log, tree.size, None, size=wanted.size)
    if tree.root() != wanted.root:
        raise Broken("root", log, NOWHERE, None, size=wanted.size)


def as_sealed(store: LogRecorder, folder: Folder, log: LogName, size: int) -> Iterator[bytes]:
    """The leaves of a log up to a size.

    Raises:
        Broken: at the first that is not the one that was sealed.
    """
    for index, (leaf, _) in enumerate(store.log_leaves(log, 0, size)):
        if folder.kept(log, index) not in (None, leaf_hash(leaf)):
            raise Broken("differs", log, index, None)
        yield leaf
