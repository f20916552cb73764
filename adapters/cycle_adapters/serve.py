"""``cycle serve``: the server, put together with the rooms that it hands on from and with what works beside it."""

from __future__ import annotations

import os
from contextlib import nullcontext

import click

from cycle.catalogue import text
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.identity.sessions import Sessions
from cycle.projections.runner import Runner
from cycle.reading import Reader, opened
from cycle.settings import ADDRESS, HOST, LOG, LOG_LEVEL, PORT, STOP_SECONDS, WORKER, Settings
from cycle_adapters.http.callers import Callers
from cycle_adapters.http.demo import is_demo
from cycle_adapters.http.provider import provider_of
from cycle_adapters.http.serving import Server, application, listening
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import OnThisMachine, SignedIn, is_loopback
from cycle_adapters.logs import begin, command_told
from cycle_adapters.options import option
from cycle_adapters.rooms import rooms_of
from cycle_adapters.stopping import Systemd, stopping
from cycle_adapters.work import at_work


class LetsIn(Failure):
    """Whoever comes would be let in unasked, where that must not be."""

    kind = "serve"


@click.command()
@option(HOST)
@option(PORT, click.IntRange(1, 65535))
@click.option("--as", "as_account", metavar="REF")
@click.option("--demo", is_flag=True)
@click.option("--no-worker", is_flag=True)
@option(WORKER)
@option(LOG)
@option(LOG_LEVEL)
@option(STOP_SECONDS, click.IntRange(1, 600))
@click.pass_obj
def serve(
    settings: Settings,
    host: str,
    port: int,
    as_account: str | None,
    demo: bool,
    no_worker: bool,
    worker_account: str,
    log_format: str | None,
    log_level: str,
    stop_seconds: int,
) -> None:
    """Serve what is recorded: pages for people, and the API for programs."""
    if as_account and demo:
        raise LetsIn("both")
    if (as_account or demo) and not is_loopback(host):
        raise LetsIn("elsewhere")
    address, systemd = f"http://{host}:{port}", Systemd()
    with stopping(systemd) as stop, opened(settings.database) as engine, listening(host, port) as listener:
        begin(log_format, log_level, settings.language)
        engine.watchers.append(command_told)
        runner = Runner(engine.store, engine.leaves)
        # What cannot be read is told here, and not to everybody who asks for a page.
        Reader(engine, as_account or "", runner).catch_up()
        callers, door = who_calls(engine, as_account, address, demo=demo)
        rooms, outside = rooms_of(settings.database), ADDRESS.given() or address
        app = application(engine, runner, settings, callers, door, rooms, outside, stop)
        server = Server(app, stop, systemd, stop_seconds)
        values = {"database": settings.database.rpartition("@")[2], "address": address}
        click.echo(text("message.serving", settings.language, "", **values))
        if as_account:
            click.echo(text("message.serving-as", settings.language, "", account=as_account))
        if demo:
            click.echo(text("message.serving-demo", settings.language))
        with nullcontext() if no_worker else at_work(engine, runner, settings, worker_account):
            server.run([listener])


def who_calls(engine: Engine, as_account: str | None, address: str, *, demo: bool) -> tuple[Callers, SigningIn | None]:
    """Who calls, and where people sign in.

    Raises:
        LetsIn: everybody would be anybody in a log that is not made up.
        ProviderMisset: the settings do not name a provider.
    """
    if as_account:
        return OnThisMachine(as_account), None
    if demo and not is_demo(engine):
        raise LetsIn("not-a-demo")
    sessions = Sessions(engine)
    return SignedIn(sessions), SigningIn(engine, sessions, provider_of(os.environ, ADDRESS.given() or address), demo)
