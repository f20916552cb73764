"""``cycle export plan``, ``attendance``, ``minutes`` and ``ics``. Their help is in the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from cycle.aggregates.acts import CalendarExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import Sheet
from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle_adapters.options import area_options, past_options
from cycle_adapters.paper.basis import CannotPrint
from cycle_adapters.paper.printing import Printed, printed
from cycle_adapters.paper.report import ACT, Published, Reported
from cycle_adapters.paper.wording import Wording, capital
from cycle_adapters.whole import written_or_out

P = TypeVar("P", Printed, Reported)
A_FILE = click.Path(path_type=Path)


def sheet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every sheet is told."""
    for option in (
        click.option("--seals", metavar="FOLDER", type=A_FILE, envvar="CYCLE_SEALS"),
        past_options,
        click.option("--to", metavar="FILE", type=A_FILE),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("framework", metavar="FRAMEWORK")
@click.option("--cycle", type=click.IntRange(min=1))
@sheet_options
@click.pass_obj
def plan(settings: Settings, /, framework: str, cycle: int | None, **asked: Any) -> None:
    """Write the three-month plan as pages to print."""
    hand_out(settings, framework, Sheet.PLAN, cycle, **asked)


@click.command()
@click.argument("framework", metavar="FRAMEWORK")
@click.option("--meeting", metavar="ID")
@sheet_options
@click.pass_obj
def attendance(settings: Settings, /, framework: str, meeting: str | None, **asked: Any) -> None:
    """Write the attendance sheet of a meeting as pages to print."""
    hand_out(settings, framework, Sheet.ATTENDANCE, meeting, **asked)


@click.command()
@click.argument("framework", metavar="FRAMEWORK")
@click.option("--meeting", metavar="ID")
@sheet_options
@click.pass_obj
def minutes(settings: Settings, /, framework: str, meeting: str | None, **asked: Any) -> None:
    """Write the minutes of a meeting as pages to print."""
    hand_out(settings, framework, Sheet.MINUTES, meeting, **asked)


def hand_out(
    settings: Settings,
    framework: str,
    sheet: Sheet,
    which: str | int | None,
    *,
    to: Path | None,
    seals: Path | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Print a sheet, record that it is handed out, and hand it out."""

    def made(reader: Reader, published: Published) -> Printed:
        identity, cutoffs = reader.find_framework(framework), Cutoffs(as_of, known_at, at)
        language = settings.language
        return printed(sheet, reader, identity, language, which=which, cutoffs=cutoffs, published=published)

    found = let_out(settings, to, seals, made)
    what = capital(Wording(settings.language).word(sheet))
    values = {"path": str(to), "sheet": sheet, "framework": found.fact.framework, "position": found.fact.up_to}
    say(settings, to, values, partial(verbatim, "paper.written", what=what, path=str(to)))


def let_out(settings: Settings, to: Path | None, seals: Path | None, made: Callable[[Reader, Published], P]) -> P:
    """Have pages made, record that they are handed out, and hand them out.

    Raises:
        CannotPrint: nobody reads pages in a terminal.
        Forbidden: the account may carry nothing out.
    """
    if to is None and sys.stdout.isatty():
        raise CannotPrint("terminal")
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        # Named, not imported: adapters stay out of each other's rooms.
        seen = import_module("cycle_adapters.sealing.published").published
        found = made(reader, partial(seen, settings.database, seals))
        with written_or_out(to) as file:
            # Recorded before the first byte leaves.
            engine.act(settings.actor, ACT, found.fact.of, found.fact)
            file.write(found.pages)
    return found


@click.command()
@click.argument("framework", metavar="[FRAMEWORK]", required=False)
@area_options
@click.option("--to", metavar="FILE", type=A_FILE)
@past_options
@click.pass_obj
def ics(
    settings: Settings,
    framework: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
    to: Path | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Write meetings and deadlines for a calendar."""
    from cycle_adapters.paper.calendar import days, days_ics

    cutoffs, words = Cutoffs(as_of, known_at, at), Wording(settings.language)
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        chosen = reader.find_framework(framework) if framework else None
        place = reader.find(commune or chosen or "").commune if commune or chosen else None
        filters = Filters(place, chosen, circle, region, sector)
        found = days(reader, filters, cutoffs)
        file_bytes = days_ics(found, reader, filters, words, cutoffs, framework or commune or circle or region)
        log = LogName(place) if place else None
        with written_or_out(to) as file:
            fact = CalendarExported(engine.store.head().position, log)
            engine.act(settings.actor, "export-calendar", log, fact)
            file.write(file_bytes)
    said = partial(verbatim, "paper.days-written", count=len(found), path=str(to))
    say(settings, to, {"path": str(to), "count": len(found)}, said)


def say(settings: Settings, to: Path | None, values: dict[str, object], said: Callable[..., str]) -> None:
    """What was written and where; nothing where standard output is the file itself."""
    if to is None:
        return
    line = msgspec.json.encode(values).decode() if settings.json else said(settings.language)
    click.echo(line, err=not to.is_file())
