"""``cycle picture``: how long it takes, drawn; or the data of a picture, for programs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle.timings.measuring import By
from cycle.timings.pictures.all import PICTURES, pictured
from cycle_adapters.cli.places import filters_at
from cycle_adapters.cli.printing import emit
from cycle_adapters.cli.wording import Wrong
from cycle_adapters.options import area_options, past_options
from cycle_adapters.pictures.drawing import drawn
from cycle_adapters.whole import written_or_out


@click.command()
@click.argument("name", type=click.Choice(list(PICTURES), case_sensitive=False), metavar="PICTURE")
@click.option("--by", type=click.Choice([each.value for each in By]))
@click.option("--framework", "framework_", metavar="ID")
@area_options
@click.option("--to", metavar="FILE", type=click.Path(path_type=Path))
@past_options
@click.pass_obj
def picture(
    settings: Settings,
    name: str,
    by: str | None,
    framework_: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
    to: Path | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Draw a picture of how long it takes, as SVG."""
    wanted = PICTURES[name]
    if by and not wanted.compares:
        raise Wrong("picture-takes-no-groups")
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        cutoffs = Cutoffs(as_of, known_at, at)
        filters = filters_at(reader, cutoffs, framework_, commune, circle, region, sector)
        if wanted.alone and filters.framework is None:
            raise Wrong("picture-of-one")
        found = pictured(reader, wanted, By(by) if by else None, filters, cutoffs)
    if settings.json:
        emit(found)
        return
    with written_or_out(to) as file:
        file.write(drawn(found, settings.language).encode())
    if to is not None:
        click.echo(verbatim("message.picture-written", settings.language, path=str(to)), err=not to.is_file())
