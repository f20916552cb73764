"""What a database holds, every table and column of it, to be compared with another's."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from cycle.store import LogRecorder
from cycle_adapters.files import backup as files
from cycle_adapters.files.archive import Manifest
from cycle_adapters.sql.schema import metadata


def everything(store: LogRecorder) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each table by its name, in the order of their keys."""
    with store.database.connect().execution_options(cycle_read_only=True) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def backup(store: LogRecorder, path: Path) -> Manifest:
    return files.backup(store, path, nobody)


def restore(store: LogRecorder, path: Path) -> None:
    files.restore(store, path, nobody)


def nobody(done: int, of: int) -> None:
    """Watches the progress."""
