"""``cycle verify``: a live database, or a bundle with the verifier that it ships with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from cycle.catalogue import text, verbatim
from cycle.proofs import verify as bundles
from cycle.proofs.note import Algorithm, NoteError, VerifierKey
from cycle.proofs.receipt import Promise, open_receipt
from cycle.reading import opened
from cycle.sealing import CannotSeal
from cycle.settings import Settings
from cycle_adapters.sealing.asking import damage_first
from cycle_adapters.sealing.live import Old, Sealed, Verified, check_receipt, kept_checkpoint, verify_live
from cycle_adapters.sealing.settings import (
    A_FILE,
    folder_of,
    key_text,
    seals_option,
    verifier_key,
)

A_BUNDLE = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=A_BUNDLE, required=False)
@click.option("--old", metavar="CHECKPOINT", type=A_FILE, multiple=True)
@click.option("--vkey", metavar="KEY")
@click.option("--witness", "witnesses", metavar="KEY", multiple=True)
@click.option("--quorum", metavar="K", type=click.IntRange(min=0))
@click.option("--receipt", metavar="FILE", type=A_FILE)
@seals_option
@click.pass_obj
def verify(
    settings: Settings,
    bundle: Path | None,
    old: tuple[Path, ...],
    vkey: str | None,
    witnesses: tuple[str, ...],
    quorum: int | None,
    receipt: Path | None,
    seals: Path | None,
) -> None:
    """Check every log of the database, or a bundle, against what was signed."""
    if bundle is not None:
        _bundle(settings, bundle, old, vkey, witnesses, quorum, receipt)
        return
    folder = folder_of(settings.database, seals)
    key = verifier_key(vkey) if vkey else folder.key if folder else None
    if folder and key != folder.key:
        raise CannotSeal("another-key", key=str(folder.key)).about(folder.path)
    others = [verifier_key(each, Algorithm.COSIGNATURE) for each in witnesses]
    kept = [_kept(path, key, others, len(others) if quorum is None else quorum) for path in old]
    promise = _promise(receipt, key) if receipt is not None else None
    # What was signed is read before the log, which is then never behind it.
    sealed = Sealed(folder)
    with opened(settings.database) as engine:
        with damage_first(lambda: verify_live(engine.store, sealed, kept)):
            engine.act(settings.actor, "verify")
        found = verify_live(engine.store, sealed, kept)
        if promise is not None:
            check_receipt(engine.store, promise)
    if settings.json:
        click.echo(msgspec.json.encode(found))
    else:
        _tell(settings, found, kept)
        for fact in promise.facts if promise is not None else ():
            said = verbatim("message.receipt-holds", settings.language, origin=fact.origin, index=str(fact.index))
            click.echo(said)


def _promise(path: Path, key: VerifierKey | None) -> Promise:
    if key is None:
        raise CannotSeal("no-seals").about(path)
    try:
        return open_receipt(path.read_bytes(), key)
    except NoteError as error:
        raise CannotSeal("bad-receipt", why=str(error)).about(path) from error


def _kept(path: Path, key: VerifierKey | None, witnesses: Sequence[VerifierKey], quorum: int) -> Old:
    if key is None:
        raise CannotSeal("no-seals").about(path)
    try:
        return kept_checkpoint(path.read_bytes(), key, witnesses, quorum)
    except NoteError as error:
        raise CannotSeal("bad-checkpoint", why=str(error)).about(path) from error


def _tell(settings: Settings, found: Verified, kept: Sequence[Old]) -> None:
    language = settings.language
    click.echo(text("message.verified", language, count=found.position, logs=len(found.logs), position=found.position))
    if found.sealed_at is None:
        click.echo(text("message.verified-unsealed", language))
    else:
        click.echo(verbatim("message.verified-sealed", language, count=found.sealed, when=found.sealed_at))
    for each in kept:
        checkpoint = each.checkpoint
        click.echo(verbatim("message.verified-old", language, origin=checkpoint.origin, count=checkpoint.size))


def _bundle(
    settings: Settings,
    bundle: Path,
    old: Sequence[Path],
    vkey: str | None,
    witnesses: Sequence[str],
    quorum: int | None,
    receipt: Path | None,
) -> None:
    """The same check as ``verify.py`` makes, with its words and its exit codes."""
    known = key_text(vkey) if vkey else None
    others = list(map(key_text, witnesses))
    try:
        for path in old[:-1]:
            bundles.check(str(bundle), known, path.read_bytes())
        last = old[-1].read_bytes() if old else None
        promised = receipt.read_bytes() if receipt else None
        holds = bundles.check(str(bundle), known, last, others, quorum, promised)
    except bundles.Verdict as verdict:
        said = verdict.told(settings.language)
        if settings.json:
            said = msgspec.json.encode({"code": verdict.code, "text": said, "index": verdict.index}).decode()
        click.echo(said, err=True)
        sys.exit(verdict.exit)
    if settings.json:
        click.echo(msgspec.json.encode(holds._asdict()))
    else:
        click.echo(holds.told(settings.language))
