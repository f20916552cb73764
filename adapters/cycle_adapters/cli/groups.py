"""``cycle group``: workers that share what is recorded, and how far behind they are."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from cycle.aggregates.group import (
    PauseConsumerGroup,
    ReplayConsumerGroup,
    ResumeConsumerGroup,
    RewindConsumerGroup,
    StopConsumerGroupReplay,
)
from cycle.catalogue import text
from cycle.engine import Engine
from cycle.groups.known import Groups
from cycle.groups.listing import GroupRow, group_row
from cycle.reading import opened
from cycle.settings import Settings
from cycle.subscriptions.known import identity_of
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
def group() -> None:
    """Register, watch, pause, rewind, replay and remove consumer groups."""


@group.command("add")
@click.argument("name", metavar="NAME")
@click.option("--type", "types", metavar="TYPE", multiple=True)
@click.option("--territory", metavar="TERRITORY", default="/", show_default=True)
@click.option("--after", type=POSITION)
@click.pass_obj
def add(settings: Settings, name: str, types: tuple[str, ...], territory: str, after: int | None) -> None:
    """Have events handed out to workers that share them."""
    with Engine(settings.database) as engine:
        where = territory_in(engine, settings, territory)
        made = identity_of(Groups(engine).add(settings.actor, name, types, where, after).receipt.stream)
    if settings.json:
        emit({"group": made})
        return
    paragraph(text("message.group-made", settings.language, "", id=made))


@group.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the consumer groups that the account sees."""
    with opened(settings.database) as engine:
        groups = Groups(engine)
        found = [group_row(groups, each) for each in groups.seen_by(settings.actor)]
    if settings.json:
        emit(found)
        return
    for each in found:
        tell(each, settings)
    if not found:
        click.echo(text("message.none-found", settings.language))


@group.command("pause")
@click.argument("identity", metavar="ID")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def pause(settings: Settings, identity: str, reason: str) -> None:
    """Hand out nothing for a while; what comes waits."""
    said(Groups, settings, identity, PauseConsumerGroup.type, {"reason": reason})


@group.command("resume")
@click.argument("identity", metavar="ID")
@click.pass_obj
def resume(settings: Settings, identity: str) -> None:
    """Hand out again, from where it stopped."""
    said(Groups, settings, identity, ResumeConsumerGroup.type, {})


@group.command("rewind")
@click.argument("identity", metavar="ID")
@click.option("--after", type=POSITION, required=True)
@click.option("--dry-run", "dry_run", is_flag=True)
@click.pass_obj
def rewind(settings: Settings, identity: str, after: int, dry_run: bool) -> None:
    """Go on from another position; what waited waits no longer."""
    if dry_run:
        count(Groups, settings, identity, after, None)
        return
    said(Groups, settings, identity, RewindConsumerGroup.type, {"after": after})


@group.command("replay")
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
    """Hand out an event or a stretch of the log again."""
    if sum((event is not None, after is not None, stop)) != 1 or (up_to is None) != (after is None):
        raise Wrong("group-replay-what")
    if dry_run:
        count(Groups, settings, identity, after, up_to)
    elif stop:
        said(Groups, settings, identity, StopConsumerGroupReplay.type, {})
    elif event is not None:
        event_again(Groups, settings, identity, event)
    else:
        said(Groups, settings, identity, ReplayConsumerGroup.type, {"after": after, "up_to": up_to})


@group.command("remove")
@click.argument("identity", metavar="ID")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def remove(settings: Settings, identity: str, reason: str) -> None:
    """Remove a consumer group for good."""
    removed(Groups, settings, identity, reason)


@group.command("deliveries")
@click.argument("identity", metavar="ID")
@click.option("--stage", type=STAGES)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.pass_obj
def deliveries(settings: Settings, identity: str, stage: str | None, limit: int) -> None:
    """List what was handed out, what became of it, what waits."""
    list_deliveries(Groups, settings, identity, stage, limit)


def tell(each: GroupRow, settings: Settings) -> None:
    """One group, in a few lines."""
    language = settings.language
    heading(f"{each.group} {each.name}")
    about = {"stage": each.stage, "owner": each.owner, "territory": each.territory, "types": each.types}
    paragraph(text("message.group-line", language, "", **about), "  ")
    counted = {**asdict(each.deliveries), "position": each.position, "head": each.head, "leased": each.leased}
    paragraph(text("message.group-counts", language, "", **counted), "  ")
    paragraph(lag_line(each.lag, settings), "  ")
    for member in each.members:
        held = {**asdict(member), "lease": str(member.lease)}
        paragraph(text("message.group-member", language, "", **held), "  ")
