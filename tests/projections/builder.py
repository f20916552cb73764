"""A program that rebuilds every projection of a database when it is told to, and says what came of it."""

from __future__ import annotations

import sys

from cycle.projections.runner import Runner
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.projections.rows import LEAVES

store = SqlRecorder(open_database(sys.argv[1]))
runner = Runner(store, LEAVES)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    runner.rebuild(batch=50)
print("built", flush=True)
store.close()
