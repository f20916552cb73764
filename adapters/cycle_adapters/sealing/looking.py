"""What is known of sealing by looking at its files: for readiness, metrics and ``cycle doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cycle.failures import Failure
from cycle.health import Check, bad, fine
from cycle.proofs.checkpoint import open_checkpoint, registry_origin
from cycle.proofs.note import MalformedKey, NoteError, VerifierKey
from cycle.sealing import CannotSeal, LastSeal, when_seen
from cycle.settings import KEY_FILE
from cycle_adapters.sealing.settings import seals_of, signing_key


def last_seal(database: str) -> LastSeal:
    """When the registry was last signed, as its checkpoint says; reads two small files and no trees."""
    has_key = bool(KEY_FILE.given())
    try:
        folder = seals_of(database)
    except CannotSeal:
        return LastSeal(has_key)
    return LastSeal(has_key, str(folder), _signed(folder), (folder / "refused").exists())


def _signed(folder: Path) -> datetime | None:
    try:
        key = VerifierKey.parse((folder / "verifier-key").read_text("ascii").strip())
        note = (folder / "registry" / "checkpoint").read_bytes()
        seen = when_seen(open_checkpoint(note, registry_origin(key.name), key))
    except (OSError, ValueError, MalformedKey, NoteError):
        return None
    return datetime.fromisoformat(seen) if seen else None


def looked(database: str) -> Sequence[Check]:
    """Whether the key that signs can be used, and by nobody else."""
    if not KEY_FILE.given():
        return ()
    try:
        signing_key(Path(KEY_FILE.given()))
    except Failure as error:
        return (bad("seal-key", "unusable", why=error),)
    return (fine("seal-key", "kept", path=KEY_FILE.given()),)
