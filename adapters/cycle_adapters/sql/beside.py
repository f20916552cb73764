"""What stands beside the log on the same database: read and written in short transactions of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from cycle_adapters.sql.opening import READ_ONLY, cannot_use


class SqlBeside:
    """Tables that are changed and destroyed, unlike the log."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._is_sqlite = database.dialect.name == "sqlite"

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._explained(), self._database.connect().execution_options(**{READ_ONLY: True}) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._explained(), self._database.begin() as connection:
            overwrite(connection)
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            raise cannot_use(error, self._database.url) from error


def overwrite(connection: Connection) -> None:
    """What this connection deletes is overwritten with zeros."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
