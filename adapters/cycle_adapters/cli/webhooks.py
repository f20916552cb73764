"""``cycle webhook``: addresses that events are sent to, and what becomes of what is sent."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from cycle.aggregates.webhook import (
    OVERLAP_HOURS,
)
from cycle.catalogue import text
from cycle.engine import Engine
from cycle.reading import opened
from cycle.settings import Settings
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle.webhooks.listing import WebhookRow, webhook_row
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.cli.subscriptions import (
    POSITION,
    lag_line,
    territory_in,
    verbs_about,
)


@click.group()
def webhook() -> None:
    """Register, watch, pause, replay and remove webhooks."""


@webhook.command("add")
@click.argument("url", metavar="URL")
@click.option("--type", "types", metavar="TYPE", multiple=True)
@click.option("--territory", metavar="TERRITORY", default="/", show_default=True)
@click.option("--after", type=POSITION)
@click.pass_obj
def add(settings: Settings, url: str, types: tuple[str, ...], territory: str, after: int | None) -> None:
    """Have events sent to an address; the secret that signs them is shown once."""
    with Engine(settings.database) as engine:
        where = territory_in(engine, settings, territory)
        handed_over(settings, Webhooks(engine).add(settings.actor, url, types, where, after))


@webhook.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the webhooks that the account sees."""
    with opened(settings.database) as engine:
        webhooks = Webhooks(engine)
        found = [webhook_row(webhooks, each) for each in webhooks.seen_by(settings.actor)]
    if settings.json:
        emit(found)
        return
    for each in found:
        tell(each, settings)
    if not found:
        click.echo(text("message.none-found", settings.language))


@webhook.command("rotate")
@click.argument("identity", metavar="ID")
@click.option("--overlap-hours", "overlap_hours", type=click.IntRange(0, 168), default=OVERLAP_HOURS, show_default=True)
@click.pass_obj
def rotate(settings: Settings, identity: str, overlap_hours: int) -> None:
    """Change the secret; both sign for some hours."""
    with Engine(settings.database) as engine:
        webhooks = Webhooks(engine)
        own = webhooks.find(settings.actor, identity).id
        handed_over(settings, webhooks.rotate(settings.actor, own, overlap_hours))


for each in verbs_about(Webhooks):
    webhook.add_command(each)


def handed_over(settings: Settings, made: Secret) -> None:
    """The secret, for this once."""
    if settings.json:
        emit({"webhook": made.webhook, "secret": made.secret})
        return
    paragraph(text("message.webhook-made", settings.language, "", id=made.webhook))
    click.echo(made.secret)


def tell(each: WebhookRow, settings: Settings) -> None:
    """One webhook, in four lines."""
    language = settings.language
    heading(f"{each.webhook} {each.url}")
    about = {"stage": each.stage, "owner": each.owner, "territory": each.territory, "types": each.types}
    paragraph(text("message.webhook-line", language, "", **about), "  ")
    counted = {**asdict(each.deliveries), "position": each.position, "head": each.head}
    paragraph(text("message.webhook-counts", language, "", **counted), "  ")
    paragraph(lag_line(each.lag, settings), "  ")
