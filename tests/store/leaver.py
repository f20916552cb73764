"""A program that stops reading in the middle, in an error that holds itself, and reads on. Run by the tests."""

from __future__ import annotations

import gc
import sys

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder


def leave(store: SqlRecorder) -> None:
    rows = store.read(0)
    next(rows)
    error = ValueError("of whoever folds")
    error.__context__, error.args = error, (rows,)


def main(url: str) -> None:
    store = SqlRecorder(open_database(url))
    gc.disable()
    for _ in range(50):
        leave(store)
        gc.collect()
    print(sum(1 for _ in store.read(0)), store.database.pool.checkedout(), flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1])
