"""The key outside the database: one file of one line, which only its owner may read."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from cycle.failures import UNAVAILABLE, Failure
from cycle.leaf import canonical
from cycle.vault.shapes import WrappedKey

KEY_BYTES = 32
NONCE_BYTES = 12
_FIRST_WORD = "cycle-vault-key-1"

RandomBytes = Callable[[int], bytes]
"""Gives so many random bytes that nobody can foresee."""


class VaultError(Failure):
    """The vault cannot be used, and what to do about it."""

    kind = "vault"
    code = "vault"
    exit_code = UNAVAILABLE


class OutsideKey:
    """Wraps the keys of people. ``id`` names it and says nothing about it."""

    def __init__(self, secret: bytes, path: str = "") -> None:
        self._cipher = AESGCM(secret)
        self.path = path
        self.id = sha256(b"cycle-vault-key\x00" + secret).hexdigest()[:16]

    def wrapped(self, bare: WrappedKey, secret: bytes, random_bytes: RandomBytes) -> WrappedKey:
        """A person's key as the database may hold it."""
        wrapped = replace(bare, key_id=self.id)
        nonce = random_bytes(NONCE_BYTES)
        return replace(wrapped, wrapped=nonce + self._cipher.encrypt(nonce, secret, _bound(wrapped)))

    def unwrapped(self, key: WrappedKey) -> bytes:
        """Raises:
        VaultError: it was wrapped by another key, or was changed.
        """
        if key.key_id != self.id:
            raise VaultError("wrong-key", path=self.path, id=self.id, other=key.key_id)
        try:
            return self._cipher.decrypt(key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:], _bound(key))
        except (InvalidTag, ValueError) as error:
            raise VaultError("key-altered", stream=key.stream) from error


def _bound(key: WrappedKey) -> bytes:
    """What a wrapped key is bound to, so that it opens for nobody else."""
    return canonical(["cycle-vault-key-1", key.log, key.stream, key.key_id])


def read_key(path: Path) -> OutsideKey:
    """The key of a file.

    Raises:
        VaultError: it cannot be read, others may read it, or it is none.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise VaultError("open-to-others", path=str(path))
            first, _, encoded = file.read(200).decode("ascii").strip().partition(" ")
        secret = base64.b64decode(encoded, validate=True)
    except OSError as error:
        raise VaultError("unreadable", path=str(path), why=error.strerror or "?") from error
    except ValueError as error:
        raise VaultError("malformed", path=str(path)) from error
    if first != _FIRST_WORD or len(secret) != KEY_BYTES:
        raise VaultError("malformed", path=str(path))
    return OutsideKey(secret, str(path))


def key_of(setting: str | None) -> OutsideKey:
    """The key that ``CYCLE_VAULT_KEY`` names.

    Raises:
        VaultError: it names none, or what ``read_key`` says.
    """
    if not setting:
        raise VaultError("no-key")
    return read_key(Path(setting))


def new_key(path: Path, random_bytes: RandomBytes = token_bytes) -> OutsideKey:
    """Write a new key into a file that does not exist yet, durably, for its owner alone.

    Raises:
        VaultError: there is a file, or it cannot be written.
    """
    secret = random_bytes(KEY_BYTES)
    line = f"{_FIRST_WORD} {base64.b64encode(secret).decode()}\n".encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(line)
            file.flush()
            os.fsync(descriptor)
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise VaultError("exists", path=str(path)) from error
    except OSError as error:
        raise VaultError("unwritable", path=str(path), why=error.strerror or "?") from error
    return OutsideKey(secret, str(path))
