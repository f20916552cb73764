"""The second factor: one-time codes by time (RFC 6238), sealed under the vault's key; and recovery codes."""

from __future__ import annotations

from base64 import b32encode

import pyotp

from cycle.aggregates.base import PLATFORM
from cycle.identity.secrets import RandomBytes, derived
from cycle.identity.shapes import place
from cycle.vault.keys import OutsideKey
from cycle.vault.shapes import WrappedKey

SECRET_BYTES = 20
SECONDS = 30
EITHER_SIDE = 1
"""So many time steps a telephone's clock may be wrong."""
ISSUER = "cycle"


def secret_for(session: str) -> bytes:
    """The secret that is offered to a session that sets up its factor: made of its id, kept nowhere before it holds."""
    return derived(session, "second factor")[:SECRET_BYTES]


def uri(account: str, secret: bytes) -> str:
    """What an authenticator app reads off the QR code."""
    return _codes(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def in_words(secret: bytes) -> str:
    """The secret for who types it instead."""
    written = b32encode(secret).decode()
    return " ".join(written[at : at + 4] for at in range(0, len(written), 4))


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The time step that a code is of; None: of none that is near."""
    given, at = code.replace(" ", ""), int(now) // SECONDS
    # All of them, whatever the first one says: the same work for every code.
    fitting = [
        step
        for step in range(at - EITHER_SIDE, at + EITHER_SIDE + 1)
        if pyotp.utils.strings_equal(_codes(secret).generate_otp(step), given)
    ]
    return fitting[-1] if fitting else None


def _codes(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(b32encode(secret).decode(), interval=SECONDS)


def sealed(account: str, secret: bytes, key: OutsideKey, random_bytes: RandomBytes) -> WrappedKey:
    """The secret as the database may hold it."""
    return key.wrapped(WrappedKey(place(account), PLATFORM, "", b""), secret, random_bytes)


def opened(kept: WrappedKey, key: OutsideKey) -> bytes:
    """Raises:
    VaultError: another key sealed it, or it was changed.
    """
    return key.unwrapped(kept)
