"""``cycle export csv``, ``parquet``, ``xlsx``, ``ocel`` and ``xes``. Their help is in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import msgspec

from cycle.aggregates.terms import ExportForm
from cycle.catalogue import verbatim
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle_adapters.exports.folder import Manifest
from cycle_adapters.exports.taking import Wanted
from cycle_adapters.exports.taking import export as take
from cycle_adapters.options import past_options
from cycle_adapters.progress import progress

A_PATH = click.Path(path_type=Path)


def export_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every export is told."""
    for option in (
        click.option("--seals", metavar="FOLDER", type=A_PATH, envvar="CYCLE_SEALS"),
        click.option("--overwrite", is_flag=True),
        past_options,
        click.option("--region", metavar="NAME"),
        click.option("--circle", metavar="NAME"),
        click.option("--commune", metavar="NAME"),
        click.option("--to", metavar="PATH", type=A_PATH, required=True),
    ):
        command = option(command)
    return command


@click.command("csv")
@export_options
@click.pass_obj
def csv_(settings: Settings, /, **asked: Any) -> None:
    """Write every table as CSV."""
    hand_out(settings, ExportForm.CSV, **asked)


@click.command()
@export_options
@click.pass_obj
def parquet(settings: Settings, /, **asked: Any) -> None:
    """Write every table as Parquet."""
    hand_out(settings, ExportForm.PARQUET, **asked)


@click.command()
@export_options
@click.pass_obj
def xlsx(settings: Settings, /, **asked: Any) -> None:
    """Write every table as a sheet of one workbook."""
    hand_out(settings, ExportForm.XLSX, **asked)


@click.command()
@click.option("--form", type=click.Choice(["sqlite", "json"]))
@export_options
@click.pass_obj
def ocel(settings: Settings, /, form: str | None, **asked: Any) -> None:
    """Write an object-centric event log."""
    hand_out(settings, ExportForm.OCEL, None if form is None else form == "json", **asked)


@click.command()
@export_options
@click.pass_obj
def xes(settings: Settings, /, **asked: Any) -> None:
    """Write event logs with a trace for each framework, and for each of its cycles."""
    hand_out(settings, ExportForm.XES, **asked)


def hand_out(
    settings: Settings,
    form: ExportForm,
    json: bool | None = None,
    *,
    to: Path,
    commune: str | None,
    circle: str | None,
    region: str | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
    overwrite: bool,
    seals: Path | None,
) -> None:
    """Write an export, record that it is handed out, and say what it is."""
    with opened(settings.database) as engine, progress(settings, "exporting") as moved:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        code = reader.find(commune).commune if commune else None
        filters = Filters(code, circle=circle, region=region)
        wanted = Wanted(form, filters, Cutoffs(as_of, known_at, at), settings.language, overwrite, json)
        # Named, not imported: adapters stay out of each other's rooms.
        seen = import_module("cycle_adapters.sealing.published").published
        manifest = take(reader, to, wanted, partial(seen, settings.database, seals), moved)
    click.echo(_as_json(to, manifest) if settings.json else _told(to, manifest, settings))


def _as_json(to: Path, manifest: Manifest) -> str:
    return msgspec.json.encode({"path": str(to), **msgspec.structs.asdict(manifest)}).decode()


def _told(to: Path, manifest: Manifest, settings: Settings) -> str:
    values = {"path": str(to), "position": manifest.position, "files": len(manifest.files) + 1}
    return verbatim("message.handed-out", settings.language, **values)
