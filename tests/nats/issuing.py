"""Accounts of NATS as ``nsc`` makes them: an operator, accounts and users, each a token signed by the one above."""

from __future__ import annotations

import json
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from os import urandom
from pathlib import Path
from typing import Any

import nkeys

CONNECTING = ("subs", "data", "payload", "imports", "exports", "conn", "leaf")
STORING = ("mem_storage", "disk_storage", "streams", "consumer")


class Issuer:
    """Somebody with a key."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(urandom(32), prefix)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.name = self._pair.public_key.decode()

    def says(self, about: Issuer, kind: str, **claims: Any) -> str:
        """A token about somebody."""
        said = {
            "iss": self.name,
            "sub": about.name,
            "name": kind,
            "iat": 1,
            "nats": {"type": kind, "version": 2, **claims},
        }
        said["jti"] = b32encode(sha256(json.dumps(said).encode()).digest()).decode().rstrip("=")
        parts = [_part({"typ": "JWT", "alg": "ed25519-nkey"}), _part(said)]
        signed = ".".join(parts)
        return f"{signed}.{_written(self._pair.sign(signed.encode()))}"


def _part(value: object) -> str:
    return _written(json.dumps(value).encode())


def _written(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def accounts(folder: Path) -> tuple[str, Path]:
    """The lines of a server that knows one account with JetStream, and the credentials of a user of it."""
    operator, user = Issuer(nkeys.PREFIX_BYTE_OPERATOR), Issuer(nkeys.PREFIX_BYTE_USER)
    system, account = Issuer(nkeys.PREFIX_BYTE_ACCOUNT), Issuer(nkeys.PREFIX_BYTE_ACCOUNT)
    known = {
        each.name: operator.says(each, "account", limits={**dict.fromkeys(limits, -1), "wildcards": True})
        for each, limits in ((system, CONNECTING), (account, CONNECTING + STORING))
    }
    preload = "\n".join(f"  {name}: {token}" for name, token in known.items())
    lines = (
        f"operator: {operator.says(operator, 'operator', system_account=system.name)}\n"
        f"system_account: {system.name}\nresolver: MEMORY\nresolver_preload: {{\n{preload}\n}}\n"
    )
    path = folder / "cycle.creds"
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{account.says(user, 'user', subs=-1, data=-1, payload=-1)}\n"
        f"------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n"
        "------END USER NKEY SEED------\n",
        "ascii",
    )
    return lines, path
