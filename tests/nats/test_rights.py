"""Who is let in, and to what: TLS, credentials, and the permissions that the page recommends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from nats.js.errors import APIError

import nats
from cycle.fanout.handing import Astray
from cycle_adapters.jetstream.connecting import servers
from cycle_adapters.jetstream.errors import NatsTrouble
from cycle_adapters.jetstream.stream import Stream
from tests.docs.page import DOCS
from tests.nats.issuing import accounts
from tests.nats.server import Node, node
from tests.nats.town import Town
from tests.webhooks.certificates import Authority


def published(town: Town) -> int:
    """Hand everything on by the settings of the environment."""
    where = servers()
    assert where is not None
    with Stream(where) as stream:
        return town.publish(stream)


def secured(folder: Path, *, asks: bool = False) -> tuple[Authority, str]:
    authority = Authority(folder)
    authority.serving("localhost")
    own, trusted = folder / "localhost.pem", authority.kept()
    verify = f'verify: true, ca_file: "{trusted}"' if asks else ""
    return authority, f'tls {{ cert_file: "{own}", key_file: "{own}", {verify} }}'


def test_tls_with_an_authority_of_ones_own(small: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, lines = secured(tmp_path)
    with node(tmp_path / "nats", lines) as server:
        monkeypatch.setenv("CYCLE_NATS", f"tls://localhost:{server.port}")
        with pytest.raises(NatsTrouble) as met:
            published(small)
        assert met.value.cause == "tls"
        monkeypatch.setenv("CYCLE_NATS_CA", str(authority.kept()))
        assert published(small) == small.head
        monkeypatch.setenv("CYCLE_NATS", f"tls://127.0.0.1:{server.port}")
        with pytest.raises(NatsTrouble) as met:
            published(small)
        assert met.value.cause == "tls", "its certificate is for another name"


def test_a_server_that_asks_for_our_certificate(small: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, lines = secured(tmp_path, asks=True)
    with node(tmp_path / "nats", lines) as server:
        monkeypatch.setenv("CYCLE_NATS", f"tls://localhost:{server.port}")
        monkeypatch.setenv("CYCLE_NATS_CA", str(authority.kept()))
        with pytest.raises(NatsTrouble):
            published(small)
        authority.serving("cycle")
        monkeypatch.setenv("CYCLE_NATS_CERTIFICATE", str(tmp_path / "cycle.pem"))
        assert published(small) == small.head


def test_credentials_as_nsc_makes_them(small: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, credentials = accounts(tmp_path)
    with node(tmp_path / "nats", lines) as server:
        monkeypatch.setenv("CYCLE_NATS", server.url)
        with pytest.raises(NatsTrouble) as met:
            published(small)
        assert met.value.cause == "credentials"
        monkeypatch.setenv("CYCLE_NATS_CREDENTIALS", str(credentials))
        assert published(small) == small.head


def recommended() -> tuple[list[str], list[str]]:
    """What the page lets a consumer publish and hear."""
    [block] = re.findall(r"```\n(publish:.*?)```", (DOCS / "nats.md").read_text("utf-8"), re.DOTALL)
    publish, subscribe = block.split("subscribe:")
    return re.findall(r"[$_\w][^\s,]+", publish.removeprefix("publish:")), re.findall(r"[_\w][^\s,]+", subscribe)


def test_a_consumer_with_the_recommended_rights_hears_its_region_and_no_other(
    small: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, subscribe = recommended()
    lines = f"""authorization {{ users: [
      {{ user: cycle, password: own, permissions: {{ publish: ["cycle.v1.>", "$JS.API.>"], subscribe: "_INBOX.>" }} }}
      {{ user: segou, password: own, permissions: {{ publish: {publish}, subscribe: {subscribe} }} }}
    ] }}""".replace("'", '"')
    with node(tmp_path, lines) as server:
        monkeypatch.setenv("CYCLE_NATS", server.url.replace("//", "//cycle:own@"))
        assert published(small) == small.head

        async def consumed(subjects: str, durable: str) -> list[str]:
            async def quiet(error: Exception) -> None: ...

            client = await nats.connect(server.url.replace("//", "//segou:own@"), error_cb=quiet)
            try:
                stream = client.jetstream(timeout=1)
                subscription = await stream.pull_subscribe(subjects, durable=durable, stream="CYCLE")
                messages = await subscription.fetch(100, timeout=5)
                for message in messages:
                    await message.ack_sync()
                return [message.subject for message in messages]
            finally:
                await client.close()

        heard = asyncio.run(consumed("cycle.v1.segou.>", "plans-of-segou"))
        assert heard
        assert {each.split(".")[2] for each in heard} == {"segou"}
        for subjects, durable in (("cycle.v1.koulikoro.>", "other"), ("cycle.v1.>", "all"), ("cycle.v1.segou.>", "my")):
            with pytest.raises((nats.errors.TimeoutError, APIError)):
                asyncio.run(consumed(subjects, durable))


def test_whose_messages_are_not_ours_stops_it(small: Town, server: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else publishes under our subjects: his message stands where an event has to."""
    monkeypatch.setenv("CYCLE_NATS", server.url)
    published(small)

    async def intrude() -> None:
        client = await nats.connect(server.url)
        await client.jetstream().publish("cycle.v1.a.b.c.d", b"{}")
        await client.close()

    asyncio.run(intrude())
    small.happens(small.dioro, 2)
    with pytest.raises(Astray, match="cycle nats refill"):
        published(small)
