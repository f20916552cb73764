"""A server in a process of its own, which can be killed: ``python -m tests.desk.offline.process URL PORT [DIES]``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cycle.engine import Engine
from tests.desk.dioro import NOW
from tests.desk.offline.town import signing_in

READY = "ready"


class Dying:
    """Kills its own process once so many commands are carried out: recorded, and nobody heard of the last one."""

    def __init__(self, app: ASGIApp, commands: int) -> None:
        self._app, self._left = app, commands

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = scope["type"] == "http" and scope["method"] == "POST"

        async def answer(message: Message) -> None:
            if said and message["type"] == "http.response.start":
                self._left -= 1
                if not self._left:
                    os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await self._app(scope, receive, answer)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(READY, flush=True)


def serve(url: str, port: int, dies_after: int = 0) -> None:
    with Engine(url, clock=lambda: NOW) as engine:
        app: ASGIApp = signing_in(engine)
        served = Dying(app, dies_after) if dies_after else app
        _Server(uvicorn.Config(served, port=port, log_level="error")).run()


@contextmanager
def process(url: str, port: int, dies_after: int = 0) -> Iterator[subprocess.Popen[str]]:
    """The server, from when it listens on."""
    command = [sys.executable, "-m", "tests.desk.offline.process", url, str(port), str(dies_after)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().strip() == READY
            yield running
        finally:
            running.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
