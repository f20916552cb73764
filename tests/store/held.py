"""An insert that another process holds open: what it has written and not committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import msgspec
import psycopg
from sqlalchemy import make_url

from cycle.engine import Engine
from cycle.store import Append
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.postgres import CALL, _sent
from cycle_adapters.sql.recorder import SqlRecorder
from cycle_adapters.sql.sqlite import SqliteWriter
from tests.store.saves import save


@contextmanager
def held_open(engine: Engine, url: str) -> Iterator[Callable[[], None]]:
    """A transaction of another process that has appended an event; yields what commits it."""
    one = save("held", key="held")
    if engine.store.database.dialect.name == "sqlite":
        with _held_open_in_file(url, one) as commit:
            yield commit
        return
    where = make_url(url)
    with psycopg.connect(host=where.host, port=where.port, user=where.username, dbname=where.database) as connection:
        connection.execute(CALL, (msgspec.json.encode([_sent(one)]).decode(),))
        yield connection.commit


@contextmanager
def _held_open_in_file(url: str, one: Append) -> Iterator[Callable[[], None]]:
    """A store of its own that stops before it commits."""
    store, written, go_on = SqlRecorder(open_database(url)), Event(), Event()

    def stop(statement: str) -> None:
        if statement == "COMMIT":
            written.set()
            go_on.wait(60)

    assert isinstance(store._writer, SqliteWriter)
    store._writer._connection.set_trace_callback(stop)
    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(store.append, one)
        assert written.wait(60)
        try:
            yield go_on.set
        finally:
            go_on.set()
            appending.result(60)
    store.close()
