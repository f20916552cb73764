"""``cycle witness``: keeps the last checkpoint of every tree it saw, and cosigns what has only grown since."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from cycle.catalogue import text, verbatim
from cycle.engine import utc_now
from cycle.proofs.checkpoint import Checkpoint
from cycle.proofs.note import Algorithm, SigningKey, VerifierKey, cosign
from cycle.proofs.tree import ProofError, verify_consistency
from cycle.sealing import CannotSeal, SealRefused
from cycle.settings import Settings
from cycle_adapters.sealing.disk import explained, new_folder, publish
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.settings import (
    A_PATH,
    key_option,
    new_key,
    seals_option,
    signing_key,
    verifier_key,
)


class Witnessed(NamedTuple):
    """How many trees were looked at, and how many heads were new and are cosigned."""

    trees: int
    cosigned: int


@click.command()
@seals_option
@key_option
@click.option("--keep", metavar="FOLDER", type=A_PATH)
@click.option("--vkey", metavar="KEY")
@click.option("--new-key", "name", metavar="NAME")
@click.pass_obj
def witness(
    settings: Settings,
    seals: Path | None,
    key_file: Path | None,
    keep: Path | None,
    vkey: str | None,
    name: str | None,
) -> None:
    """Check that a folder of seals only grew since this witness saw it, and cosign its heads."""
    if name is not None:
        key, path = new_key(name, key_file, Algorithm.COSIGNATURE)
        if settings.json:
            click.echo(msgspec.json.encode({"verifier_key": str(key), "path": str(path)}))
        else:
            click.echo(verbatim("message.key-made", settings.language, path=str(path), key=str(key)))
        return
    if seals is None or keep is None:
        raise CannotSeal("no-witness")
    signing = signing_key(key_file, Algorithm.COSIGNATURE)
    kept = Folder(keep)
    seen = look(Folder(seals), kept, signing, verifier_key(vkey) if vkey else None, int(utc_now().timestamp()))
    if settings.json:
        click.echo(msgspec.json.encode(seen._asdict()))
    else:
        click.echo(text("message.witnessed", settings.language, count=seen.cosigned, logs=seen.trees))


def look(seals: Folder, kept: Folder, key: SigningKey, operator: VerifierKey | None, seconds: int) -> Witnessed:
    """Compare every tree with what was kept of it; keep and cosign those that grew out of it.

    Every tree is looked at before the first is signed.

    Raises:
        SealRefused: one is not what it was.
        CannotSeal: the seals are of another operator than was asked for, or seen before.
    """
    expected = operator or (seals.key if kept.is_new else kept.key)
    if seals.key != expected or not (kept.is_new or kept.key == expected):
        raise CannotSeal("another-key", key=str(seals.key)).about(seals.path)
    fresh: list[tuple[str | None, bytes]] = []
    trees = (None, *seals.trees)
    for log in trees:
        note = seals.note(log)
        if note is None:
            continue
        grown = consistent(seals, None if kept.is_new else kept, log, seals.opened(log, note))
        if grown:
            fresh.append((log, note))
    missing = set() if kept.is_new else {log for log in kept.published() if log not in seals.trees}
    for log in sorted(missing):
        old = kept.checkpoint(log)
        if old is not None and old.size:
            raise SealRefused("witness-shrunk", origin=old.origin, old=str(old.size), size="0")
    with explained(kept.path), kept.locked():
        if kept.is_new:
            publish(new_folder(kept.path) / "verifier-key", f"{expected}\n".encode())
        for log, note in fresh:
            path = kept.checkpoint_path(log)
            new_folder(path.parent)
            publish(path, cosign(note, key, seconds))
    return Witnessed(len(trees), len(fresh))


def consistent(seals: Folder, kept: Folder | None, log: str | None, now: Checkpoint) -> bool:
    """Whether a tree has a new head, which begins with the one that was kept.

    Raises:
        SealRefused: it does not.
    """
    old = kept.checkpoint(log) if kept is not None else None
    if old is None or old.size == 0:
        return True
    if now.size < old.size:
        raise SealRefused("witness-shrunk", origin=now.origin, old=str(old.size), size=str(now.size))
    tree = seals.registry().tree if log is None else seals.tree(log)
    try:
        proof = [] if old.size == now.size else tree.consistency(old.size, now.size)
        verify_consistency(old.size, old.root, now.size, now.root, proof)
    except (ProofError, OSError) as error:
        raise SealRefused("witness-forked", origin=now.origin, old=str(old.size)) from error
    return str(now) != str(old)
