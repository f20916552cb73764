"""``cycle serve``."""

from __future__ import annotations

from importlib import import_module

import click
import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from cycle.access import READING
from cycle.catalogue import text
from cycle.engine import Engine
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.limits import HEADER_BYTES, KEEP_ALIVE_SECONDS

OWN_NAMES = ["127.0.0.1", "localhost"]


def app_at(host: str, engine: Engine, account: str) -> FastAPI:
    """The application for whoever reaches a host as one account: on this machine it may do what the account may.

    From elsewhere it only reads. On this machine it answers to the machine's own names alone: a page of another
    site that makes its name lead here is not answered.
    """
    if host not in OWN_NAMES:
        return make_app(engine, OneAccount(account, frozenset(READING)))
    app = make_app(engine, OneAccount(account))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=OWN_NAMES)
    return app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.pass_obj
def serve(settings: Settings, host: str, port: int) -> None:
    """Serve what is recorded: pages for people, and the API for programs."""
    with opened(settings.database) as engine:
        values = {"database": settings.database.rpartition("@")[2], "address": f"http://{host}:{port}"}
        # What cannot be read is told here, and not to everybody who asks for a page.
        Reader(engine, settings.actor).catch_up()
        click.echo(text("message.serving", settings.language, "", **values))
        # Named, not imported: adapters stay out of each other's rooms.
        beside = import_module("cycle_adapters.sealing.beside")
        with beside.sealing(engine.store, settings.database, settings.language):
            uvicorn.run(
                app_at(host, engine, settings.actor),
                host=host,
                port=port,
                log_level="warning",
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=HEADER_BYTES,
            )
