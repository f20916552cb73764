"""Many processes under a load, each killed in turn: how soon another goes on, and that nothing is lost.

``python -m benchmarks.trial [COMMANDS A SECOND] [CLIENTS]``: the same trial as in the tests, at its whole size.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import sleep

from tests.trials.clients import Acknowledged
from tests.trials.trial import KILLS, Trial, trial

from benchmarks.measure import line

SECONDS = 5.0
"""So long it is left in peace before each kill, and so long NATS hangs."""


def told(found: Trial, per_second: float, begun: float) -> None:
    """What was measured."""
    for each in found.took:
        line("", f"{each.killed} killed: {each.what} after, s", each.seconds, "")
    done = found.load.acknowledged
    times = [each.told - each.began for each in done]
    hung = _between(done, *found.hung)
    calm = _between(done, begun, begun + SECONDS)
    line("", "commands acknowledged", len(done), "")
    line("", "of them sent more than once", sum(each.times > 1 for each in done), "")
    line("", f"commands a second, {per_second:g} wanted", len(done) / (max(e.told for e in done) - begun), "")
    line("", "99 of 100 acknowledged within, ms", quantiles(times, n=100)[98] * 1000, "")
    line("", "the slowest, s", max(times), "")
    for name, some in (("before the first kill", calm), ("while NATS hung", hung)):
        line("", f"half of the commands within, {name}, ms", median(some) * 1000, "")
        line("", f"99 of 100 within, {name}, ms", quantiles(some, n=100)[98] * 1000, "")


def _between(done: list[Acknowledged], begin: float, end: float) -> list[float]:
    """How long those took that began between two moments."""
    return [each.told - each.began for each in done if begin <= each.began < end]


def main(per_second: float = 200, clients: int = 12) -> None:
    print(f"load {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory(prefix="cycle-trial-") as folder, trial(Path(folder), per_second, clients) as found:
        for kill in KILLS.values():
            sleep(SECONDS)
            kill(found)
            print(kill.__name__, flush=True)
        found.ends()
        told(found, per_second, found.load.acknowledged[0].began)
        print(f"load {os.getloadavg()[0]:.1f}; errors told by our processes: {len(found.house.errors())}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
