"""An export as a whole: let through, recorded, written, described; nothing of it is left when it is not finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from cycle import __version__
from cycle.aggregates.acts import TablesExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import ExportForm
from cycle.catalogue import LANGUAGES, Language, template
from cycle.exports.facts import Facts
from cycle.exports.still import Still, still
from cycle.exports.tables import TABLES, Table
from cycle.history import Cutoffs
from cycle.leaf import rfc3339
from cycle.reading import Filters, Reader
from cycle.timings.measuring import DEFINITION
from cycle_adapters.exports import ocel, xes
from cycle_adapters.exports.folder import (
    FORMAT,
    KIND,
    Folder,
    Manifest,
    appearing,
    demand_free,
    dictionary,
)
from cycle_adapters.exports.workbook import Workbook
from cycle_adapters.progress import Moves
from cycle_adapters.tabular import CannotExport, parquet_library, write_csv, write_parquet

ACT = "export-tables"
JSON_AT_MOST = 100_000
"""With more events, OCEL is a SQLite file unless JSON is asked for: a reader of JSON takes all of it into memory."""


class Wanted(Struct, frozen=True):
    """What is asked for: in which form, of where, as of when, and whether an export that is there is written over."""

    form: ExportForm
    filters: Filters
    cutoffs: Cutoffs
    language: Language
    overwrite: bool = False
    json: bool | None = None
    """Of OCEL: as JSON, as SQLite, or (None) by how much there is."""


Checkpoint = Callable[[str | None], bytes | None]
"""The signed note of a log, or of the registry; None where there is none."""


def export(reader: Reader, to: Path, wanted: Wanted, checkpoint: Checkpoint, moved: Moves) -> Manifest:
    """Write an export and what describes it; that it leaves is recorded before its first byte does.

    Raises:
        Forbidden: the account may carry nothing away, or not of the commune that is named.
        CannotExport: nothing was written, and what to do.
        NoParquet: says what to install.
        NotWritten: says why, and where else to write.
    """
    engine, filters = reader.engine, wanted.filters
    log = LogName(filters.commune) if filters.commune else None
    engine.act(reader.actor, ACT, log)
    demand_free(to, overwrite=wanted.overwrite)
    if wanted.form is ExportForm.PARQUET:
        parquet_library()
    with still(reader, ACT, filters, wanted.cutoffs) as at:
        if at.codes(filters, at.cutoffs) == []:
            raise CannotExport("no-such-place", place=filters.circle or filters.region or "")
        note = checkpoint(log)
        with appearing(to, overwrite=wanted.overwrite) as folder:
            engine.act(reader.actor, ACT, log, TablesExported(at.position, wanted.form, log))
            manifest = _manifest(at, wanted, note)
            WRITERS[wanted.form](folder, at, Facts(at, moved), wanted, manifest)
            return folder.finish(manifest)


def _manifest(at: Still, wanted: Wanted, note: bytes | None) -> Manifest:
    asked, filters = wanted.cutoffs, wanted.filters
    return Manifest(
        kind=KIND,
        v=FORMAT,
        form=wanted.form.value,
        position=at.position,
        on=at.on.isoformat(),
        by=at.actor,
        cycle=__version__,
        definition=DEFINITION,
        as_of=asked.as_of.isoformat() if asked.as_of else None,
        known_at=rfc3339(asked.known_at) if asked.known_at else None,
        at=asked.at,
        commune=filters.commune,
        circle=filters.circle,
        region=filters.region,
        checkpoint=note.decode() if note else None,
    )


def _csv(folder: Folder, at: Still, facts: Facts, wanted: Wanted, manifest: Manifest) -> None:
    for table in TABLES:
        folder.write(f"{table.name}.csv", table.columns, _filling(write_csv, table, at, facts))


def _parquet(folder: Folder, at: Still, facts: Facts, wanted: Wanted, manifest: Manifest) -> None:
    for table in TABLES:
        folder.write(f"{table.name}.parquet", table.columns, _filling(write_parquet, table, at, facts))


def _filling(write: Callable[..., int], table: Table, at: Still, facts: Facts) -> Callable[[IO[bytes]], int]:
    return lambda file: write(file, table.columns, table.rows(at, facts))


def _xlsx(folder: Folder, at: Still, facts: Facts, wanted: Wanted, manifest: Manifest) -> None:
    columns = [(table.name, table.columns) for table in TABLES]
    book = Workbook(folder.path(WORKBOOK), wanted.language)
    said = {title: template(f"export.sheet-{title}", wanted.language) for title in ("about", "definitions")}
    about = [(template(f"export.{name}", wanted.language), str(value)) for name, value in _facts_of(manifest)]
    book.words(said["about"], _titles(("what", "value"), wanted.language), about, (30, 90))
    titles = _titles(("file", "column", "type", "unit", "source", *LANGUAGES), wanted.language)
    book.words(said["definitions"], titles, dictionary(columns), (18, 26, 10, 14, 30, 60, 60))
    count = sum(book.table(table.name, table.columns, table.rows(at, facts)) for table in TABLES)
    book.close()
    folder.made(WORKBOOK, [column.of(f"{name}.{column.name}") for name, own in columns for column in own], count)


def _titles(names: Sequence[str], language: Language) -> list[str]:
    return [template(f"export.title-{name}", language) for name in names]


def _facts_of(manifest: Manifest) -> Iterator[tuple[str, object]]:
    """What a manifest says of the whole, apart from files that are not complete yet."""
    for name in ("form", "position", "on", "by", "cycle", "definition", "as_of", "known_at", "at", "commune", "circle",
                 "region", "checkpoint"):  # fmt: skip
        value = getattr(manifest, name)
        if value is not None:
            yield name, value


def _ocel(folder: Folder, at: Still, facts: Facts, wanted: Wanted, manifest: Manifest) -> None:
    filled = folder.path(OCEL_SQLITE)
    count = ocel.fill(filled, at, facts)
    as_json = count <= JSON_AT_MOST if wanted.json is None else wanted.json
    if as_json:
        folder.write(OCEL_JSON, ocel.json_columns(), lambda file: ocel.as_json(filled, file))
        filled.unlink()
    else:
        folder.made(OCEL_SQLITE, ocel.columns(), count)


def _xes(folder: Folder, at: Still, facts: Facts, wanted: Wanted, manifest: Manifest) -> None:
    folder.write("by-framework.xes", xes.COLUMNS, lambda file: xes.write(file, at, facts, by_cycle=False))
    folder.write("by-cycle.xes", xes.COLUMNS, lambda file: xes.write(file, at, facts, by_cycle=True))


WORKBOOK, OCEL_SQLITE, OCEL_JSON = "cycle.xlsx", "cycle.ocel.sqlite", "cycle.ocel.json"
WRITERS: Mapping[ExportForm, Callable[[Folder, Still, Facts, Wanted, Manifest], None]] = {
    ExportForm.CSV: _csv,
    ExportForm.OCEL: _ocel,
    ExportForm.PARQUET: _parquet,
    ExportForm.XES: _xes,
    ExportForm.XLSX: _xlsx,
}
