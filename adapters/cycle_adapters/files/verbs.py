"""``cycle export`` and ``cycle import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import click
import msgspec

from cycle.aggregates.base import LogName
from cycle.aggregates.terms import CommuneCode
from cycle.catalogue import Language, text
from cycle.engine import Engine
from cycle.reading import Reader
from cycle_adapters.files.deliberations import BadRows, Report, judge, record
from cycle_adapters.files.events import BadLine
from cycle_adapters.files.events import export as export_lines
from cycle_adapters.files.events import import_ as import_lines
from cycle_adapters.files.mapping import MappingError, read_mapping, scdl
from cycle_adapters.files.table import FileBroken, Oddity

REFUSED, USAGE = 1, 2


class Settings(Protocol):
    """What the command line hands every verb."""

    @property
    def database(self) -> str: ...
    @property
    def language(self) -> Language: ...
    @property
    def json(self) -> bool: ...


class Told(NamedTuple):
    exit_code: int
    code: str
    text: str
    reasons: Any = None


class Failed(Exception):  # noqa: N818
    """An error as the command line tells it."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.text)
        self.told = told


@click.group()
def export() -> None:
    """Write what is recorded to files."""


@export.command("events")
@click.option("--commune", metavar="NAME", help="One commune's log only; it cannot be imported as a whole log.")
@click.option("--to", type=click.Path(path_type=Path), help="A file; standard output when left out.")
@click.pass_obj
def export_events(settings: Settings, commune: str | None, to: Path | None) -> None:
    """Write the stored bytes, one line per event, in order of position."""
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        if commune:
            reader.catch_up()
        log = LogName(reader.find(commune).commune) if commune else None
        try:
            count = export_lines(engine, to or sys.stdout.buffer, log)
        except OSError as error:
            raise Failed(Told(4, "unavailable", f"{to}: {error.strerror}; nothing was left behind")) from error
    if to is not None:
        values = {"count": count, "path": str(to)}
        if settings.json:
            click.echo(msgspec.json.encode(values))
        else:
            click.echo(text("message.exported", settings.language, "", **values))


@click.group("import")
def import_() -> None:
    """Read deliberations, or a whole log, from files."""


@import_.command("events")
@click.argument("path", metavar="FILE.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_events(settings: Settings, path: Path) -> None:
    """Read a log that `cycle export events` wrote into an empty database: same bytes, same positions."""
    with Engine(settings.database) as engine, path.open("rb") as file:
        try:
            count = import_lines(engine, file, lambda done: None)
        except BadLine as error:
            raise Failed(Told(REFUSED, "bad-line", f"{path.name}, {error}")) from error
    if settings.json:
        click.echo(msgspec.json.encode({"count": count}))
    else:
        click.echo(text("message.imported", settings.language, "", count=count))


@import_.command("deliberations")
@click.argument("path", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--commune", metavar="NAME", required=True, help="Whose council it was: code, name or alias.")
@click.option("--mapping", "mapping_path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Judge every row and write nothing.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be recorded.")
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
        raise Failed(Told(USAGE, "bad-mapping", f"{mapping_path}: {error}")) from error
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        code = CommuneCode(reader.find(commune).commune)
        try:
            report = judge(path.read_bytes(), code, mapping, path.name)
            if not dry_run:
                report = record(engine, report, skip_bad_rows=skip_bad_rows)
        except FileBroken as error:
            raise Failed(Told(REFUSED, "file-broken", f"{path.name}: {error}")) from error
        except BadRows as error:
            tell(error.report, settings, dry_run=True)
            raise Failed(Told(REFUSED, "bad-rows", f"{path.name}: {error}")) from error
    tell(report, settings, dry_run=dry_run)


def tell(report: Report, settings: Settings, *, dry_run: bool) -> None:
    """The report: how many rows, what is odd about them, what was done."""
    language = settings.language
    if settings.json:
        rows = [{"line": row.line, "id": row.identity, "number": row.command.number} for row in report.good]
        told = {
            "rows": report.rows,
            "recorded": report.recorded,
            "known": report.known,
            "dry_run": dry_run,
            "oddities": report.counts(),
            "bad_lines": report.bad_lines,
            "good": rows,
            "findings": report.oddities,
        }
        click.echo(msgspec.json.encode(told))
        return
    values = {"rows": report.rows, "good": len(report.good), "bad": len(report.bad_lines)}
    click.echo(text("message.import-report", language, "", **values))
    for code, count in report.counts().items():
        click.echo(f"  {count:>5}  {code}")
    for oddity in report.oddities:
        click.echo(_line(oddity, language))
    if dry_run:
        click.echo(text("message.import-dry", language))
    else:
        done = {"recorded": report.recorded, "known": report.known}
        click.echo(text("message.import-done", language, "", **done))


def _line(oddity: Oddity, language: Language) -> str:
    where = text("message.line", language, "", line=str(oddity.line))
    bad = f" {text('message.bad-line', language)}:" if oddity.bad else ""
    said = text(f"oddity.{oddity.code}", language, "", **oddity.values)
    return f"{where}:{bad} " + "".join(c if c.isprintable() else " " for c in said)
