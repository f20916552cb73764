"""Signed notes: a text and the Ed25519 signatures below it, of the log and of witnesses.

Sources: C2SP signed-note (signature type 0x01) and tlog-cosignature (0x04, with the time at which
the witness looked). A signature of an unknown key is ignored, a bad one of a known key is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

MAX_NOTE_BYTES = 64_000
MAX_SIGNATURES = 100
MAX_SECONDS = 2**63 - 1
_DASH = "\u2014 "
_PRIVATE = "PRIVATE+KEY+"


class NoteError(ValueError):
    """A note or key that cannot be used; says why."""


class MalformedNote(NoteError):  # noqa: N818
    """Bytes that are no signed note."""


class MalformedKey(NoteError):  # noqa: N818
    """Text that is no key."""


class BadSignature(NoteError):  # noqa: N818
    """A known key is named, and did not sign this text."""


class NotSigned(NoteError):  # noqa: N818
    """No known key signed the text."""


class Algorithm(IntEnum):
    """The signature types that we know."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


class SignatureLine(NamedTuple):
    """One line below a note: who is said to have signed, and the signature, unchecked."""

    name: str
    key_hash: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_base64(self.key_hash + self.signature)}\n"


class Signed(NamedTuple):
    """A signature that holds; ``seconds`` since 1970 for a witness, else None."""

    key: VerifierKey
    seconds: int | None


class VerifierKey(Struct, frozen=True):
    """A public key and the name that it signs under; ``str`` of it is ``name+hash+base64``."""

    name: str
    public: bytes
    algorithm: Algorithm = Algorithm.ED25519

    @property
    def key_hash(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key), its first four bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    def check(self, text: str, signature: bytes) -> Signed:
        """Accept the signature of this key on the text.

        Raises:
            BadSignature: it is none.
        """
        seconds = None
        if self.algorithm is Algorithm.COSIGNATURE:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            if seconds > MAX_SECONDS:
                raise BadSignature(f"{self.name} signed at a time that cannot be")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, _message(text, seconds))
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"the signature of {self.name} does not hold") from error
        return Signed(self, seconds)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """A key from ``name+hash+base64``.

        Raises:
            MalformedKey: says why it is none.
        """
        name, key_hash, algorithm, public = _parsed_key(text)
        key = cls(name, public, algorithm)
        if key_hash != key.key_hash.hex():
            raise MalformedKey(f"the hash in the key of {name} is not its own: it was not copied whole")
        return key


