"""Whose word is taken for who calls: a proxy of this machine, and those that are named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from cycle_adapters.http.serving import BadProxies, Server, listening, proxies
from cycle_adapters.stopping import Stopping, Systemd
from tests.cli.run import Cli
from tests.postgres import free_port


async def who(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """Answers who it thinks is calling, and by what."""
    request = Request(scope)
    assert request.client is not None
    await PlainTextResponse(f"{request.client.host} {request.url.scheme}")(scope, receive, send)


@contextmanager
def served() -> Iterator[int]:
    stop = Stopping()
    with listening("127.0.0.1", 0) as listener:
        listener.listen()
        thread = Thread(target=Server(who, stop, Systemd({}), 5).run, args=([listener],))
        thread.start()
        yield listener.getsockname()[1]
        stop.asked = True
        thread.join(30)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("", "127.0.0.2 http"),
        ("192.0.2.7, 127.0.0.2", "198.51.100.9 https"),
        ("127.0.0.2/31", "198.51.100.9 https"),
    ],
)
def test_a_proxy_elsewhere_is_believed_where_it_is_named(
    named: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without that nobody can sign in behind it: it says that the browser came by TLS."""
    monkeypatch.setattr("cycle_adapters.http.serving.end_within", lambda seconds: None)
    monkeypatch.setenv("CYCLE_PROXIES", named)
    with served() as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30, source_address=("127.0.0.2", 0))
        connection.request("GET", "/", headers={"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https"})
        assert connection.getresponse().read().decode() == told
        connection.close()


@pytest.mark.parametrize("named", ["proxy.example.org", "10.0.0.1/24", "0.0.0.0/0", "::/0", "*"])
def test_who_is_no_proxy_and_everybody_are_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_PROXIES", named)
    with pytest.raises(BadProxies, match="CYCLE_PROXIES"):
        proxies()


def test_serve_says_so_before_anything_is_served(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.begin()
    monkeypatch.setenv("CYCLE_PROXIES", "0.0.0.0/0")
    ran = cli("serve", "--port", str(free_port()), lang="en")
    assert (ran.code, ran.out) == (2, "")
    assert "everybody is no proxy" in ran.err
