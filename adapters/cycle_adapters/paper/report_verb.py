"""``cycle export report``. Its help is in the catalogue."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from pathlib import Path

import click

from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.settings import Settings
from cycle.timings.measuring import By
from cycle_adapters.options import area_options
from cycle_adapters.paper.report import Published, Reported, reported
from cycle_adapters.paper.verbs import let_out, say, sheet_options
from cycle_adapters.paper.wording import Wording, capital


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

    def made(reader: Reader, published: Published) -> Reported:
        home = reader.find(commune).commune if commune else None
        return reported(
            reader,
            By(by) if by else None,
            Filters(home, None, circle, region, sector),
            settings.language,
            place=commune or circle or region or sector,
            cutoffs=Cutoffs(as_of, known_at, at),
            published=published,
        )

    found = let_out(settings, to, seals, made)
    what = capital(Wording(settings.language).say("report"))
    values: dict[str, object] = {"path": str(to), "position": found.fact.up_to}
    say(settings, to, values, partial(verbatim, "paper.written", what=what, path=str(to)))
