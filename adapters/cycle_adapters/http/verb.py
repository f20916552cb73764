"""``cycle serve``."""

from __future__ import annotations

from importlib import import_module

import click
import uvicorn

from cycle.catalogue import text
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.limits import HEADER_BYTES, KEEP_ALIVE_SECONDS


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
                make_app(engine, OneAccount(settings.actor)),
                host=host,
                port=port,
                log_level="warning",
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=HEADER_BYTES,
            )
