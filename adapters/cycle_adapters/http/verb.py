"""``cycle serve``."""

from __future__ import annotations

from contextlib import nullcontext

import click

from cycle.catalogue import text
from cycle.projections.runner import Runner
from cycle.reading import Reader, opened
from cycle.settings import HOST, LOG, LOG_LEVEL, PORT, STOP_SECONDS, WORKER, Settings
from cycle_adapters.http.serving import Server, application, listening
from cycle_adapters.logs import begin, command_told
from cycle_adapters.options import option
from cycle_adapters.stopping import Systemd, stopping
from cycle_adapters.work import at_work


@click.command()
@option(HOST)
@option(PORT, click.IntRange(1, 65535))
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
    no_worker: bool,
    worker_account: str,
    log_format: str | None,
    log_level: str,
    stop_seconds: int,
) -> None:
    """Serve what is recorded: pages for people and JSON for programs, to read."""
    systemd = Systemd()
    with stopping(systemd) as stop, opened(settings.database) as engine, listening(host, port) as listener:
        begin(log_format, log_level, settings.language)
        engine.watchers.append(command_told)
        runner = Runner(engine.store, engine.leaves)
        app = application(engine, runner, settings)
        values = {"database": settings.database.rpartition("@")[2], "address": f"http://{host}:{port}"}
        # What cannot be read is told here, and not to everybody who asks for a page.
        Reader(engine, settings.actor, runner).catch_up()
        click.echo(text("message.serving", settings.language, "", **values))
        with nullcontext() if no_worker else at_work(engine, runner, settings, worker_account):
            Server(app, stop, systemd, stop_seconds).run([listener])
