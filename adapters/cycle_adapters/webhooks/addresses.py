"""Which addresses a webhook may lead to: those that anybody reaches, and none of our own house.

Asked of the very address that is connected to, after the name was resolved and never again: a name that answers
otherwise the next time gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

from cycle.failures import Failure

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolves = Callable[[str, int], Sequence[str]]
"""All addresses of a name, as the system knows them."""
PORTS = frozenset({443, 8443})

_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
            # Azure answers virtual machines there, about themselves and their secrets.
            "168.63.129.16/32",
        ),
    )
)  # fmt: skip
"""Of the special-purpose registry of IANA (RFC 6890 and later), and metadata of clouds beyond it."""
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is given out for use on the internet."""
_V6 = tuple(
    map(
        IPv6Network,
        # Within it: protocols, benchmarks, documentation, Teredo and 6to4 (which hold addresses of IPv4).
        ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
_MAPPED, _NAT64 = IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")


class Refuses(Failure):
    """Nothing is connected to; ``cause`` says what is wrong with the address."""

    kind = "webhook-address"
    code = "webhook-address"


class House(Struct, frozen=True):
    """What is allowed beyond the internet's rule: ports, and the networks of a test or of the house itself.

    In ``networks`` everything is allowed: any port, and http.
    """

    ports: frozenset[int] = PORTS
    networks: tuple[Network, ...] = ()

    def allowed(self, host: str, port: int, *, tls: bool, resolve: Resolves) -> Sequence[Address]:
        """The addresses of a host that may be connected to; resolved once, and every one of them is looked at.

        Raises:
            Refuses: one of them, the port, or that there is no TLS; or the name has no address.
        """
        try:
            found = [ip_address(each) for each in resolve(host, port)]
        except (OSError, UnicodeError, ValueError) as error:
            raise Refuses("unresolved", host=host) from error
        if not found:
            raise Refuses("unresolved", host=host)
        for address in found:
            self._demand(address, port, tls)
        return found

    def _demand(self, address: Address, port: int, tls: bool) -> None:
        if any(address in network for network in self.networks):
            return
        if not is_public(address):
            raise Refuses("not-public", address=str(address))
        if port not in self.ports:
            raise Refuses("port", port=str(port), ports=", ".join(map(str, sorted(self.ports))))
        if not tls:
            raise Refuses("no-tls")


def is_public(address: Address) -> bool:
    """Whether anybody on the internet reaches what stands at an address, and it is none of a house or a machine."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4)
    if address.scope_id is not None:
        return False
    if address in _MAPPED or address in _NAT64:
        # What the last four bytes say is where it leads.
        return is_public(IPv4Address(address.packed[-4:]))
    return address in _GLOBAL_V6 and not any(address in network for network in _V6)


def resolved(host: str, port: int) -> Sequence[str]:
    """What this machine's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def network(written: str) -> Network:
    """Raises:
    ValueError: it is none.
    """
    return ip_network(written)
