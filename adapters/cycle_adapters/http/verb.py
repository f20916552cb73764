"""``cycle serve``."""

from __future__ import annotations

import os
from importlib import import_module

import click
import uvicorn

from cycle.catalogue import text
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.identity.sessions import Sessions
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import Callers
from cycle_adapters.http.demo import is_demo
from cycle_adapters.http.limits import HEADER_BYTES, KEEP_ALIVE_SECONDS
from cycle_adapters.http.provider import provider_of
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import OnThisMachine, SignedIn, is_loopback


class CannotServe(Failure):
    """Whoever comes would be let in unasked, where that must not be."""

    kind = "serve"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--as", "as_account", metavar="REF")
@click.option("--demo", is_flag=True)
@click.pass_obj
def serve(settings: Settings, host: str, port: int, as_account: str | None, demo: bool) -> None:
    """Serve what is recorded: pages for people, and the API for programs."""
    if as_account and demo:
        raise CannotServe("both")
    if (as_account or demo) and not is_loopback(host):
        raise CannotServe("elsewhere")
    address = f"http://{host}:{port}"
    with opened(settings.database) as engine:
        # What cannot be read is told here, and not to everybody who asks for a page.
        Reader(engine, as_account or "").catch_up()
        callers, door = who_calls(engine, as_account, address, demo=demo)
        values = {"database": settings.database.rpartition("@")[2], "address": address}
        click.echo(text("message.serving", settings.language, "", **values))
        if as_account:
            click.echo(text("message.serving-as", settings.language, "", account=as_account))
        if demo:
            click.echo(text("message.serving-demo", settings.language))
        # Named, not imported: adapters stay out of each other's rooms.
        beside = import_module("cycle_adapters.sealing.beside")
        with beside.sealing(engine.store, settings.database, settings.language):
            uvicorn.run(
                make_app(engine, callers, door=door),
                host=host,
                port=port,
                log_level="warning",
                # The address of an invitation is a secret; who asked for what is in no log of ours.
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=HEADER_BYTES,
            )


def who_calls(engine: Engine, as_account: str | None, address: str, *, demo: bool) -> tuple[Callers, SigningIn | None]:
    """Who calls, and where people sign in.

    Raises:
        CannotServe: everybody would be anybody in a log that is not made up.
        ProviderMisset: the settings do not name a provider.
    """
    if as_account:
        return OnThisMachine(as_account), None
    if demo and not is_demo(engine):
        raise CannotServe("not-a-demo")
    sessions = Sessions(engine)
    provider = provider_of(os.environ, os.environ.get("CYCLE_ADDRESS") or address)
    return SignedIn(sessions), SigningIn(engine, sessions, provider, demo)
