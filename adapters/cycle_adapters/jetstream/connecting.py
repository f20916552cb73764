"""Where NATS is and how it is spoken to, out of the settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from cycle.settings import NATS, NATS_CA, NATS_CERTIFICATE, NATS_CREDENTIALS, NATS_REPLICAS, Setting
from cycle_adapters.jetstream.errors import BadNats

SCHEMES = ("nats", "tls")
CONNECT_SECONDS = 2
PARTS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
"""What a file of credentials holds, as ``nsc`` writes it."""


class Servers(Struct, frozen=True):
    """The servers of one cluster, and what they are shown.

    Any of the addresses will do. ``trust`` verifies them; None: what the addresses ask for and the system trusts.
    """

    addresses: tuple[str, ...]
    replicas: int = 1
    credentials: str = ""
    trust: ssl.SSLContext | None = None

    @property
    def shown(self) -> str:
        """The addresses without what nobody else should see."""
        return ", ".join(urlsplit(each).netloc.rpartition("@")[2] for each in self.addresses)

    def options(self) -> dict[str, Any]:
        """What the client is told. Reconnecting is ours to do: whoever has lost a connection looks at the stream."""
        found: dict[str, Any] = {
            "servers": list(self.addresses),
            "name": "cycle",
            "connect_timeout": CONNECT_SECONDS,
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0,
            "ping_interval": 5,
            "max_outstanding_pings": 2,
        }
        if self.credentials:
            found["user_credentials"] = self.credentials
        if self.trust is not None:
            found["tls"] = self.trust
        return found


def servers() -> Servers | None:
    """Where the settings say that NATS is; None: nowhere.

    Raises:
        BadNats: an address is none, or a file cannot be read.
    """
    addresses = tuple(NATS.given().replace(",", " ").split())
    if not addresses:
        return None
    for each in addresses:
        if not _is_address(each):
            raise BadNats("address", schemes=", ".join(f"{scheme}://" for scheme in SCHEMES))
    replicas = NATS_REPLICAS.given()
    if replicas not in NATS_REPLICAS.choices:
        raise BadNats("replicas", choices=", ".join(NATS_REPLICAS.choices))
    return Servers(addresses, int(replicas), _credentials(), _trust(addresses))


def _is_address(written: str) -> bool:
    try:
        parts = urlsplit(written)
        return parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _credentials() -> str:
    """The file of our credentials; nothing when none is named."""
    path = _file(NATS_CREDENTIALS)
    if path and not all(part in Path(path).read_bytes() for part in PARTS):
        raise BadNats("credentials").about(path)
    return path


def _file(setting: Setting) -> str:
    """The path of a file that can be read; nothing when none is named."""
    path = setting.given()
    if path:
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise BadNats("file", why=error.strerror or "?").about(path) from error
    return path


def _trust(addresses: tuple[str, ...]) -> ssl.SSLContext | None:
    authorities, own = _file(NATS_CA), _file(NATS_CERTIFICATE)
    if not authorities and not own and not any(each.startswith("tls:") for each in addresses):
        return None
    try:
        found = ssl.create_default_context(cafile=authorities or None)
    except ssl.SSLError as error:
        raise BadNats("certificate", why=error.reason or "?").about(authorities) from error
    try:
        if own:
            found.load_cert_chain(own)
    except ssl.SSLError as error:
        raise BadNats("certificate", why=error.reason or "?").about(own) from error
    return found
