"""What makes a sheet a witness: the signed checkpoint of its log, in words and as a QR code."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.proofs.checkpoint import Checkpoint
from cycle.proofs.note import Note
from cycle_adapters.paper.basis import Basis, CannotPrint
from cycle_adapters.paper.wording import Wording

MOST_BYTES = 2_331
"""What a QR code holds with medium error correction: it is read with a seventh of it soiled."""
SHORT_ROOT = 16
"""Hexadecimal digits of a root that people compare."""


class Foot(Struct, frozen=True):
    """``qr`` is an SVG picture; None where nothing is sealed."""

    lines: tuple[str, ...]
    qr_name: str = ""
    qr: str | None = None
    note: str = ""


def foot(basis: Basis, note: bytes | None, words: Wording) -> Foot:
    """Where in the log a sheet stands, and what was signed of it.

    Args:
        note: the signed note that is published of the commune's log; None when nothing is sealed.

    Raises:
        CannotPrint: it covers more than there is, or does not fit into a QR code.
        NoteError: it is no checkpoint.
    """
    values = {"log": basis.commune.code, "position": basis.position, "moment": basis.recorded_at}
    stands = words.say("log-position", **values)
    if note is None:
        return Foot((stands, words.say("not-sealed")))
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    if checkpoint.size > basis.size:
        raise CannotPrint("log-shrunk", log=basis.commune.code, sealed=checkpoint.size, count=basis.size)
    root = checkpoint.root.hex()[:SHORT_ROOT]
    sealed = words.say("checkpoint", origin=checkpoint.origin, size=str(checkpoint.size), root=root)
    missing = basis.leaves - checkpoint.size
    covers = words.say("not-covered", count=missing) if missing > 0 else words.say("covered", count=basis.leaves)
    return Foot((stands, sealed, covers), words.say("qr-code"), qr_code(note), note.decode())


def sealed(note: bytes | None, log: LogName | None, position: int, moment: datetime, words: Wording) -> Foot:
    """Where in all logs, or in one, pages of several frameworks stand, and what was signed of it.

    Args:
        note: the signed note of the log, or of the registry of all; None when nothing is sealed.

    Raises:
        CannotPrint: it does not fit into a QR code.
        NoteError: it is no checkpoint.
    """
    stands = words.say("all-logs-position", log=log, position=position, moment=moment)
    if note is None:
        return Foot((stands, words.say("not-sealed")))
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    root = checkpoint.root.hex()[:SHORT_ROOT]
    signed = words.say("checkpoint", origin=checkpoint.origin, size=str(checkpoint.size), root=root)
    return Foot((stands, signed), words.say("qr-code"), qr_code(note), note.decode())


def qr_code(content: bytes) -> str:
    """These bytes and nothing else, as a picture.

    Raises:
        CannotPrint: they are too many.
    """
    import segno

    if len(content) > MOST_BYTES:
        raise CannotPrint("note-too-long", bytes=len(content), most=MOST_BYTES)
    picture = BytesIO()
    code = segno.make_qr(content, error="m", mode="byte")
    code.save(picture, kind="svg", xmldecl=False, border=4)
    return picture.getvalue().decode().strip()
