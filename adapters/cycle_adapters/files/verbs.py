"""``cycle export`` and ``cycle import``. Their help is in the catalogue."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from cycle.aggregates.acts import EventsExported, TablesExported
from cycle.aggregates.base import PLATFORM, By, LogName, Role
from cycle.aggregates.terms import CommuneCode, ExportForm
from cycle.catalogue import text, verbatim
from cycle.engine import Engine
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle_adapters.files.deliberations import BadRows, against, judge, record
from cycle_adapters.files.events import export as export_lines
from cycle_adapters.files.events import import_ as import_lines
from cycle_adapters.files.lines import BadLine
from cycle_adapters.files.mapping import MappingError, read_mapping, scdl
from cycle_adapters.files.publishing import Published, demand_siret, publish
from cycle_adapters.files.register import Register
from cycle_adapters.files.report import as_json, told
from cycle_adapters.files.table import FileBroken
from cycle_adapters.progress import progress
from cycle_adapters.tabular import Taken
from cycle_adapters.whole import written_or_out

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def export() -> None:
    """Write what is recorded to files."""


@export.command("events")
@click.option("--commune", metavar="NAME")
@click.option("--to", metavar="PATH", type=click.Path(path_type=Path))
@click.pass_obj
def export_events(settings: Settings, commune: str | None, to: Path | None) -> None:
    """Write the stored bytes, one line per event, in order of position."""
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        if commune:
            reader.catch_up()
        log = LogName(reader.find(commune).commune) if commune else None
        with written_or_out(to) as file:
            # Recorded when it can be written, before the first byte leaves, and behind the last one that does.
            last = engine.store.head().position
            engine.act(settings.actor, "export-events", log or PLATFORM, EventsExported(last, log))
            count = export_lines(engine, file, log, up_to=last)
    if to is not None:
        # Where the events themselves go to standard output, nothing else may stand there.
        values = {"count": count, "path": str(to)}
        said = (
            msgspec.json.encode(values).decode()
            if settings.json
            else verbatim("message.exported", settings.language, **values)
        )
        click.echo(said, err=not to.is_file())


@export.command("deliberations")
@click.option("--commune", metavar="NAME", required=True)
@click.option("--siret", metavar="NUMBER")
@click.option("--to", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True)
@click.pass_obj
def export_deliberations(settings: Settings, commune: str, siret: str | None, to: Path | None, overwrite: bool) -> None:
    """Write a council's register by the schema SCDL, as ``cycle import deliberations`` reads it."""
    demand_siret(siret)
    if to is not None and to.is_file() and not overwrite:
        raise Taken("exists").about(to)
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        code = CommuneCode(reader.find(commune).commune)
        log = LogName(code)
        engine.act(settings.actor, "export-deliberations", log)
        name = next(row.name for row in reader.communes() if row.code == code)
        register = Register(engine, code)
        with written_or_out(to) as file:
            # Recorded when it can be written, and before the first byte leaves.
            fact = TablesExported(engine.store.head().position, ExportForm.DELIBERATIONS, log)
            engine.act(settings.actor, "export-deliberations", log, fact)
            published = publish(file, register.each(), name, siret)
    _say_published(settings, to, published)


def _say_published(settings: Settings, to: Path | None, published: Published) -> None:
    """How many there are; on standard error, what the file cannot tell."""
    values = {"count": published.rows, "untold": published.untold, "wanting": published.wanting, "path": str(to)}
    if settings.json:
        click.echo(msgspec.json.encode(values), err=to is None or not to.is_file())
        return
    if to is not None:
        said = verbatim("message.deliberations-exported", settings.language, count=published.rows, path=str(to))
        click.echo(said, err=not to.is_file())
    if published.untold:
        click.echo(text("message.deliberations-untold", settings.language, count=published.untold), err=True)
    if published.wanting:
        click.echo(text("message.deliberations-wanting", settings.language), err=True)


@click.group("import")
def import_() -> None:
    """Read deliberations, or a whole log, from files."""


@import_.command("events")
@click.argument("path", metavar="FILE.jsonl", type=A_FILE)
@click.option("--continue", "follow_on", is_flag=True)
@click.pass_obj
def import_events(settings: Settings, path: Path, follow_on: bool) -> None:
    """Read a log that `cycle export events` wrote into an empty database: same bytes, same positions."""
    with (
        Engine(settings.database) as engine,
        path.open("rb") as file,
        progress(settings, "importing") as moved,
    ):
        engine.act(settings.actor, "import-events")
        size = path.stat().st_size
        try:
            count = import_lines(engine, file, lambda _: moved(file.tell(), size), follow_on=follow_on)
        except BadLine as error:
            raise error.about(path.name) from error
        last = engine.store.head().position
    if settings.json:
        click.echo(msgspec.json.encode({"count": count, "position": last}))
    else:
        said = "continued" if follow_on else "imported"
        click.echo(text(f"message.{said}", settings.language, count=count, last=last))


@import_.command("deliberations")
@click.argument("path", metavar="FILE.csv", type=A_FILE)
@click.option("--commune", metavar="NAME", required=True)
@click.option("--mapping", "mapping_path", metavar="FILE.json", type=A_FILE)
@click.option("--dry-run", is_flag=True)
@click.option("--skip-bad-rows", is_flag=True)
@click.pass_obj
def import_deliberations(
    settings: Settings,
    path: Path,
    commune: str,
    mapping_path: Path | None,
    dry_run: bool,
    skip_bad_rows: bool,
) -> None:
    """Read a council's deliberations (SCDL CSV, or any other columns by a mapping)."""
    try:
        mapping = read_mapping(mapping_path.read_bytes()) if mapping_path else scdl()
    except MappingError as error:
        raise error.about(mapping_path) from error
    say = as_json if settings.json else told
    with Engine(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        code = CommuneCode(reader.find(commune).commune)
        by = By(settings.actor, Role.COUNCIL_SECRETARY)
        engine.act(by.actor, "import-deliberations", LogName(code))
        try:
            report = judge(path.read_bytes(), code, mapping, path.name, engine.today())
            if dry_run:
                report = against(Register(engine, code), report)
            else:
                report = record(engine, report, by, skip_bad_rows=skip_bad_rows)
        except FileBroken as error:
            raise error.about(path.name) from error
        except BadRows as error:
            click.echo(say(error.report, settings.language, dry_run=False))
            raise error.about(path.name) from error
    click.echo(say(report, settings.language, dry_run=dry_run))
