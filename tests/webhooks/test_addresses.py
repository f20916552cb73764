"""Nothing is connected to that stands in a house: whatever it is called, whatever its name answers next time."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import httpcore2
import pytest

from cycle.catalogue import LANGUAGES
from cycle.webhooks.delivering import Response
from cycle_adapters.webhooks.addresses import Address, House, Refuses, is_public, resolved
from cycle_adapters.webhooks.running import BadHouse, house
from cycle_adapters.webhooks.sending import Sender, dialled
from tests.webhooks.certificates import Authority
from tests.webhooks.names import Names, naming
from tests.webhooks.receiver import Receiver

PUBLIC, ELSEWHERE = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
HOSTS = (
    # This machine, however it is written.
    "127.0.0.1", "127.0.0.53", "127.255.255.254", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
    "0177.0.0.1", "017700000001", "0", "0.0.0.0", "localhost", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
    # Its house.
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1",
    "[fc00::1]", "[fd12:3456:789a::1]", "[fec0::1]",
    # Its link, and what clouds tell their machines there and elsewhere.
    "169.254.0.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200",
    "168.63.129.16", "192.0.0.192",
    # Everybody, and nobody.
    "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "198.18.0.1", "192.88.99.1", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]",
    # Addresses in addresses.
    "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]", "[2001:10::1]",
)  # fmt: skip
URLS = (
    *(f"https://{host}/hook" for host in HOSTS),
    # A place of the internet, and what nobody offers there to strangers; or without TLS.
    f"https://{PUBLIC}:22/", f"https://{PUBLIC}:80/", f"https://{PUBLIC}:6379/", f"https://{PUBLIC}:8080/",
    f"http://{PUBLIC}/", f"http://{PUBLIC}:443/", "https://user:word@127.0.0.1/", "https://127.0.0.1:8443#@example.org",
    "https://\u2460\u2461\u2466.0.0.1/", "https://127\u30020\u30020\u30021/",
)  # fmt: skip
_connected: list[Any] | None = None


def _hears(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _connected is not None:
        _connected.append(arguments[1])


sys.addaudithook(_hears)


@contextmanager
def connections() -> Iterator[list[Any]]:
    """Whatever this process connects to, as the interpreter itself tells."""
    global _connected  # noqa: PLW0603 - a hook stays for ever
    _connected = found = []
    try:
        yield found
    finally:
        _connected = None


def send(sender: Sender, url: str) -> Response:
    with sender.to(url) as says:
        return says({"webhook-id": "e-1"}, b"{}")


@pytest.fixture
def names() -> Iterator[Names]:
    with naming() as found:
        yield found


def test_there_are_sixty_of_them_and_more() -> None:
    assert len(set(URLS)) >= 60


@pytest.mark.parametrize("url", URLS)
def test_a_hostile_address_is_never_connected_to(url: str) -> None:
    with connections() as connected:
        found = send(Sender(House()), url)
    assert connected == []
    assert found.status == 0
    assert found.cause.startswith(("refused-", "broken"))


def test_what_looks_at_connections_sees_them(receiver: Receiver) -> None:
    """The same address, where the house lets it through: else the test above would see nothing, either."""
    with connections() as connected:
        found = send(Sender(House(networks=(ip_network("127.0.0.0/8"),))), receiver.url)
    assert found.status == 200
    assert [each[0] for each in connected] == ["127.0.0.1"]


@pytest.mark.parametrize("host", [host for host in HOSTS if not host.strip("[]").isalpha()])
def test_a_name_that_leads_there_is_refused_as_well(host: str, names: Names) -> None:
    try:
        found = resolved(host.strip("[]"), 443)
    except OSError:
        found = []
    for address in found:
        names.answers = {"hook.example": [[address.partition("%")[0]]]}
        with pytest.raises(Refuses, match="no address that anybody reaches"):
            House().allowed("hook.example", 443, tls=True, resolve=names.resolve)


@pytest.mark.parametrize("address", [PUBLIC, ELSEWHERE, "8.8.8.8", "1.1.1.1", "41.73.96.1", f"::ffff:{PUBLIC}"])
def test_what_anybody_reaches_is_allowed(address: str) -> None:
    assert is_public(ip_address(address))
    assert House().allowed("x", 443, tls=True, resolve=lambda host, port: [address]) == [ip_address(address)]
    assert House().allowed("x", 8443, tls=True, resolve=lambda host, port: [address])


def test_one_address_of_the_house_among_others_is_enough_to_refuse(names: Names) -> None:
    names.answers = {"hook.example": [[PUBLIC, "127.0.0.1"]]}
    with pytest.raises(Refuses, match=r"127\.0\.0\.1"):
        House().allowed("hook.example", 443, tls=True, resolve=names.resolve)


@pytest.mark.parametrize(("ports", "url"), [("8443", f"https://{PUBLIC}/"), ("443", f"https://{PUBLIC}:8443/")])
def test_ports_are_those_of_the_setting(ports: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_WEBHOOK_PORTS", ports)
    monkeypatch.setenv("CYCLE_WEBHOOK_NETWORKS", "10.1.0.0/16 fd00::/8")
    assert house().networks == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert send(Sender(house()), url).cause == "refused-port"


@pytest.mark.parametrize(("name", "value"), [("PORTS", "x"), ("NETWORKS", "10.1.0.1/16"), ("NETWORKS", "house")])
def test_a_setting_that_cannot_be_read_is_told(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CYCLE_WEBHOOK_{name}", value)
    with pytest.raises(BadHouse) as caught:
        house()
    assert all(f"CYCLE_WEBHOOK_{name}" in caught.value.told(language) for language in LANGUAGES)


def test_a_name_without_an_address_is_told(names: Names) -> None:
    names.answers = {"hook.example": [[]]}
    assert send(Sender(House(), resolve=names.resolve), "https://hook.example/").cause == "refused-unresolved"


class Far:
    """A server with TLS that stands at ``PUBLIC``, as far as the sender can tell; and what was dialled."""

    def __init__(self, context: ssl.SSLContext | None, answer: bytes, endless: bytes = b"") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context, self._answer, self._endless = context, answer, endless
        self.dialled: list[str] = []
        self.heard = b""
        self.thread = Thread(target=self._serve)
        self.thread.start()

    def dial(self, address: Address, port: int, seconds: float) -> httpcore2.NetworkStream:
        self.dialled.append(f"{address} {port}")
        return dialled(ip_address("127.0.0.1"), self._listener.getsockname()[1], seconds)

    def _serve(self) -> None:
        with closing(self._listener):
            connection, _ = self._listener.accept()
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                # All of it: who closes while something is unread resets the connection, and with it the answer.
                while not self.heard.endswith(b"{}"):
                    part = connection.recv(65_536)
                    if not part:
                        break
                    self.heard += part
                connection.sendall(self._answer)
                while self._endless:
                    connection.sendall(self._endless)
            except OSError:
                pass
            finally:
                connection.close()


TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_name_that_rebinds_gains_nothing(names: Names, authority: Authority) -> None:
    """It answers a place of the internet when it is checked, and this machine from then on."""
    names.answers = {"hook.example": [[PUBLIC], ["127.0.0.1"]]}
    far = Far(authority.serving("hook.example"), TAKEN)
    sender = Sender(House(), trust=authority.trust, resolve=names.resolve, dial=far.dial)
    assert send(sender, "https://hook.example/hook").status == 204
    far.thread.join()
    assert far.dialled == [f"{PUBLIC} 443"], "what was checked is what was connected to"
    assert names.asked == ["hook.example"], "and it was asked for once"
    assert send(sender, "https://hook.example/hook").cause == "refused-not-public"
    assert far.dialled == [f"{PUBLIC} 443"]


def test_tls_is_verified_against_the_name_and_not_the_address(authority: Authority, tmp_path: Path) -> None:
    far = Far(authority.serving("other.example"), TAKEN)
    sender = Sender(House(), trust=authority.trust, resolve=lambda host, port: [PUBLIC], dial=far.dial)
    assert send(sender, "https://hook.example/").cause == "tls"
    far.thread.join()
    assert far.heard == b"", "nothing was said to it"


def test_a_certificate_that_nobody_knows_is_not_taken(authority: Authority) -> None:
    far = Far(authority.serving("hook.example"), TAKEN)
    sender = Sender(House(), resolve=lambda host, port: [PUBLIC], dial=far.dial)
    assert send(sender, "https://hook.example/").cause == "tls"
    far.thread.join()
    assert far.heard == b""


def test_the_address_that_was_asked_for_is_what_the_server_hears(authority: Authority) -> None:
    far = Far(authority.serving("hook.example"), TAKEN)
    sender = Sender(House(), trust=authority.trust, resolve=lambda host, port: [PUBLIC], dial=far.dial)
    send(sender, "https://hook.example:8443/a/hook?b=1")
    far.thread.join()
    assert far.heard.startswith(b"POST /a/hook?b=1 HTTP/1.1\r\n")
    assert b"host: hook.example:8443" in far.heard.lower()


@pytest.mark.parametrize(
    ("answer", "endless", "what"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", b"x" * 1000, "200"),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 100, "broken"),
    ],
)
def test_who_answers_for_ever_is_not_read_for_ever(
    authority: Authority, answer: bytes, endless: bytes, what: str
) -> None:
    far = Far(authority.serving("hook.example"), answer, endless)
    sender = Sender(House(), trust=authority.trust, resolve=lambda host, port: [PUBLIC], dial=far.dial)
    assert send(sender, "https://hook.example/").what == what
    far.thread.join()


def test_who_takes_the_connection_and_says_nothing_is_left_in_time(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def dial(address: Address, _: int, seconds: float) -> httpcore2.NetworkStream:
            return dialled(ip_address("127.0.0.1"), port, seconds)

        sender = Sender(House(), resolve=lambda host, port: [PUBLIC], dial=dial, seconds=0.2)
        assert send(sender, "https://hook.example/").cause == "timeout"


def test_who_does_not_listen_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sender = Sender(House(networks=(ip_network("127.0.0.0/8"),)))
    assert send(sender, f"https://127.0.0.1:{port}/").cause == "connect"
