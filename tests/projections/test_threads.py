"""Several threads that catch up at once, as readers behind a server do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import folded
from cycle.projections.runner import Runner
from cycle.reading import Reader
from tests.engine.path import Path


def test_threads_that_catch_up_at_once_fold_each_fact_once(engine: Engine) -> None:
    Path(engine).to(Stage.MONITORING)
    runner, ready = Runner(engine.store, engine.leaves), Barrier(8)

    def follow(_: int) -> None:
        ready.wait()
        runner.catch_up(batch=3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(follow, range(8)))
    reader = Reader(engine, "auditor", runner)
    engine.door.refresh()
    facts = reader.facts()
    for name, projection in PROJECTIONS.items():
        assert reader.rows(name) == [row for _, row in sorted(folded(projection, facts).items())], name