class SigningKey:
    """A private key and the name that it signs under. Never shows itself but by ``secret``."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, private: Ed25519PrivateKey, algorithm: Algorithm = Algorithm.ED25519) -> None:
        """Raises:
        MalformedKey: the name is empty, or holds a space, a control character or a plus sign.
        """
        if not is_key_name(name):
            raise MalformedKey(f"{name!r} is no name for a key: no spaces, no plus sign")
        self._private = private
        self.verifier = VerifierKey(name, private.public_key().public_bytes_raw(), algorithm)

    def sign(self, text: str, seconds: int | None = None) -> SignatureLine:
        """Sign a text; a witness says when it looked.

        Raises:
            MalformedNote: the text cannot be a note's.
            ValueError: a witness without a time, or a time without a witness.
        """
        _check_text(text)
        witness = self.verifier.algorithm is Algorithm.COSIGNATURE
        if witness is (seconds is None) or not 0 <= (seconds or 0) <= MAX_SECONDS:
            raise ValueError("a witness signs at a time between 1970 and the end of times, a log at none")
        signature = self._private.sign(_message(text, seconds))
        stamp = b"" if seconds is None else seconds.to_bytes(8, "big")
        return SignatureLine(self.verifier.name, self.verifier.key_hash, stamp + signature)

    def secret(self) -> str:
        """``PRIVATE+KEY+name+hash+base64``: for a file that only the sealer or witness reads."""
        key = self.verifier
        seed = bytes([key.algorithm]) + self._private.private_bytes_raw()
        return f"{_PRIVATE}{key.name}+{key.key_hash.hex()}+{_base64(seed)}"

    @classmethod
    def parse(cls, secret: str) -> SigningKey:
        """A key from what ``secret`` wrote.

        Raises:
            MalformedKey: says why it is none, and never what it is.
        """
        if not secret.startswith(_PRIVATE):
            raise MalformedKey("a private key begins with PRIVATE+KEY+")
        name, key_hash, algorithm, seed = _parsed_key(secret.removeprefix(_PRIVATE))
        key = cls(name, Ed25519PrivateKey.from_private_bytes(seed), algorithm)
        if key_hash != key.verifier.key_hash.hex():
            raise MalformedKey(f"the hash in the private key of {name} is not its own: it was not copied whole")
        return key


class Note(Struct, frozen=True):
    """A note as it is written: its text, which ends with a newline, and the lines below it."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()

    @classmethod
    def parse(cls, note: bytes) -> Note:
        """Read a note strictly; nothing is verified yet.

        Raises:
            MalformedNote: says why it is none.
        """
        if len(note) > MAX_NOTE_BYTES:
            raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")
        try:
            whole = note.decode()
        except UnicodeDecodeError as error:
            raise MalformedNote("the note is not UTF-8") from error
        split = whole.rfind("\n\n")
        if split < 0 or not whole.endswith("\n"):
            raise MalformedNote("a note is a text, an empty line, and lines of signatures, each with its newline")
        _check_text(whole[: split + 1])
        lines = whole[split + 2 : -1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise MalformedNote(f"a note has at most {MAX_SIGNATURES} signatures")
        return cls(whole[: split + 1], tuple(map(_parsed_signature, lines)))


def sign_note(text: str, *keys: SigningKey) -> bytes:
    """The note that these keys have signed.

    Raises:
        MalformedNote: the text cannot be a note's.
    """
    return bytes(Note(text, tuple(key.sign(text) for key in keys)))


def cosign(note: bytes, witness: SigningKey, seconds: int) -> bytes:
    """The note with one more line: that of a witness which has checked it, and when.

    Raises:
        MalformedNote: it is no note.
    """
    known = Note.parse(note)
    return bytes(Note(known.text, (*known.signatures, witness.sign(known.text, seconds))))


def open_note(note: bytes, keys: Iterable[VerifierKey]) -> tuple[str, tuple[Signed, ...]]:
    """The text of a note and the signatures of known keys on it, each verified.

    Raises:
        MalformedNote: it is no note.
        BadSignature: a known key is named and did not sign it.
        NotSigned: no known key is named.
    """
    parsed = Note.parse(note)
    known = {(key.name, key.key_hash): key for key in keys}
    signed = tuple(
        known[line.name, line.key_hash].check(parsed.text, line.signature)
        for line in parsed.signatures
        if (line.name, line.key_hash) in known
    )
    if not signed:
        raise NotSigned(f"not signed by {' or '.join(sorted(key.name for key in known.values()))}")
    return parsed.text, signed


def is_key_name(name: str) -> bool:
    """Whether a key can have this name."""
    return bool(name) and not any(c == "+" or c < " " or c.isspace() for c in name)


def unbase64(text: str) -> bytes:
    """Standard base64 with its padding, written in the one way in which it is encoded.

    Raises:
        ValueError: it is none.
    """
    raw = base64.b64decode(text, validate=True)
    if _base64(raw) != text:
        raise ValueError("base64 that has another form")
    return raw


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _message(text: str, seconds: int | None) -> bytes:
    return (text if seconds is None else f"cosignature/v1\ntime {seconds}\n{text}").encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedNote("the text of a note ends with a newline")
    if any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in text):
        raise MalformedNote("the text of a note holds no control character but newlines, and no half of a pair")


def _parsed_signature(line: str) -> SignatureLine:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = unbase64(encoded)
    except (ValueError, binascii.Error) as error:
        raise MalformedNote("a line of a signature ends with its base64") from error
    if not line.startswith(_DASH) or not is_key_name(name) or len(raw) < 5:
        raise MalformedNote("a line of a signature is an em dash, a name and base64, a space between them")
    return SignatureLine(name, raw[:4], raw[4:])


def _parsed_key(text: str) -> tuple[str, str, Algorithm, bytes]:
    name, _, rest = text.partition("+")
    key_hash, _, encoded = rest.partition("+")
    try:
        raw = unbase64(encoded)
        algorithm = Algorithm(raw[0])
    except (ValueError, IndexError) as error:
        raise MalformedKey("a key is name+hash+base64, of a type that is known") from error
    if not is_key_name(name) or len(raw) != 33:
        raise MalformedKey("a key is name+hash+base64 of its type and 32 bytes")
    return name, key_hash, algorithm, raw[1:]
