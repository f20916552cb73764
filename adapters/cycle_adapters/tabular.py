"""Tables as CSV and Parquet, row by row, whichever room hands them out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any, NamedTuple

from cycle.exports.columns import Cell, Column, Kind
from cycle.failures import CONFLICT, UNAVAILABLE, Failure
from cycle.leaf import rfc3339

Rows = Iterable[Sequence[Cell]]
STEERING = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so may be a formula to a spreadsheet: an apostrophe is put before it. Source: OWASP."""
GROUP_ROWS = 5_000
"""So many rows are in memory while Parquet is written."""


class CannotExport(Failure):
    """Nothing was written."""

    kind = "export"


class Taken(CannotExport):
    """There is something under the name already."""

    code = "conflict"
    exit_code = CONFLICT


class NoParquet(CannotExport):
    """The library that writes Parquet is not installed."""

    code = "unavailable"
    exit_code = UNAVAILABLE


def write_csv(file: IO[bytes], columns: Sequence[Column], rows: Rows) -> int:
    """A header and rows by RFC 4180, in UTF-8; texts are made harmless, numbers are left as they are.

    Returns:
        How many rows there were.
    """
    into = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
    writer = csv.writer(into, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    count = 0
    for row in rows:
        writer.writerow([_in_csv(cell) for cell in row])
        count += 1
    into.flush()
    into.detach()
    return count


def harmless(words: str) -> str:
    """A text that no spreadsheet takes for a formula; what looks as if it had been made so gets another apostrophe."""
    return f"'{words}" if words.lstrip("'").startswith(STEERING) else words


def as_written(cell: str) -> str:
    """The text that was made harmless."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(STEERING) else cell


def _in_csv(cell: Cell) -> str | int:
    match cell:
        case str():
            return harmless(cell)
        case bool():
            return "true" if cell else "false"
        case int():
            return cell
        case None:
            return ""
        case Decimal():
            return f"{cell:f}"
        case datetime():
            return rfc3339(cell)
        case date():
            return cell.isoformat()


def write_parquet(file: IO[bytes], columns: Sequence[Column], rows: Rows) -> int:
    """The same in Parquet, each column in a type of its own.

    Returns:
        How many rows there were.

    Raises:
        NoParquet: says what to install.
    """
    arrow, parquet = parquet_library()
    schema = arrow.schema([(column.name, _type(arrow, column.kind)) for column in columns])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in grouped(rows, GROUP_ROWS):
            values = (list(map(_in_parquet, cells)) for cells in zip(*group, strict=True))
            arrays = [arrow.array(cells, each.type) for cells, each in zip(values, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            count += len(group)
    return count


def parquet_library() -> tuple[Any, Any]:
    """pyarrow and its Parquet.

    Raises:
        NoParquet: says what to install.
    """
    # Imported here: it is heavy, and needed for nothing else.
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise NoParquet("no-parquet") from error
    return pyarrow, pyarrow.parquet


def has_parquet() -> bool:
    """Whether it is installed."""
    return find_spec("pyarrow") is not None


def _type(arrow: Any, kind: Kind) -> Any:
    match kind:
        case Kind.WHOLE:
            return arrow.int64()
        case Kind.FLAG:
            return arrow.bool_()
        case Kind.DAY:
            return arrow.date32()
        case Kind.MOMENT:
            return arrow.timestamp("us", "UTC")
        case Kind.NUMBER:
            return arrow.float64()
        case Kind.TEXT | Kind.JSON:
            return arrow.string()


def _in_parquet(cell: Cell) -> Any:
    return float(cell) if isinstance(cell, Decimal) else cell


def grouped(rows: Rows, at_once: int) -> Iterator[list[Sequence[Cell]]]:
    """Rows, so many at once."""
    several = iter(rows)
    while group := list(islice(several, at_once)):
        yield group


class Form(NamedTuple):
    """A form of file: how it is written, and what it is called on the web."""

    write: Callable[[IO[bytes], Sequence[Column], Rows], int]
    media: str


FORMS: Mapping[str, Form] = {
    "csv": Form(write_csv, "text/csv; charset=utf-8; header=present"),
    "parquet": Form(write_parquet, "application/vnd.apache.parquet"),
}
"""By the ending of its name."""
