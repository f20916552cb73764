"""What is taken away in one process is gone in every other one, at its next request."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from cycle.engine import Engine
from cycle.identity.failures import NotSignedIn
from cycle.identity.sessions import Sessions
from tests.identity.house import DHIS, KADI, MONDAY, OUSMANE, House

PROCESSES = get_context("forkserver")


def another(url: str, key: Path, session: str, token: str, hears: Connection) -> None:
    """A process of its own: says who the session and the token are."""
    with Engine(url, vault_key=key) as engine:
        sessions = Sessions(engine, lambda: MONDAY + 60)
        while hears.recv():
            try:
                account: str | None = sessions.by_token(token)[0]
            except NotSignedIn:
                account = None
            hears.send((sessions.account(session), account))


def test_signed_out_here_and_gone_there(house: House) -> None:
    house.with_password()
    begun = house.enters()
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 366)
    here, there = PROCESSES.Pipe()
    assert house.key is not None
    arguments = (house.url, house.key, begun.id, str(token), there)
    process = PROCESSES.Process(target=another, args=arguments, daemon=True)
    process.start()

    def asked() -> object:
        here.send(True)
        return here.recv()

    assert asked() == asked() == (OUSMANE, DHIS)
    house.credentials.revoke(KADI, token.id)
    assert asked() == (OUSMANE, None)
    house.credentials.close(KADI, OUSMANE, "parti")
    assert asked() == (None, None)
    here.send(False)
    process.join(60)
    assert process.exitcode == 0
