"""Sending: requests over a connection to an address that was checked, with an end to everything."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import monotonic, time
from typing import Any

import httpcore2
import httpx2

from cycle import __version__
from cycle.webhooks.delivering import Response, Says
from cycle_adapters.webhooks.addresses import Address, House, Refuses, Resolves, resolved

TIMEOUT_SECONDS = 15.0
"""For all of it: Standard Webhooks asks for 15 to 30 seconds."""
LONGEST_ANSWER = 65_536
"""What is read of an answer, for the connection's sake; it says nothing to us."""
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_ASKS_FOR_PEACE = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

Dials = Callable[[Address, int, float], httpcore2.NetworkStream]
"""Connects to an address and a port, within some seconds."""


def dialled(address: Address, port: int, seconds: float) -> httpcore2.NetworkStream:
    at_once = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return httpcore2.SyncBackend().connect_tcp(str(address), port, seconds, socket_options=[at_once])


class Sender:
    """Takes bodies to addresses; follows nothing, asks no proxy, and keeps no connection behind a piece of work.

    Args:
        trust: what certificates are verified by.
        seconds: for all of one request, from the name to the end of the answer.
    """

    def __init__(
        self,
        house: House,
        *,
        trust: ssl.SSLContext | None = None,
        resolve: Resolves = resolved,
        dial: Dials = dialled,
        seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._house, self._resolve, self._dial, self._seconds = house, resolve, dial, seconds
        self._trust = trust or ssl.create_default_context()

    @contextmanager
    def to(self, url: str) -> Iterator[Says]:
        """Every connection is made to an address that was checked for it; what follows goes the same way."""
        backend = Checked(self._house, self._resolve, self._dial, self._seconds)
        with httpcore2.ConnectionPool(ssl_context=self._trust, network_backend=backend) as pool:
            yield lambda sent, body: _told(pool, backend, url, sent, body)


def _told(pool: httpcore2.ConnectionPool, backend: Checked, url: str, sent: dict[str, str], body: bytes) -> Response:
    try:
        return _answered(pool, backend, httpx2.URL(url), sent, body)
    except Refuses as refused:
        return Response(0, f"refused-{refused.cause}")
    except httpcore2.TimeoutException:
        return Response(0, "timeout")
    except httpcore2.ConnectError as error:
        return Response(0, "tls" if isinstance(error.__cause__ or error.__context__, ssl.SSLError) else "connect")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.InvalidURL, OSError, ValueError):
        return Response(0, "broken")


def _answered(
    pool: httpcore2.ConnectionPool, backend: Checked, url: httpx2.URL, sent: dict[str, str], body: bytes
) -> Response:
    tls = url.scheme == "https"
    port = url.port or (443 if tls else 80)
    said = {"host": url.netloc.decode("ascii"), "user-agent": f"cycle/{__version__}", "accept": "*/*", **sent}
    asked = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path)
    headers = [*((name.encode(), value.encode()) for name, value in said.items())]
    headers.append((b"content-length", str(len(body)).encode()))

    def response() -> Response:
        with pool.stream("POST", asked, headers=headers, content=body) as answer:
            _read(answer.iter_stream())
            peace = retry_after(dict(answer.headers)) if answer.status in _ASKS_FOR_PEACE else None
            return Response(answer.status, retry_after_seconds=peace)

    made = backend.begin(tls=tls)
    try:
        return response()
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
        if backend.made > made:
            raise
        # Kept from the request before, and closed by the other side just now: whoever answers hears it once more.
        return response()


def _read(parts: Iterable[bytes]) -> None:
    length = 0
    for part in parts:
        length += len(part)
        if length > LONGEST_ANSWER:
            return


def retry_after(headers: dict[bytes, bytes], now: Callable[[], float] = time) -> float | None:
    """How long ``Retry-After`` asks to wait: seconds, or until a moment; None: it asks for nothing."""
    said = next((value for name, value in headers.items() if name.lower() == b"retry-after"), b"").decode("latin-1")
    if _SECONDS.fullmatch(said.strip()):
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now())


class Checked(httpcore2.NetworkBackend):
    """Connects to what was checked, and to nothing that was not; every wait ends with the time of one request."""

    def __init__(self, house: House, resolve: Resolves, dial: Dials, seconds: float) -> None:
        self._house, self._resolve, self._dial, self._seconds = house, resolve, dial, seconds
        self._tls, self.until, self.made = True, 0.0, 0
        """``made``: how many connections."""

    def begin(self, *, tls: bool) -> int:
        """A request begins: its time runs from now on. Returns how many connections were made before it."""
        self._tls, self.until = tls, monotonic() + self._seconds
        return self.made

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Raises:
        Refuses: the address is not to be connected to.
        """
        self.made += 1
        addresses = self._house.allowed(host.strip("[]"), port, tls=self._tls, resolve=self._resolve)
        last: Exception = httpcore2.ConnectError()
        for address in addresses:
            try:
                return Timed(self._dial(address, port, left(self.until)), self)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise Refuses("not-public", address=path)

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Timed(httpcore2.NetworkStream):
    """A stream whose every wait ends with the time of the request, however little at a time the other side sends."""

    def __init__(self, stream: httpcore2.NetworkStream, time: Checked) -> None:
        self._stream, self._time = stream, time

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(self._time.until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(self._time.until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return Timed(self._stream.start_tls(ssl_context, server_hostname, left(self._time.until)), self._time)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left(until: float) -> float:
    """Seconds that are left.

    Raises:
        TimeoutException: none.
    """
    seconds = until - monotonic()
    if seconds <= 0:
        raise httpcore2.ReadTimeout
    return seconds
