"""``cycle export report``. Its help is in the catalogue."""

from __future__ import annotations

import sys
from datetime import date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

import click

from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle.timings.measuring import By
from cycle_adapters.options import area_options
from cycle_adapters.paper.basis import CannotPrint
from cycle_adapters.paper.report import ACT, reported
from cycle_adapters.paper.verbs import say, sheet_options
from cycle_adapters.paper.wording import Wording, capital
from cycle_adapters.whole import written_or_out


@click.command()
@click.option("--by", type=click.Choice([each.value for each in By]))
@area_options
@sheet_options
@click.pass_obj
def report(
    settings: Settings,
    by: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
    to: Path | None,
    seals: Path | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Write the evaluator's report as pages to print."""
    if to is None and sys.stdout.isatty():
        raise CannotPrint("terminal")
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        home = reader.find(commune).commune if commune else None
        # Named, not imported: adapters stay out of each other's rooms.
        seen = import_module("cycle_adapters.sealing.published").published
        found = reported(
            reader,
            By(by) if by else None,
            Filters(home, None, circle, region, sector),
            settings.language,
            place=commune or circle or region or sector,
            cutoffs=Cutoffs(as_of, known_at, at),
            published=partial(seen, settings.database, seals),
        )
        with written_or_out(to) as file:
            # Recorded before the first byte leaves.
            engine.act(settings.actor, ACT, found.fact.of, found.fact)
            file.write(found.pages)
    what = capital(Wording(settings.language).say("report"))
    values: dict[str, object] = {"path": str(to), "position": found.fact.up_to}
    say(settings, to, values, partial(verbatim, "paper.written", what=what, path=str(to)))
