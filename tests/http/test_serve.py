"""``cycle serve`` as a process of its own, on a real port: who is asked to sign in, and who is refused to be served."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from cycle.demo import Simulated
from cycle.engine import Engine
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.http.demo import buttons, is_demo
from cycle_adapters.http.serving import listening
from tests.cli.run import Cli
from tests.http.browser import hidden
from tests.identity.house import DHIS, KADI, OUSMANE, PASSWORD, House
from tests.postgres import free_port


@pytest.fixture
def cli(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(sqlite_url, capsys)


@contextmanager
def serving(url: str, *arguments: str, **settings: str) -> Iterator[tuple[str, list[str]]]:
    """A server; yields its address and what it has said."""
    port = free_port()
    words = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()"]
    words += ["--database", url, "--lang", "en", "serve", "--port", str(port), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CYCLE_")} | settings
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline()]
            with httpx2.Client(transport=httpx2.HTTPTransport(retries=10)) as client:
                assert client.get(f"{address}/healthz", timeout=60).status_code == 200
            yield address, said
        finally:
            process.terminate()
            said += process.stdout.readlines()
            process.wait(60)


def browser(address: str) -> httpx2.Client:
    return httpx2.Client(base_url=address, headers={"Origin": address}, timeout=60)


def test_a_server_of_another_process_feels_at_once_what_is_taken_away(house: House) -> None:
    house.with_password()
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 366)
    bearer = {"Authorization": f"Bearer {token}"}
    with serving(house.url) as (address, _), browser(address) as client:
        assert client.get("/", follow_redirects=False).status_code == 303
        page = client.get("/sign-in").text
        said = {**hidden(page), "account": OUSMANE, "password": PASSWORD}
        assert client.post("/sign-in", data=said, follow_redirects=False).headers["location"] == "/"
        assert client.get("/api/v1/plans").status_code == 200
        assert client.get("/api/v1/plans", headers=bearer).status_code == 200
        house.credentials.revoke(KADI, token.id)
        assert client.get("/api/v1/plans", headers=bearer).status_code == 401
        assert client.get("/api/v1/plans").status_code == 200
        house.credentials.sign_out(KADI, OUSMANE)
        assert client.get("/api/v1/plans").status_code == 401


def test_what_asks_nobody_who_he_is_serves_this_machine_only(house: House) -> None:
    with serving(house.url, "--as", OUSMANE) as (address, said), browser(address) as client:
        assert client.get("/api/v1/plans").status_code == 200
        assert client.get("/sign-in").status_code == 404
        foreign = client.get("/api/v1/plans", headers={"Host": "evil.example", "Accept-Language": "en"})
        assert foreign.status_code == 401
        assert "under its own address" in foreign.json()["detail"]
    assert "whoever reaches this address acts as ousmane" in "".join(said)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--as", "kadi", "--host", "0.0.0.0"), "serve this machine only"),
        (("--demo", "--host", "192.0.2.1"), "serve this machine only"),
        (("--demo", "--as", "kadi"), "say one of the two"),
        (("--demo",), "was not made by `cycle demo`"),
    ],
)
def test_what_would_let_everybody_in_is_refused(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    cli.begin()
    refused = cli("serve", *arguments, lang="en")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert says in refused.err


def test_settings_that_name_half_a_provider_are_told_before_anything_is_served(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.begin()
    monkeypatch.setenv("CYCLE_OIDC_ISSUER", "https://id.example.ml")
    refused = cli("serve", lang="en")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "CYCLE_OIDC_CLIENT_ID" in refused.err


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    with Simulated(url, 1) as simulated:
        simulated.tell(recorded, frameworks=2, cycles=1)
    return url


def test_in_a_demo_a_newcomer_is_in_with_one_button(demo: str) -> None:
    with serving(demo, "--demo") as (address, said), browser(address) as client:
        page = client.get("/", follow_redirects=True).text
        assert page.count("<button>") > 10
        from_elsewhere = client.get("/sign-in", headers={"Host": "cycle.example.org"}).text
        assert "/sign-in/demo" in page
        assert "/sign-in/demo" not in from_elsewhere, "it would be refused there"
        fields = {**hidden(page.partition('value="facilitator-01"')[0]), "account": "facilitator-01"}
        assert client.post("/sign-in/demo", data=fields, follow_redirects=False).headers["location"] == "/"
        assert client.get("/api/v1/session").json()["account"] == "facilitator-01"
        assert client.get("/api/v1/frameworks").json()["items"]
    assert "chooses who to be" in "".join(said)


def test_every_role_of_the_demo_has_a_button(demo: str) -> None:
    with Engine(demo) as engine:
        assert is_demo(engine)
        found = buttons(engine, "en")
    accounts = {button.account for button in found}
    assert {"facilitator-01", "mayor-01", "council-secretary-01", "administrator-pact", "operator"} <= accounts
    assert "facilitator-02" not in accounts
    assert "worker" not in accounts, "a machine signs in with tokens"
    places = {button.account: button.where for button in found}
    assert (places["facilitator-01"], places["administrator-pact"]) == ("Dioro", "everywhere")


def test_a_log_that_is_no_demo_is_none(house: House) -> None:
    assert not is_demo(house.engine)


def test_small_answers_are_sent_at_once() -> None:
    async def without_delay() -> int:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answered.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening("127.0.0.1", 0) as bound:
            server = await asyncio.start_server(meet, sock=bound)
            async with server:
                _, writer = await asyncio.open_connection(*bound.getsockname())
                writer.close()
                return await answered

    assert asyncio.run(without_delay())
