"""The application at an address of this machine, for a browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from fastapi import FastAPI

from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from tests.http.town import WIDE, Named, rooms


class _Server(uvicorn.Server):
    """Says when it is there."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def at_an_address(engine: Engine, app: FastAPI | None = None) -> Iterator[str]:
    """The address at which the pages are served; ``app``: where it is not the name that says who somebody is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = app or make_app(engine, Named(engine), rooms(engine), WIDE)
        config = uvicorn.Config(served, log_level="error", lifespan="on")
        server = _Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.up.wait(30)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
