"""``cycle webhook``: addresses that events are sent to, and what becomes of what is sent."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from cycle.aggregates.webhook import (
    OVERLAP_HOURS,
    PauseWebhook,
    ReplayWebhook,
    ResumeWebhook,
    RewindWebhook,
    StopWebhookReplay,
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
    STAGES,
    count,
    event_again,
    lag_line,
    list_deliveries,
    removed,
    said,
    territory_in,
)
from cycle_adapters.cli.wording import Wrong


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


@webhook.command("pause")
@click.argument("identity", metavar="ID")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def pause(settings: Settings, identity: str, reason: str) -> None:
    """Send nothing for a while; what comes waits."""
    said(Webhooks, settings, identity, PauseWebhook.type, {"reason": reason})


@webhook.command("resume")
@click.argument("identity", metavar="ID")
@click.pass_obj
def resume(settings: Settings, identity: str) -> None:
    """Send again, from where it stopped."""
    said(Webhooks, settings, identity, ResumeWebhook.type, {})


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


@webhook.command("replay")
@click.argument("identity", metavar="ID")
@click.option("--event", metavar="ID")
@click.option("--after", type=POSITION)
@click.option("--up-to", "up_to", type=POSITION)
@click.option("--stop", is_flag=True)
@click.option("--dry-run", "dry_run", is_flag=True)
@click.pass_obj
def replay(
    settings: Settings,
    identity: str,
    event: str | None,
    after: int | None,
    up_to: int | None,
    stop: bool,
    dry_run: bool,
) -> None:
    """Send an event or a stretch of the log again, or go on from another position."""
    if sum((event is not None, after is not None, stop)) != 1 or (up_to is not None and after is None):
        raise Wrong("replay-what")
    if dry_run:
        count(Webhooks, settings, identity, after, up_to)
    elif stop:
        said(Webhooks, settings, identity, StopWebhookReplay.type, {})
    elif event is not None:
        event_again(Webhooks, settings, identity, event)
    elif up_to is not None:
        said(Webhooks, settings, identity, ReplayWebhook.type, {"after": after, "up_to": up_to})
    else:
        said(Webhooks, settings, identity, RewindWebhook.type, {"after": after})


@webhook.command("remove")
@click.argument("identity", metavar="ID")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def remove(settings: Settings, identity: str, reason: str) -> None:
    """Remove a webhook for good."""
    removed(Webhooks, settings, identity, reason)


@webhook.command("deliveries")
@click.argument("identity", metavar="ID")
@click.option("--stage", type=STAGES)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.pass_obj
def deliveries(settings: Settings, identity: str, stage: str | None, limit: int) -> None:
    """List what was sent, what was answered, what waits."""
    list_deliveries(Webhooks, settings, identity, stage, limit)


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
