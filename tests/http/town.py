"""The real application over a real engine, as seen by somebody who calls it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from socket import socket
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import msgspec
import uvicorn
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from cycle.aggregates.base import Command
from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import Caller, OneAccount, SignInNeeded
from cycle_adapters.http.limits import Following, Limits, Rate
from cycle_adapters.http.rooms import Rooms
from cycle_adapters.http.saying import OF_A_FRAMEWORK
from cycle_adapters.http.serving import listening as bound_to
from cycle_adapters.rooms import rooms_of

WIDE = Limits(
    Rate(1_000_000, 1_000_000), Rate(1_000_000, 1_000_000), wait_seconds=0, following=Following(longest_seconds=0)
)
"""Limits that no test meets by chance; whoever follows the log comes again after each batch."""
API = "/api/v1"


class Named:
    """A token is the name of an account, and ``Scope`` says what it is good for; nothing else signs anybody in."""

    def __init__(self, engine: Engine) -> None:
        self._door = engine.door

    def caller(self, request: Request) -> Caller | None:
        kind, _, account = request.headers.get("authorization", "").partition(" ")
        if not account:
            return None
        if account not in self._door.now.accounts:
            self._door.refresh()
        if kind.lower() != "bearer" or account not in self._door.now.accounts:
            raise SignInNeeded
        scope = request.headers.get("scope")
        return Caller(account, None if scope is None else frozenset(scope.split()))


def rooms(engine: Engine) -> Rooms:
    """What there is beside the database of an engine."""
    return rooms_of(str(engine.env["CYCLE_DATABASE"]))


def named(account: str, **more: str) -> dict[str, str]:
    """Headers by which somebody is known."""
    return {"Authorization": f"Bearer {account}", **more}


@contextmanager
def served(engine: Engine, account: str | None = None, limits: Limits = WIDE) -> Iterator[TestClient]:
    """A client of the application: everybody is one account, or each is who he says."""
    app = make_app(engine, OneAccount(account) if account else Named(engine), rooms(engine), limits)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def sent(command: Command, on: date, target: str | None = None, **more: Any) -> tuple[str, dict[str, Any]]:
    """The address and the body of a command."""
    data = msgspec.json.decode(msgspec.json.encode(command))
    body = {"occurred_on": on.isoformat(), "data": data, **more}
    if command.type in OF_A_FRAMEWORK:
        return f"{API}/frameworks/{target}/commands/{command.type}", body
    return f"{API}/commands/{command.type}", body | ({} if target is None else {"target": target})


def key(given: str | None = None, **more: str) -> dict[str, str]:
    """Headers with the key of a command."""
    return {"Idempotency-Key": given or uuid4().hex, **more}


class Server(uvicorn.Server):
    """A server in a thread of its own, that says when it listens."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_level="critical", server_header=False))
        self.listening = Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """An application behind a real server; yields its address."""
    server = Server(app)
    with bound_to("127.0.0.1", 0) as bound:
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            assert server.listening.wait(30)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving(engine: Engine, limits: Limits = WIDE) -> Iterator[str]:
    """The API behind a real server, where each is who he says; yields its address."""
    with listening(make_app(engine, Named(engine), rooms(engine), limits)) as address:
        yield address
