"""Freezes what this release writes: run once for a release, and never again for the same one.

    python -m tests.corpus.freeze

A store written by a release must open in every later one: the files here are what that means.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from cycle import __version__
from cycle.aggregates.base import EVENTS
from cycle.demo import Simulated
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.files.events import export

HERE = Path(__file__).parent


def main() -> None:
    log = HERE / f"events-{__version__}.jsonl"
    if log.exists():
        raise SystemExit(f"{log.name} is frozen already: raise the version first")
    with TemporaryDirectory() as folder, Simulated(f"sqlite:///{folder}/a.db", 1) as simulated:
        simulated.tell(recorded, frameworks=5, cycles=2)
        export(simulated.engine, log)
    types = (f"{name} {event.schema} {' '.join(event.__struct_fields__)}\n" for name, event in sorted(EVENTS.items()))
    (HERE / f"types-{__version__}.txt").write_text("".join(types))


if __name__ == "__main__":
    main()
