"""Disclosures: the openings of what a leaf keeps sealed.

A leaf holds of a personal field only a digest; who may see it gets the disclosure, base64url of
``[salt, name, value]``, whose SHA-256 is that digest. Without the 32 bytes of salt a telephone number
would be found by trying. Source: SD-JWT (RFC 9901, section 4.2).
"""

from __future__ import annotations

import base64
from hashlib import sha256

import msgspec
from msgspec import Struct

from cycle.leaf import LeafError, canonical, check_leaf

SALT_BYTES = 32


class BadDisclosure(ValueError):  # noqa: N818
    """Text that opens nothing; says why."""


class Disclosed(Struct, frozen=True, order=True, gc=False):
    """A disclosure and the index of the leaf that holds its digest: a line of ``disclosures.jsonl``."""

    index: int
    disclosure: str

    def line(self) -> bytes:
        """Its canonical bytes, without the newline."""
        return canonical({"disclosure": self.disclosure, "index": self.index})


class Opening(Struct, frozen=True):
    """A field that is sealed: 32 random bytes, its name (``data.witness``) and its value."""

    salt: bytes
    name: str
    value: object

    def disclosure(self) -> str:
        """What is handed to those who may read it.

        Raises:
            LeafError: a value that no leaf could hold.
        """
        if len(self.salt) != SALT_BYTES:
            raise ValueError(f"a salt has {SALT_BYTES} bytes")
        written = canonical([_base64url(self.salt), self.name, self.value])
        check_leaf(b'{"a":' + written + b"}")
        return _base64url(written)

    def digest(self) -> str:
        """What the leaf holds of it, in its sorted list ``sealed``."""
        return digest(self.disclosure())

    @classmethod
    def parse(cls, disclosure: str) -> Opening:
        """Read a disclosure strictly.

        Raises:
            BadDisclosure: says why it is none.
        """
        try:
            salt, name, value = msgspec.json.decode(_unbase64url(disclosure), type=tuple[str, str, object])
            opening = cls(_unbase64url(salt), name, value)
            if opening.disclosure() != disclosure:
                raise BadDisclosure("not the canonical form of a disclosure")
        except (msgspec.DecodeError, LeafError, ValueError) as error:
            raise BadDisclosure(f"not a disclosure: {error}") from error
        return opening


def digest(disclosure: str) -> str:
    """SHA-256 of the disclosure's ASCII, as base64url without padding."""
    return _base64url(sha256(disclosure.encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unbase64url(text: str) -> bytes:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _base64url(raw) != text:
        raise ValueError("base64url that has another form")
    return raw
