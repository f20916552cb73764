"""Checkpoints: what is signed of a log. Its origin, its size, its root.

The origin of a log is ``<operator>/<log>``, where the operator is the name of the key that signs and
the log is percent-encoded, so that it holds no slash; that of the registry is the operator alone.
A checkpoint of one log can thus never pass for that of another. Source: C2SP tlog-checkpoint.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.proofs.note import NoteError, SigningKey, VerifierKey, open_note, sign_note, unbase64
from cycle.proofs.tree import EMPTY_ROOT, HASH_BYTES, MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadCheckpoint(NoteError):  # noqa: N818
    """A note whose text is no checkpoint, or that of another log."""


class TooFewWitnesses(NoteError):  # noqa: N818
    """Fewer witnesses have signed than are asked for."""


class Checkpoint(Struct, frozen=True):
    """The head of a tree. ``extensions`` are further lines, which mean nothing to us."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The text of the note, with its last newline."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note strictly.

        Raises:
            BadCheckpoint: says why it is none.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise BadCheckpoint("a checkpoint has three lines or more, none of them empty")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
            raise BadCheckpoint(f"{size[:40]!r} is no size")
        try:
            checkpoint = cls(origin, int(size), unbase64(root), tuple(extensions))
        except ValueError as error:
            raise BadCheckpoint("the third line is not the base64 of a hash") from error
        if len(checkpoint.root) != HASH_BYTES:
            raise BadCheckpoint("the third line is not the base64 of a hash of 32 bytes")
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise BadCheckpoint("the root is not that of an empty tree")
        return checkpoint


def log_origin(operator: str, log: LogName) -> str:
    """The origin of a log that this operator keeps."""
    return f"{operator}/{quote(log, safe='')}"


def registry_origin(operator: str) -> str:
    """The origin of the tree in which this operator gathers the heads of all logs."""
    return operator


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The signed note of a checkpoint. Who calls it has made sure that the tree only grew."""
    return sign_note(str(checkpoint), key)


def open_checkpoint(
    note: bytes, origin: str, key: VerifierKey, witnesses: Sequence[VerifierKey] = (), quorum: int = 0
) -> Checkpoint:
    """The checkpoint in a note that the log's key signed, and ``quorum`` of the witnesses beside it.

    Raises:
        MalformedNote, BadSignature, NotSigned: as for ``open_note``.
        BadCheckpoint: it is no checkpoint, or one of another origin.
        TooFewWitnesses: some of them have not signed.
    """
    text, signed = open_note(note, (key, *witnesses))
    signers = {each.key for each in signed}
    if key not in signers:
        open_note(note, (key,))
    seen = len({each.public for each in signers & set(witnesses)})
    if seen < quorum:
        raise TooFewWitnesses(f"{seen} witnesses have signed, {quorum} are asked for")
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != origin:
        raise BadCheckpoint(f"a checkpoint of {checkpoint.origin}, not of {origin}")
    return checkpoint
