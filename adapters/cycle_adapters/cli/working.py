"""``cycle worker``: what goes on beside requests, in a process of its own."""

from __future__ import annotations

from time import sleep

import click

from cycle.catalogue import text
from cycle.projections.runner import Runner
from cycle.reading import opened
from cycle.settings import LOG, LOG_LEVEL, STOP_SECONDS, WORKER, Settings
from cycle_adapters.logs import begin, command_told
from cycle_adapters.options import option
from cycle_adapters.stopping import Systemd, end_within, ready, stopping
from cycle_adapters.work import at_work

LOOK_SECONDS = 0.2


@click.command()
@option(WORKER)
@option(LOG)
@option(LOG_LEVEL)
@option(STOP_SECONDS, click.IntRange(1, 600))
@click.pass_obj
def worker(settings: Settings, worker_account: str, log_format: str | None, log_level: str, stop_seconds: int) -> None:
    """Keep projections, deadlines and seals up until stopped; several do nothing twice."""
    systemd = Systemd()
    with stopping(systemd) as stop, opened(settings.database) as engine:
        begin(log_format, log_level, settings.language)
        engine.watchers.append(command_told)
        with at_work(engine, Runner(engine.store, engine.leaves), settings, worker_account):
            click.echo(text("message.working", settings.language, "", database=settings.database.rpartition("@")[2]))
            ready(systemd)
            while not stop.asked:
                sleep(LOOK_SECONDS)
                systemd.alive()
            end_within(stop_seconds)
