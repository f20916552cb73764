"""Signed receipts: what the operator promised to have recorded, before it was sealed.

A note of its own form, which is no checkpoint and can pass for none: its first line is no origin and
its second no size. It is signed after the commit, so what it names must stand in every checkpoint of
that log that was sealed later; where it does not, the receipt is evidence. `docs/proofs.md` specifies it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.proofs.checkpoint import log_origin
from cycle.proofs.note import NoteError, SigningKey, VerifierKey, open_note, sign_note, unbase64
from cycle.proofs.tree import HASH_BYTES

FIRST_LINE = "cycle receipt v1"
MOST = 400
"""Facts of one note: a save with more has several notes."""
_TIME = re.compile(r"signed-at ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)")
_FACT = re.compile(r"(\S+) (0|[1-9][0-9]{0,18}) (\S+)")


class BadReceipt(NoteError):  # noqa: N818
    """A note whose text is no receipt, or one of another operator."""


class Fact(Struct, frozen=True):
    """One line: the leaf with this hash stands at this index of the log."""

    origin: str
    index: int
    leaf_hash: bytes

    def __str__(self) -> str:
        return f"{self.origin} {self.index} {base64.b64encode(self.leaf_hash).decode()}"


class Promise(Struct, frozen=True):
    """What a receipt says: the command's key, when that was signed, and where each fact stands."""

    key: str
    signed_at: str
    facts: tuple[Fact, ...]

    def __str__(self) -> str:
        """The text of the note."""
        lines = [FIRST_LINE, f"key {quote(self.key, safe='')}", f"signed-at {self.signed_at}"]
        return "".join(f"{line}\n" for line in (*lines, *self.facts))

    @classmethod
    def parse(cls, text: str) -> Promise:
        """Read the text of a note strictly.

        Raises:
            BadReceipt: says why it is none.
        """
        first, key, time, *facts = (*text.split("\n"), "", "", "")[: max(4, text.count("\n"))]
        recorded = _TIME.fullmatch(time)
        if first != FIRST_LINE or not key.startswith("key ") or not recorded or not facts:
            raise BadReceipt("a receipt has a key, a time and the facts, each on a line of its own")
        promise = cls(unquote(key.removeprefix("key ")), recorded[1], tuple(map(_fact, facts)))
        if str(promise) != text:
            raise BadReceipt("not in the one form that a receipt has")
        return promise


def sign_receipt(
    key: SigningKey, command: str, signed_at: str, facts: Sequence[tuple[LogName, int, bytes]]
) -> list[bytes]:
    """The notes of one save; ``facts`` are log, index and leaf hash."""
    name = key.verifier.name
    lines = [Fact(log_origin(name, log), index, leaf_hash) for log, index, leaf_hash in facts]
    parts = [tuple(lines[at : at + MOST]) for at in range(0, len(lines), MOST)]
    return [sign_note(str(Promise(command, signed_at, part)), key) for part in parts]


def open_receipt(note: bytes, key: VerifierKey) -> Promise:
    """What a receipt says that the operator signed.

    Raises:
        MalformedNote, BadSignature, NotSigned: as for ``open_note``.
        BadReceipt: it is none, or names logs of another operator.
    """
    text, _ = open_note(note, (key,))
    promise = Promise.parse(text)
    for fact in promise.facts:
        if not fact.origin.startswith(f"{key.name}/"):
            raise BadReceipt(f"{fact.origin} is no log of {key.name}")
    return promise


def _fact(line: str) -> Fact:
    found = _FACT.fullmatch(line)
    try:
        if found is None:
            raise BadReceipt("a fact is an origin, an index and the base64 of a hash")
        fact = Fact(found[1], int(found[2]), unbase64(found[3]))
    except BadReceipt:
        raise
    except ValueError as error:
        raise BadReceipt("a fact ends with the base64 of a hash") from error
    if len(fact.leaf_hash) != HASH_BYTES:
        raise BadReceipt("a hash has 32 bytes")
    return fact
