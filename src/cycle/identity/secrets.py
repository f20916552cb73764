"""Random secrets that are handed out once: ids of sessions, tokens, invitations, recovery codes.

Each has 120 bits and more that nobody can guess, so that its plain SHA-256 is all that need be kept.
"""

from __future__ import annotations

import re
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import NamedTuple

from cycle.aggregates.terms import TokenId

RandomBytes = Callable[[int], bytes]
SECRET_BYTES = 32
CODES = 10
"""How many recovery codes an account gets."""
CODE_BYTES = 15
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"cyc_([0-9A-Za-z]{11})_([0-9A-Za-z]{43})")


class Token(NamedTuple):
    """``cyc_<id>_<secret>``: the id is public and stands in the log, the secret is shown once."""

    id: TokenId
    secret: str

    def __str__(self) -> str:
        return f"cyc_{self.id}_{self.secret}"

    def __repr__(self) -> str:
        return f"Token({self.id})"


def new_token(random_bytes: RandomBytes) -> Token:
    return Token(TokenId(base62(random_bytes(8), 11)), base62(random_bytes(SECRET_BYTES), 43))


def parsed(token: str) -> Token | None:
    """A token out of its text; None: this is none."""
    found = _TOKEN.fullmatch(token.strip())
    return Token(TokenId(found[1]), found[2]) if found else None


def base62(data: bytes, width: int) -> str:
    number, digits = int.from_bytes(data, "big"), ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def new_secret(random_bytes: RandomBytes) -> str:
    """256 bits for a cookie or a link."""
    return urlsafe_b64encode(random_bytes(SECRET_BYTES)).decode().rstrip("=")


def new_codes(random_bytes: RandomBytes) -> tuple[str, ...]:
    """Recovery codes, in groups that people can copy: ``ABCD-EFGH-IJKL-MNOP-QRST-UVWX``."""
    found = (b32encode(random_bytes(CODE_BYTES)).decode() for _ in range(CODES))
    return tuple("-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in found)


def code_typed(code: str) -> str:
    """A recovery code as it was made, however it was copied."""
    return re.sub(r"[\s-]", "", code).upper()


def digest_of(secret: str) -> bytes:
    """What is kept instead of a secret."""
    return sha256(b"cycle-secret " + secret.encode()).digest()


def same(one: bytes, other: bytes) -> bool:
    return compare_digest(one, other)


def derived(secret: str, purpose: str) -> bytes:
    """Another secret that only who has the first one can make; nothing of it need be kept."""
    return hmac_digest(secret.encode(), f"cycle {purpose}".encode(), "sha256")


def form_token(session: str) -> str:
    """What every form of a session carries, and no other origin can know."""
    return urlsafe_b64encode(derived(session, "form")).decode().rstrip("=")
