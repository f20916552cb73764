"""``cycle export plan``, ``attendance``, ``minutes`` and ``ics``. Their help is in the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import msgspec

from cycle.aggregates.acts import CalendarExported, PaperExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import Sheet
from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle_adapters.moments import DAY, MOMENT
from cycle_adapters.paper.basis import Basis, CannotPrint, basis
from cycle_adapters.paper.wording import Wording, capital
from cycle_adapters.whole import written_or_out

A_FILE = click.Path(path_type=Path)
Prints = Callable[[Basis, Wording, bytes | None], bytes]


def cutoff_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--as-of``, ``--known-at`` and ``--at``."""
    for option in (
        click.option("--at", type=int, metavar="POSITION"),
        click.option("--known-at", type=MOMENT),
        click.option("--as-of", type=DAY),
    ):
        command = option(command)
    return command


def sheet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every sheet is told."""
    for option in (
        click.option("--seals", metavar="FOLDER", type=A_FILE, envvar="CYCLE_SEALS"),
        cutoff_options,
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
    from cycle_adapters.paper.plan import plan_sheet

    hand_out(settings, framework, Sheet.PLAN, lambda of, words, note: plan_sheet(of, words, cycle, note), **asked)


@click.command()
@click.argument("framework", metavar="FRAMEWORK")
@click.option("--meeting", metavar="ID")
@sheet_options
@click.pass_obj
def attendance(settings: Settings, /, framework: str, meeting: str | None, **asked: Any) -> None:
    """Write the attendance sheet of a meeting as pages to print."""
    from cycle_adapters.paper.attendance import attendance_sheet

    prints: Prints = lambda of, words, note: attendance_sheet(of, words, meeting, note)  # noqa: E731
    hand_out(settings, framework, Sheet.ATTENDANCE, prints, **asked)


@click.command()
@click.argument("framework", metavar="FRAMEWORK")
@click.option("--meeting", metavar="ID")
@sheet_options
@click.pass_obj
def minutes(settings: Settings, /, framework: str, meeting: str | None, **asked: Any) -> None:
    """Write the minutes of a meeting as pages to print."""
    from cycle_adapters.paper.minutes import minutes_sheet

    prints: Prints = lambda of, words, note: minutes_sheet(of, words, meeting, note)  # noqa: E731
    hand_out(settings, framework, Sheet.MINUTES, prints, **asked)


def hand_out(
    settings: Settings,
    framework: str,
    sheet: Sheet,
    prints: Prints,
    *,
    to: Path | None,
    seals: Path | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Print a sheet, record that it is handed out, and hand it out."""
    if to is None and sys.stdout.isatty():
        raise CannotPrint("terminal")
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        of = basis(reader, reader.find_framework(framework), Cutoffs(as_of, known_at, at))
        log = LogName(of.commune.code)
        # Named, not imported: adapters stay out of each other's rooms.
        note = import_module("cycle_adapters.sealing.published").published(settings.database, seals, log)
        pages = prints(of, Wording(settings.language), note)
        with written_or_out(to) as file:
            # Recorded before the first byte leaves.
            engine.act(settings.actor, "export-paper", log, PaperExported(log, of.identity, sheet, of.position))
            file.write(pages)
    what = capital(Wording(settings.language).word(sheet))
    values = {"path": str(to), "sheet": sheet, "framework": of.identity, "position": of.position}
    _say(settings, to, values, partial(verbatim, "paper.written", what=what, path=str(to)))


@click.command()
@click.argument("framework", metavar="[FRAMEWORK]", required=False)
@click.option("--commune", metavar="NAME")
@click.option("--circle", metavar="NAME")
@click.option("--region", metavar="NAME")
@click.option("--sector", metavar="CODE")
@click.option("--to", metavar="FILE", type=A_FILE)
@cutoff_options
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
    _say(settings, to, {"path": str(to), "count": len(found)}, said)


def _say(settings: Settings, to: Path | None, values: dict[str, object], said: Callable[..., str]) -> None:
    """What was written and where; nothing where standard output is the file itself."""
    if to is None:
        return
    line = msgspec.json.encode(values).decode() if settings.json else said(settings.language)
    click.echo(line, err=not to.is_file())
