"""``cycle nats``: how far events are handed on, and handing all of them on again."""

from __future__ import annotations

import click
import msgspec

from cycle.catalogue import text
from cycle.fanout.handing import HandingOn
from cycle.reading import opened
from cycle.settings import NATS, WORKER, Settings
from cycle_adapters.jetstream import looking
from cycle_adapters.jetstream.connecting import Servers, servers
from cycle_adapters.jetstream.errors import BadNats
from cycle_adapters.jetstream.filling import refill
from cycle_adapters.jetstream.stream import Stream
from cycle_adapters.options import option
from cycle_adapters.progress import progress


@click.group("nats")
def nats_() -> None:
    """Look after the stream that events are handed on to."""


@nats_.command("status")
@click.pass_obj
def status(settings: Settings) -> None:
    """Say how far the stream is, and how it stands."""
    where()
    with opened(settings.database) as engine:
        found = looking.status(engine)
    values = msgspec.to_builtins(found)
    if settings.json:
        click.echo(msgspec.json.encode(values).decode())
        return
    click.echo(text("message.nats-status", settings.language, "", **values))
    click.echo(text("message.nats-copies", settings.language, "", **values))


@nats_.command("refill")
@click.option("--yes", is_flag=True)
@option(WORKER)
@click.pass_obj
def refill_(settings: Settings, yes: bool, worker_account: str) -> None:
    """Delete the stream, with what consumers have said of it, and fill it from the log."""
    found = where()
    if not yes:
        raise BadNats("not-confirmed", servers=found.shown)
    with opened(settings.database) as engine:
        engine.act(settings.actor, "nats-refill")
        with Stream(found) as stream, progress(settings, "refilling") as moved:
            position = refill(engine, HandingOn(engine, worker_account), stream, moved)
    if settings.json:
        click.echo(msgspec.json.encode({"position": position}).decode())
    else:
        click.echo(text("message.nats-refilled", settings.language, "", position=position))


def where() -> Servers:
    """Raises:
    BadNats: no NATS is named, or a setting cannot be used.
    """
    found = servers()
    if found is None:
        raise BadNats("none", variable=NATS.variable)
    return found
