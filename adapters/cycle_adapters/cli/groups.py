"""``cycle group``: workers that share what is recorded, and how far behind they are."""

from __future__ import annotations

import click
from msgspec.structs import asdict

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
    lag_line,
    territory_in,
    verbs_about,
)


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


for each in verbs_about(Groups):
    group.add_command(each)


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
