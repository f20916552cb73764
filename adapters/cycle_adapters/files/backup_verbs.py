"""``cycle backup`` and ``cycle restore``. Their help is in the catalogue."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from cycle.aggregates.acts import BackupMade
from cycle.catalogue import text, verbatim
from cycle.engine import Engine
from cycle.failures import UNAVAILABLE, Failure
from cycle.projections.runner import Runner
from cycle.reading import opened
from cycle.settings import Settings
from cycle.store import Head, Unavailable
from cycle_adapters.files.archive import Manifest
from cycle_adapters.files.backup import made
from cycle_adapters.files.backup import restore as read_backup
from cycle_adapters.files.verbs import A_FILE
from cycle_adapters.progress import progress


class NotRebuilt(Failure):
    """The log is restored, and the projections are not."""

    kind = "backup"
    code = "unavailable"
    exit_code = UNAVAILABLE


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, path: Path) -> None:
    """Write everything that is not derived, as of one moment, to a new file; - is standard output."""
    to_pipe = str(path) == "-"
    with opened(settings.database) as engine, progress(settings, "backing-up") as moved:
        engine.act(settings.actor, "backup")
        with made(engine.store, sys.stdout.buffer if to_pipe else path, moved) as manifest:
            # Behind what it holds: a backup of what it is restored to is the same to the byte.
            engine.act(settings.actor, "backup", fact=BackupMade(manifest.head))
    said = _as_json(manifest) if settings.json else _told(manifest, path, settings, to_pipe=to_pipe)
    click.echo(said, err=to_pipe)


def _as_json(manifest: Manifest) -> str:
    found = {
        "position": manifest.head,
        "recorded_at": manifest.recorded_at,
        "parts": {name: part.lines for name, part in manifest.parts.items()},
    }
    return msgspec.json.encode(found).decode()


def _told(manifest: Manifest, path: Path, settings: Settings, *, to_pipe: bool) -> str:
    if to_pipe:
        return text("message.backed-up-to-pipe", settings.language, head=manifest.head)
    if not manifest.head:
        return verbatim("message.backed-up-empty", settings.language, path=str(path))
    when = manifest.moment()
    return verbatim("message.backed-up", settings.language, path=str(path), head=manifest.head, when=when)


@click.command()
@click.argument("path", metavar="FILE", type=A_FILE)
@click.pass_obj
def restore(settings: Settings, path: Path) -> None:
    """Read a backup into an empty database: the same events, positions, indexes, hashes and receipts."""
    with Engine(settings.database) as engine:
        engine.act(settings.actor, "restore")
        try:
            with progress(settings, "restoring") as moved:
                head = read_backup(engine.store, path, moved)
        except Failure as error:
            inside = f", {error.subject}" if error.subject else ""
            raise error.about(f"{path.name}{inside}") from error
        click.echo(_restored(head, settings))
        try:
            with progress(settings, "rebuilding") as moved:
                Runner(engine.store, engine.leaves).rebuild((), moved)
        except Unavailable as error:
            raise NotRebuilt("views", why=error.told(settings.language)) from error


def _restored(head: Head, settings: Settings) -> str:
    language = settings.language
    if settings.json:
        return msgspec.json.encode({"position": head.position, "recorded_at": head.recorded_at}).decode()
    if head.recorded_at is None:
        return text("message.restored-empty", language)
    done = text("message.restored", language, head=head.position, when=head.recorded_at)
    return f"{done}\n{text('message.restored-older', language)}"
